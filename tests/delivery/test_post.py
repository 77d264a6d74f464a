"""Mails through a real mail server: what arrives there, what it refuses, and what becomes of a server that breaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest
from pydantic import SecretStr

from models.fulfillment import Buyer, SendEmail
from tests.servers.exim import PASSWORD, USER, Exim, running_exim
from tests.support.connected import part
from wizard.delivery import post as module
from wizard.delivery.backend import Context
from wizard.delivery.errors import ActionRequired, Rejected, Retriable
from wizard.delivery.post import SmtpPost

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MAIL = SendEmail(
    target="order_confirmation",
    subject="Grüße, [/nope] =?utf-8?q?obeyed?= " + "und noch viel mehr " * 5 + "Ende",
    body="Hello <b>Ada</b>,\n\nhttps://example.com/x?a=1&b=2.\njavascript:alert(1)\n.\n" + "界" * 1500 + "\n",
)

pytestmark = pytest.mark.xdist_group("mail server")


@pytest.fixture(scope="session")
def started() -> Iterator[Exim]:
    with running_exim("localhost") as server:
        yield server


@pytest.fixture
def exim(started: Exim) -> Exim:
    started.empty()
    return started


def context(**changes: object) -> Context:
    given = {"run": "r", "product": "p", "buyer": Buyer(), "now": lambda: NOW, "key": "run-7-step-2"}
    return Context(**(given | changes))  # type: ignore[arg-type]


def post(url: str, sender: str = USER) -> SmtpPost:
    return SmtpPost(SecretStr(url), sender)


async def test_a_mail_arrives_with_both_parts_as_it_was_written(exim: Exim):
    receipt = await post(exim.url()).perform(MAIL, context(buyer=Buyer(name='Zoë "=?utf-8?q?x?=", Ltd')))

    (mail,) = exim.delivered()
    assert [p.get_content_type() for p in mail.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert mail["Subject"] == MAIL.subject
    assert part(mail, "text/plain") == MAIL.body
    html = part(mail, "text/html")
    assert "Hello &lt;b&gt;Ada&lt;/b&gt;," in html
    assert '<a href="https://example.com/x?a=1&amp;b=2">https://example.com/x?a=1&amp;b=2</a>.<br>javascript:' in html
    assert html.count("href") == 1
    assert mail["Message-ID"] == receipt.reference == "<run-7-step-2@example.com>"
    assert (mail["From"], mail["Return-path"], mail["Envelope-to"]) == (USER, f"<{USER}>", "ada.example@example.com")
    (to,) = mail["To"].addresses
    assert (to.display_name, to.addr_spec) == ('Zoë "=?utf-8?q?x?=", Ltd', "ada.example@example.com")
    assert mail["Date"] == "Mon, 23 Nov 2026 12:00:00 +0000"
    assert (mail["Auto-Submitted"], mail["Wizard-Simulation"]) == ("auto-generated", "1")
    assert "TLS" in mail["Received"]


async def test_the_evidence_is_the_servers_own_word_and_says_so(exim: Exim):
    sender, at = post(exim.url()), context()

    evidence = await sender.verify(MAIL, await sender.perform(MAIL, at), at)

    assert (evidence.allowed, evidence.proven_by) == (True, "platform")
    assert "said: 250 OK id=" in evidence.detail
    assert "Whether it reached the mailbox, a mail server does not tell" in evidence.detail


async def test_the_conversation_is_noted_without_the_password(exim: Exim):
    at = context()

    receipt = await post(exim.url()).perform(MAIL, at)

    said = [(e.request.removeprefix("SMTP ").replace(str(exim.port), "PORT"), e.status) for e in receipt.exchanges]
    assert said == [
        ("CONNECT localhost:PORT", 220),
        ("EHLO", 250),
        ("STARTTLS", 220),
        ("EHLO", 250),
        ("AUTH as shop@example.com", 235),
        ("MAIL FROM:<shop@example.com>", 250),
        ("RCPT TO:<ada.example@example.com>", 250),
        ("DATA", 250),
    ]
    assert PASSWORD not in receipt.model_dump_json()
    assert at.secrets.mask(f"login {PASSWORD}") == "login •••"
    assert "AHNob3" not in at.secrets.mask(
        "AUTH PLAIN AHNob3BAZXhhbXBsZS5jb20AY29ycmVjdCBob3JzZS9iYXR0ZXJ5K3N0YXBsZQ=="
    )


async def test_a_mail_that_is_sent_again_has_the_same_message_id_and_the_same_bytes(exim: Exim):
    for _ in range(2):  # a run that is resumed asks a new post
        await post(exim.url()).perform(MAIL, context())

    first, second = exim.delivered()
    assert first["Message-ID"] == second["Message-ID"] == "<run-7-step-2@example.com>"
    assert first.get_payload(0).as_bytes() == second.get_payload(0).as_bytes()  # type: ignore[union-attr]


async def test_the_same_key_again_sends_nothing_again(exim: Exim):
    sender = post(exim.url())

    first = await sender.perform(MAIL, context())
    again = await sender.perform(MAIL, context(earlier=first))
    await sender.perform(MAIL, context(key="another"))

    assert (again.reference, again.proof) == (first.reference, first.proof)
    assert (again.detail, again.exchanges) == (f"“{MAIL.subject}” was handed in before, and is not sent again.", ())
    assert [mail["Message-ID"] for mail in exim.delivered()] == ["<run-7-step-2@example.com>", "<another@example.com>"]


async def test_a_mail_that_may_have_been_handed_in_before_is_sent_under_the_same_id_and_says_so(exim: Exim):
    sender = post(exim.url())
    unsure = context(is_again=True)

    receipt = await sender.perform(MAIL, unsure)
    evidence = await sender.verify(MAIL, receipt, unsure)

    assert receipt.reference == "<run-7-step-2@example.com>"
    assert evidence.detail.endswith("the server may have it twice, under the same Message-ID.")


async def test_a_check_logs_in_and_sends_nothing(exim: Exim):
    check = await post(exim.url()).check()

    assert (check.ok, check.detail) == (True, f"localhost:{exim.port} answers with TLS and takes the login.")
    assert exim.delivered() == []


async def test_tls_from_the_first_byte():
    with running_exim("localhost", tls_on_connect=True) as server:
        await post(server.url(scheme="smtps")).perform(MAIL, context())

        (mail,) = server.delivered()
        assert mail["Subject"] == MAIL.subject


WRONG: dict[str, tuple[Callable[[Exim], str], str, str]] = {
    "a wrong password": (lambda exim: exim.url(password="hunter22"), USER, "535 .*correct user and password"),
    "no login": (lambda exim: exim.url(user=""), USER, "AUTH required.*write user and password"),
    "no TLS": (lambda exim: exim.url(user="", options="tls=none"), USER, r"STARTTLS first.*take \?tls=none out"),
    "TLS too early": (lambda exim: exim.url(scheme="smtps"), USER, "does not speak TLS as WIZARD_SMTP_URL says"),
    "a certificate of another name": (
        lambda exim: exim.url().replace("localhost", "127.0.0.1"),
        USER,
        "certificate of 127.0.0.1:.* not to be trusted: .*127.0.0.1",
    ),
    "an authority nobody trusts": (lambda exim: exim.url().partition("?")[0], USER, "not to be trusted: .*issuer"),
    "a sender that is not ours": (lambda exim: exim.url(), "nobody@example.com", "550 .*set WIZARD_MAIL_FROM"),
    "no such file of certificates": (lambda exim: exim.url(options="ca=/nowhere.pem"), USER, "/nowhere.pem cannot be"),
}


@pytest.mark.parametrize("what", WRONG)
async def test_a_person_must_act_on(what: str, exim: Exim):
    url, sender, says = WRONG[what]

    with pytest.raises(ActionRequired, match=says) as required:
        await post(url(exim), sender).perform(MAIL, context())

    assert PASSWORD not in str(required.value)
    assert "hunter22" not in str(required.value)
    assert exim.delivered() == []


async def test_a_check_says_what_is_wrong(exim: Exim):
    check = await post(exim.url(password="hunter22")).check()

    assert not check.ok
    assert "correct user and password in WIZARD_SMTP_URL" in check.detail
    assert "hunter22" not in check.detail


async def test_a_recipient_whom_the_server_does_not_know_is_rejected(exim: Exim):
    with pytest.raises(Rejected, match=r"550 no such mailbox.*takes no mail for <gone@example\.com>"):
        await post(exim.url()).perform(MAIL, context(buyer=Buyer(email="gone@example.com")))


async def test_a_busy_server_is_tried_again(exim: Exim):
    with pytest.raises(Retriable, match="451 try again later"):
        await post(exim.url()).perform(MAIL, context(buyer=Buyer(email="busy@example.com")))


@pytest.mark.parametrize(
    "address",
    [
        "ada@example.com\nBcc: eve@example.com",
        "ada@example.com> SIZE=1",
        "ada",
        "a@example.com, b@example.com",
    ],
)
async def test_an_address_that_is_none_never_reaches_the_server(address: str, exim: Exim):
    with pytest.raises(Rejected, match="name another buyer"):
        await post(exim.url()).perform(MAIL, context(buyer=Buyer(email=address)))

    assert exim.delivered() == []


async def test_a_subject_of_two_lines_is_not_sent(exim: Exim):
    with pytest.raises(Rejected, match="line break"):
        await post(exim.url()).perform(MAIL.model_copy(update={"subject": "a\nBcc: eve@example.com"}), context())


# --- servers that break ----------------------------------------------------------------------------------------------

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(talk: Talk) -> AsyncIterator[str]:
    """A server of this test's own; gives its address."""

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(visit, "127.0.0.1", 0)
    try:
        yield f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}?tls=none"
    finally:
        server.close()


