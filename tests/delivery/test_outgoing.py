"""What leaves this machine goes to hosts that the seller named, at addresses that were judged, and nowhere else."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from pathlib import Path

import httpx
import pytest

from models.account import Connection
from tests.support.guarded import SITE, Heard, always, certificate, guarded, says, trusting
from tests.support.listening import saying
from wizard.delivery.browser import Browser
from wizard.delivery.errors import ActionRequired, Rejected
from wizard.delivery.outgoing import hosts_of, outgoing
from wizard.delivery.public import is_public

INSIDE = [
    "127.0.0.1", "127.8.8.8", "10.0.0.5", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.5", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
async def test_an_address_inside_this_machine_or_its_network_is_refused_with_a_way_out(address: str):
    async with guarded(address=address, allow_private=False) as client:
        with pytest.raises(ActionRequired) as refused:
            await client.get(f"http://{SITE}/")

    assert str(refused.value) == (
        f"Nothing was sent to {SITE}: it has the address {address}, which is inside this machine or its network. "
        "If that is meant, set allow_private_hosts (WIZARD_ALLOW_PRIVATE_HOSTS=true)."
    )


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:93.184.215.14"])
def test_an_address_of_the_internet_is_fine(address: str):
    assert is_public(address)


async def test_one_bad_address_among_good_ones_is_enough():
    async with guarded(resolve=always("93.184.215.14", "10.0.0.5"), allow_private=False) as client:
        with pytest.raises(ActionRequired, match=r"10\.0\.0\.5"):
            await client.get(f"http://{SITE}/")


async def test_a_host_that_the_seller_did_not_name_is_refused_before_it_is_looked_up():
    async def never(host: str) -> list[str]:
        raise AssertionError(host)

    async with guarded(resolve=never) as client:
        with pytest.raises(ActionRequired, match=r"Nothing was sent to evil\.example: it stands in none of your"):
            await client.get("http://evil.example/")


async def test_a_redirect_that_is_followed_is_judged_like_any_request():
    moved = says(status="302 Found", headers="location: http://evil.example/\r\n")
    async with saying(moved) as port, guarded() as client:
        with pytest.raises(ActionRequired, match=r"evil\.example"):
            await client.get(f"http://{SITE}:{port}/", follow_redirects=True)


async def test_a_redirect_within_named_hosts_to_an_inner_address_is_refused():
    async def resolve(host: str) -> list[str]:
        return ["127.0.0.1"] if host == SITE else ["10.0.0.5"]

    heard = Heard()
    async with saying(heard), guarded(SITE, "other.example", resolve=resolve, allow_private=False) as client:
        with pytest.raises(ActionRequired, match=r"10\.0\.0\.5"):
            await client.get("http://other.example/")
    assert heard.heads == []


async def test_the_connection_goes_to_the_address_that_was_judged_under_the_hosts_own_name():
    looked_up: list[str] = []

    async def rebinding(host: str) -> list[str]:
        looked_up.append(host)
        return ["127.0.0.1"] if len(looked_up) == 1 else ["10.255.255.1"]

    heard = Heard()
    async with saying(heard) as port, guarded(resolve=rebinding) as client:
        answer = await client.get(f"http://{SITE}:{port}/page?a=1")

    assert (answer.status_code, str(answer.url)) == (200, f"http://{SITE}:{port}/page?a=1")
    assert looked_up == [SITE]
    assert heard.heads[0].startswith("get /page?a=1 http/1.1")
    assert f"host: {SITE}:{port}\r\n" in heard.heads[0]


async def test_where_the_first_address_does_not_answer_the_next_one_is_tried():
    heard = Heard()
    async with saying(heard) as port, guarded(resolve=always("127.0.0.9", "127.0.0.1")) as client:
        answer = await client.post(f"http://{SITE}:{port}/", content=b"whole")

    assert answer.status_code == 200
    assert len(heard.heads) == 1


async def test_every_request_says_that_it_is_a_simulation_and_none_goes_through_a_proxy(
    monkeypatch: pytest.MonkeyPatch,
):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    heard = Heard()
    async with saying(heard) as port:
        mine = Connection.model_validate(
            {"slug": "a", "name": "A", "kind": "webhook", "url": f"http://127.0.0.1:{port}"}
        )
        async with outgoing(hosts_of(mine), allow_private=True) as way_out:
            await way_out.client().get(f"http://127.0.0.1:{port}/")
            await way_out.browser().open(f"http://127.0.0.1:{port}/")

    assert len(heard.heads) == 2
    for head in heard.heads:
        assert "wizard-simulation: 1\r\n" in head
        assert "user-agent: product-wizard\r\n" in head


async def test_a_reply_without_end_is_cut_off_by_its_size():
    async def for_ever(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async with saying(for_ever) as port, guarded(largest=1_000_000) as client:
        with pytest.raises(Rejected, match=f"{SITE} sent more than 1,000,000 bytes"):
            await client.get(f"http://{SITE}:{port}/")


async def test_a_reply_that_drips_is_cut_off_by_its_time():
    async def drip(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with saying(drip) as port, guarded(longest=0.3) as client:
        with pytest.raises(httpx.ReadTimeout, match=r"not there within 0\.3 seconds"):
            await client.get(f"http://{SITE}:{port}/")


async def test_a_server_that_never_answers_is_given_up():
    async def hang(head: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    async with saying(hang) as port, guarded(longest=0.3) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.get(f"http://{SITE}:{port}/")


async def test_a_reply_that_would_swell_is_cut_off_by_its_size():
    bomb = gzip.compress(bytes(50_000_000))
    async with saying(says(bomb, headers="content-encoding: gzip\r\n")) as port, guarded() as client:
        with pytest.raises(Rejected, match=f"{SITE} sent more than 4,000,000 bytes: the rest was not read"):
            await client.get(f"http://{SITE}:{port}/")


async def test_a_host_that_nobody_knows_is_told():
    async def unknown(host: str) -> list[str]:
        raise OSError("no such host")

    async with guarded(resolve=unknown) as client:
        with pytest.raises(httpx.ConnectError, match=f"the host {SITE} cannot be found"):
            await client.get(f"http://{SITE}/")


def test_every_address_of_a_connection_names_a_host_in_one_spelling():
    connections = [
        Connection.model_validate({"slug": "a", "name": "A", "kind": "wordpress", "url": "https://A.example.com/x",
                                   "proof_url": "https://b.example.com:8443/y"}),
        Connection.model_validate({"slug": "c", "name": "C", "kind": "dap", "login_url": "https://c.example.com",
                                   "notification_url": "https://bücher.example"}),
        Connection.model_validate({"slug": "d", "name": "D", "kind": "s2member",
                                   "integration_url": "https://[2606:4700::1]/z"}),
    ]  # fmt: skip

    assert hosts_of(*connections) == {
        "a.example.com", "b.example.com", "c.example.com", "xn--bcher-kva.example", "2606:4700::1",
    }  # fmt: skip


# --- TLS -------------------------------------------------------------------------------------------------------------


async def test_a_certificate_is_checked_against_the_name_and_not_the_address(tmp_path: Path):
    good, made = certificate(tmp_path, SITE), list[ssl.SSLContext]()
    async with saying(Heard(), good) as port, guarded(SITE, "other.example", tls=trusting(tmp_path, made)) as client:
        assert (await client.get(f"https://{SITE}:{port}/")).status_code == 200
        with pytest.raises(ActionRequired, match="its certificate is for another name"):
            await client.get(f"https://other.example:{port}/")

    assert len(made) == 1


async def test_two_names_on_one_address_are_asked_for_by_their_own_names(tmp_path: Path):
    ours, theirs = certificate(tmp_path, SITE), certificate(tmp_path, "other.example")
    asked: list[str | None] = []

    def choose(connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, context: ssl.SSLContext) -> None:
        asked.append(name)
        if name == "other.example":
            connection.context = theirs

    ours.sni_callback = choose

    async def keep_open(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        await writer.drain()
        await asyncio.sleep(5)

    async with (
        saying(keep_open, ours) as port,
        guarded(SITE, "other.example", tls=trusting(tmp_path, [])) as client,
    ):
        assert (await client.get(f"https://{SITE}:{port}/")).status_code == 200
        assert (await client.get(f"https://other.example:{port}/")).status_code == 200

    assert asked == [SITE, "other.example"]


async def test_a_name_that_is_an_address_needs_a_certificate_for_it(tmp_path: Path):
    good = certificate(tmp_path, "127.0.0.1")
    async with saying(Heard(), good) as port, guarded("127.0.0.1", tls=trusting(tmp_path, [])) as client:
        assert (await client.get(f"https://127.0.0.1:{port}/")).status_code == 200


@pytest.mark.parametrize(
    ("location", "kind", "comes_to"),
    [
        ("http://[bad", "text/html", "redirects to “http://[bad”, which is no web address."),
        ("/fine", "text/html; charset=klingon", "Grüße"),
    ],
)
async def test_a_site_that_redirects_to_nonsense_or_names_a_false_encoding_crashes_nobody(
    location: str, kind: str, comes_to: str
):
    async def nonsense(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/fine":
            return httpx.Response(200, headers={"content-type": kind}, content="<p>Grüße</p>".encode())
        return httpx.Response(302, headers={"location": location})

    browser = Browser(httpx.MockTransport(nonsense))

    try:
        seen = (await browser.open("http://shop.example.com/")).text
    except Rejected as error:
        seen = str(error)

    assert comes_to in seen