async def dies_after_data(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 here\r\n")
    while line := await reader.readline():
        if line == b".\r\n":
            return
        if line.startswith((b"EHLO", b"MAIL", b"RCPT")):
            writer.write(b"250 fine\r\n")
        elif line == b"DATA\r\n":
            writer.write(b"354 go on\r\n")


async def hangs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def speaks_no_smtp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 400 \x1b[31mBad Request\r\n\r\n<html>")


def answers(**replies: bytes) -> Talk:
    """A server without TLS that says yes to everything but what is named here."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            verb = line.split()[0].decode()
            fine = {"EHLO": b"250-here\r\n250 AUTH GSSAPI", "DATA": b"354 go on", "QUIT": b"221 bye"}
            writer.write((replies.get(verb) or fine.get(verb, b"250 fine")) + b"\r\n")

    return talk


async def offers_no_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 here\r\n")
    while line := await reader.readline():
        assert line.startswith((b"EHLO", b"QUIT")), line
        writer.write(b"250-here\r\n250 AUTH PLAIN\r\n")


async def test_a_server_that_dies_after_the_mail_may_have_taken_it():
    async with listening(dies_after_data) as url:
        with pytest.raises(Retriable, match="may have arrived"):
            await post(url).perform(MAIL, context())


async def test_a_server_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "LONGEST_WAIT", 0.2)
    async with listening(hangs) as url:
        with pytest.raises(Retriable, match=r"did not answer CONNECT .* within 0\.2 seconds") as given_up:
            await post(url).perform(MAIL, context())

    assert "may have arrived" not in str(given_up.value)


async def test_what_is_no_mail_server_is_said_harmlessly():
    async with listening(speaks_no_smtp) as url:
        with pytest.raises(ActionRequired, match=r"does not speak SMTP: .*“HTTP/1\.1 400 ‹U\+001B›\[31m") as wrong:
            await post(url).perform(MAIL, context())

    assert "\x1b" not in str(wrong.value)


async def test_nothing_is_said_without_tls_to_a_server_that_offers_none():
    async with listening(offers_no_tls) as url:
        bare = url.partition("?")[0].replace("//", "//ada:hunter22@")
        with pytest.raises(ActionRequired, match="offers no STARTTLS, and no mail goes without TLS"):
            await post(bare).perform(MAIL, context())


REFUSALS: dict[str, tuple[Talk, type[Exception], str]] = {
    "a mail for the bin": (answers(DATA=b"554 looks like spam"), Rejected, "DATA with “554 looks like spam”: it does"),
    "busy with the mail": (answers(DATA=b"452 disk is full"), Retriable, "452 disk is full"),
    "about to leave": (answers(MAIL=b"421 closing down"), Retriable, "421 closing down"),
    "wants a login": (answers(MAIL=b"530 5.7.0 who are you"), ActionRequired, "write user and password"),
    "speaks to nobody": (answers(EHLO=b"554 no service here"), ActionRequired, "check WIZARD_SMTP_URL"),
}


@pytest.mark.parametrize("what", REFUSALS)
async def test_a_refusal_says_who_must_do_what(what: str):
    talk, kind, says = REFUSALS[what]
    async with listening(talk) as url:
        with pytest.raises(kind, match=says):
            await post(url).perform(MAIL, context())


def notes(said: list[bytes], *, utf8: bool) -> Talk:
    """A server that says yes to everything and keeps what it was told."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            said.append(line.rstrip())
            offers = b"250-here\r\n250-8BITMIME\r\n250 SMTPUTF8" if utf8 else b"250 here"
            fine = {b"EHLO": offers, b"DATA": b"354 go on", b"QUIT": b"221 bye"}
            writer.write(fine.get(line.split()[0], b"250 fine") + b"\r\n")
            if line.startswith(b"DATA"):
                while (line := await reader.readline()) != b".\r\n":
                    said.append(line.rstrip())
                writer.write(b"250 taken\r\n")

    return talk


async def test_a_sender_with_a_name_is_shown_with_it():
    said: list[bytes] = []
    async with listening(notes(said, utf8=False)) as url:
        receipt = await post(url, "Yoga Schule Müller <shop@bücher.example>").perform(MAIL, context())

    assert b"EHLO xn--bcher-kva.example" in said
    assert b"MAIL FROM:<shop@xn--bcher-kva.example>" in said
    (shown,) = [line for line in said if line.startswith(b"From:")]
    name, address = parseaddr(shown.decode().removeprefix("From:"))
    assert (str(make_header(decode_header(name))), address) == ("Yoga Schule Müller", "shop@xn--bcher-kva.example")
    assert receipt.reference == "<run-7-step-2@xn--bcher-kva.example>"


async def test_a_buyer_in_other_letters_is_written_to_as_it_is_where_the_server_takes_that():
    said: list[bytes] = []
    async with listening(notes(said, utf8=True)) as url:
        await post(url).perform(MAIL, context(buyer=Buyer(email="jürgen@bücher.example", name="Jürgen")))

    assert b"MAIL FROM:<shop@example.com> SMTPUTF8" in said
    assert "RCPT TO:<jürgen@bücher.example>".encode() in said
    (to,) = [line for line in said if line.startswith(b"To:")]
    assert to.endswith(" <jürgen@bücher.example>".encode())


async def test_a_server_without_smtputf8_is_given_the_domain_as_the_dns_has_it():
    said: list[bytes] = []
    async with listening(notes(said, utf8=False)) as url:
        await post(url).perform(MAIL, context(buyer=Buyer(email="juergen@bücher.example", name="")))
        with pytest.raises(
            Rejected, match=r"offers no SMTPUTF8\), and “jürgen@bücher\.example” has others: name another"
        ):
            await post(url).perform(MAIL, context(buyer=Buyer(email="jürgen@bücher.example")))

    assert b"RCPT TO:<juergen@xn--bcher-kva.example>" in said
    assert b"To: juergen@xn--bcher-kva.example" in said
    assert sum(line.startswith(b"MAIL") for line in said) == 1


async def test_a_server_without_tls_on_this_machine_is_spoken_to_when_its_address_says_so():
    async with listening(answers()) as url:
        check = await post(url).check()

    assert check.ok
    assert check.detail.endswith("answers without TLS.")


async def test_nobody_there_is_retriable():
    async with listening(hangs) as url:
        pass
    with pytest.raises(Retriable, match="could not be reached"):
        await post(url).perform(MAIL, context())


def test_an_address_that_cannot_be_used_says_which_setting_is_wrong():
    with pytest.raises(ActionRequired, match=r"only for a server on this machine.*WIZARD_SMTP_URL"):
        post("smtp://mail.example.com?tls=none")


def test_the_library_is_not_loaded_before_the_first_mail():
    import subprocess
    import sys

    script = "import sys, wizard.delivery.post; print('aiosmtplib' in sys.modules)"
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout

    assert output == "False\n"
