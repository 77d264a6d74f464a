"""The post: mails of a test-fire go out through a real mail server (SMTP: RFC 5321, RFC 6409 for handing in).

No mail goes without TLS, unless the server is on this machine and its address says `?tls=none`, and no password ever
does. What becomes of a mail after the server took it, a mail server cannot be asked.
"""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, NoReturn

from pydantic import SecretStr

from models.addresses import in_ascii
from models.characters import quoted, visible
from models.fulfillment import Evidence, Exchange, Receipt, SendEmail
from models.text import is_email
from wizard.delivery.backend import Check, Context
from wizard.delivery.errors import ActionRequired, BackendError, Rejected, Retriable
from wizard.delivery.secrecy import Secrets
from wizard.delivery.unreached import does_speak_tls
from wizard.mail.address import sender_of, smtp_address
from wizard.mail.mime import message
from wizard.mail.templates import Mail, NotOneLine, one_line

if TYPE_CHECKING:  # loaded with the first mail: most sessions send none
    from aiosmtplib import SMTP, SMTPResponse

LONGEST_WAIT = 10.0
"""Seconds for one reply. A run gives a whole try 30."""

WANTS_A_LOGIN = re.compile(r"auth\w* (is )?required", re.IGNORECASE)
"""RFC 4954, 6, has the code 530 for it; Exim and others say it in words behind another one."""

PERHAPS_TWICE = (
    " The run was stopped while this mail was handed in: the server may have it twice, under the same Message-ID."
)

GREETING = 1.0
"""Seconds after which a server that has not greeted is asked whether it waits for TLS."""

BETWEEN_SERVERS = 25
"""The port at which servers pass mail on to each other (RFC 5321); mail is handed in at others."""

NO_SMTP = ("Malformed SMTP response", "Response too long")
"""How the library begins what it says of a server that speaks something else."""

WORDS = 60
"""Characters that are quoted of such an answer."""

KEPT = 300
"""Characters of a reply that are kept: a server may answer with a whole page."""


class SmtpPost:
    """Hands mails to a mail server. One connection for each mail: a test-fire sends few of them."""

    def __init__(self, url: SecretStr, sender: str) -> None:
        """`sender` is the shop's e-mail address, alone or with a name: `My Shop <shop@example.com>`.

        Raises ActionRequired when the server's address or the sender cannot be used.
        """
        try:
            self._server = smtp_address(url.get_secret_value())
        except ValueError as error:
            raise ActionRequired(f"The address of the mail server is wrong: {error}. Set WIZARD_SMTP_URL.") from None
        try:
            self._sender = sender_of(sender)
        except ValueError as error:
            told = f"The sender of mails is wrong: {str(error).rstrip('.')}. Set WIZARD_MAIL_FROM."
            raise ActionRequired(visible(told, "")) from None
        # What is only a name to the world is in the DNS's own letters: any server takes it.
        domain = in_ascii(self._sender.address).rpartition("@")[2]
        self._domain = domain if domain.isascii() else "localhost"
        self._name = f"{self._server.host}:{self._server.port}"
        self._tls: ssl.SSLContext | None = None

    async def check(self) -> Check:
        """Connect, with TLS and the login, and leave: nothing is sent."""
        try:
            async with self._connected(Secrets()):
                pass
        except BackendError as error:
            return Check(False, str(error))
        how = "without TLS" if self._server.tls == "none" else "with TLS"
        return Check(True, f"{self._name} answers {how}{' and takes the login' if self._server.user else ''}.")

    async def perform(self, action: SendEmail, context: Context) -> Receipt:
        """Hand a mail in. The receipt's reference is its Message-ID, which is the same on every try."""
        if context.earlier is not None:
            told = f"“{visible(action.subject, '')}” was handed in before, and is not sent again."
            return context.earlier.model_copy(update={"detail": told, "exchanges": ()})
        message_id = f"<{context.key}@{self._domain}>"
        self._letter(action, context, message_id)  # what cannot be sent is said before anybody is asked
        async with self._connected(context.secrets) as conversation:
            takes_all = conversation.takes_letters_of_all_scripts
            sender = self._spelled(
                self._sender.address, takes_all, ActionRequired, "set WIZARD_MAIL_FROM to another sender"
            )
            to = self._spelled(context.buyer.email, takes_all, Rejected, "name another buyer")
            letter = self._letter(action, context, message_id, sender, to)
            reply = await conversation.hand_in(sender, to, letter)
        detail = f"“{visible(action.subject, '')}” was handed to {self._name}, which said: {reply}"
        return Receipt(
            reference=message_id,
            detail=f"{detail}{PERHAPS_TWICE if context.is_again else ''}",
            proof={self._name: reply, **({"twice": PERHAPS_TWICE} if context.is_again else {})},
            exchanges=tuple(conversation.exchanges),
        )

    async def verify(self, action: SendEmail, receipt: Receipt, context: Context) -> Evidence:
        """Say what is known: the server's own word that it took the mail."""
        reply = receipt.proof.get(self._name)
        if reply is None:
            before = (
                f"“{visible(action.subject, '')}” was delivered before this mail server was set, and not sent again."
            )
            return Evidence(allowed=True, proven_by="nobody", detail=before)
        took = f"{self._name} took “{visible(action.subject, '')}” for {context.buyer.email} and said: {reply}"
        return Evidence(
            allowed=True,
            proven_by="platform",
            detail=f"{took}. Whether it reached the mailbox, a mail server does not tell."
            f"{receipt.proof.get('twice', '')}",
            facts={"message_id": receipt.reference, "server": self._name, "reply": reply},
        )

    def _spelled(self, address: str, takes_all: bool, error: type[BackendError], way: str) -> str:
        """The address as this server takes it: as it is where it offers SMTPUTF8, else with the DNS's form of its
        domain."""
        spelled = address if takes_all else in_ascii(address)
        if not takes_all and not spelled.isascii():
            told = f"{self._name} takes only plain letters before the @ (it offers no SMTPUTF8)"
            raise error(f"{told}, and “{visible(address, '')}” has others: {way}.")
        return spelled

    def _letter(self, action: SendEmail, context: Context, message_id: str, sender: str = "", to: str = "") -> bytes:
        """The mail, with the addresses as they are spelled for this server."""
        to, sender = to or context.buyer.email, sender or self._sender.address
        try:
            is_email(context.buyer.email)
        except ValueError:
            refused = f"“{visible(context.buyer.email, '')}” is no e-mail address: name another buyer."
            raise Rejected(refused) from None
        one_line(to, "the address")
        # Headers are written in ASCII. An address in other letters takes its place afterwards, as RFC 6532 has it.
        stand_ins = {each: f"{at}.stands.in@invalid" for at, each in enumerate((sender, to)) if not each.isascii()}
        try:
            letter = message(
                Mail(action.subject, action.body),
                sender=stand_ins.get(sender, sender),
                sender_name=visible(self._sender.name, ""),
                to=stand_ins.get(to, to),
                name=visible(context.buyer.name, ""),
                message_id=message_id,
                at=context.now(),
            )
        except NotOneLine as error:
            raise Rejected(f"The mail was not sent: {error}.", f"post_sale.notifications.{action.target}") from None
        content = letter.as_bytes()
        for address, stand_in in stand_ins.items():
            content = content.replace(stand_in.encode(), address.encode(), 1)
        return content

    @asynccontextmanager
    async def _connected(self, secrets: Secrets) -> AsyncIterator[Conversation]:
        """A conversation past TLS and login. Raises BackendError; what it tells holds no password."""
        from aiosmtplib import SMTP

        server = self._server
        self._teach(secrets)
        client = SMTP(
            hostname=server.host,
            port=server.port,
            # The name of this machine is nobody's business.
            local_hostname=self._domain,
            use_tls=server.tls == "implicit",
            start_tls=False,
            tls_context=await self._context(),
            timeout=LONGEST_WAIT,
        )
        conversation = Conversation(client, self._name, secrets)
        try:
            await conversation.open(start_tls=server.tls == "starttls")
            if server.user is not None:
                await conversation.log_in(server.user, server.password)
            yield conversation
            # The mail is with the server by now: how it says goodbye changes nothing.
            with suppress(Exception):
                await client.execute_command(b"QUIT")
        finally:
            transport = client.transport
            client.close()
            if isinstance(transport, asyncio.Transport):
                transport.abort()  # closed over TLS it would wait for the other side to agree
            await asyncio.sleep(0)

    def _teach(self, secrets: Secrets) -> None:
        """The password, as it is and as AUTH PLAIN and AUTH LOGIN (RFC 4616) put it on the wire."""
        user, password = self._server.user or "", self._server.password
        if password:
            wired = (password, f"\0{user}\0{password}")
            secrets.learn(password, *(base64.b64encode(text.encode()).decode() for text in wired))

    async def _context(self) -> ssl.SSLContext | None:
        """What certificates are checked with: made once, since reading the system's takes 20 ms."""
        if self._tls is None and self._server.tls != "none":
            context = await asyncio.to_thread(ssl.create_default_context)
            if self._server.ca is not None:
                try:
                    await asyncio.to_thread(context.load_verify_locations, self._server.ca)
                except OSError as error:  # ssl's own errors are among them
                    why = error.strerror or "it holds no certificate"
                    raise ActionRequired(f"The certificates of {self._server.ca} cannot be read: {why}.") from None
            self._tls = context
        return self._tls


class Conversation:
    """What is said to a mail server and what it answers, noted in short; its refusals become errors with a way out."""

    def __init__(self, client: SMTP, name: str, secrets: Secrets) -> None:
        self._client, self._name, self._secrets = client, name, secrets
        self.exchanges: list[Exchange] = []

    async def open(self, *, start_tls: bool) -> None:
        """Connect, and go over to TLS. Nothing is said without it to a server that does not offer it."""
        await self._say(f"CONNECT {self._name}", self._greeted())
        await self._say("EHLO", self._client.ehlo())
        if start_tls:
            if not self._client.supports_extension("starttls"):
                raise ActionRequired(
                    f"{self._name} offers no STARTTLS, and no mail goes without TLS. Set WIZARD_SMTP_URL to its port "
                    "with TLS, such as smtp://…:587 or smtps://…:465."
                )
            await self._say("STARTTLS", self._client.starttls())
            await self._say("EHLO", self._client.ehlo())

    async def _greeted(self) -> SMTPResponse:
        """Connect, and wait for the server's greeting. Who says nothing may wait for TLS, and would do so for ever."""
        connecting = asyncio.ensure_future(self._client.connect())
        try:
            await asyncio.wait([connecting], timeout=GREETING)
            # Between servers (port 25) whoever speaks before the greeting is taken for a spammer.
            is_mute = not connecting.done() and not self._client.use_tls and self._client.port != BETWEEN_SERVERS
            if is_mute and await does_speak_tls(str(self._client.hostname), self._client.port or 0):
                raise ActionRequired(
                    f"{self._name} speaks TLS from the first byte: write smtps:// in place of smtp:// in "
                    "WIZARD_SMTP_URL."
                )
            return await connecting
        finally:
            connecting.cancel()

    async def log_in(self, user: str, password: str) -> None:
        """Log in by whichever way the server offers; of the password nothing is noted."""
        if not self._client.supported_auth_methods:
            raise ActionRequired(
                f"{self._name} offers no login with a password: take user and password out of WIZARD_SMTP_URL."
            )
        await self._say(f"AUTH as {user}", self._client.login(user, password))

    @property
    def takes_letters_of_all_scripts(self) -> bool:
        """Whether the server takes addresses in any script (SMTPUTF8, RFC 6531)."""
        return self._client.supports_extension("smtputf8")

    async def hand_in(self, sender: str, to: str, letter: bytes) -> str:
        """Hand a mail in; give back the server's words."""
        options = [] if sender.isascii() and to.isascii() else ["SMTPUTF8"]
        await self._say(f"MAIL FROM:<{sender}>", self._client.mail(sender, options=options, encoding="utf-8"))
        await self._say(f"RCPT TO:<{to}>", self._client.rcpt(to, encoding="utf-8"))
        return await self._say("DATA", self._client.data(letter), sent=f"{len(letter)} bytes")

    async def _say(self, what: str, saying: Awaitable[SMTPResponse], sent: str = "") -> str:
        from aiosmtplib import SMTPException

        began = time.perf_counter()
        try:
            code, said = await saying
        except (SMTPException, OSError, ValueError) as error:  # ssl's errors are OSErrors
            self._fail(what, error)
        ms = round((time.perf_counter() - began) * 1000, 1)
        said = self._short(said)
        self.exchanges.append(Exchange(request=f"SMTP {what}", sent=sent, status=code, received=said, ms=ms))
        return f"{code} {said}"

    def _fail(self, what: str, error: Exception) -> NoReturn:
        """Turn what went wrong into an error that says who must do what."""
        from aiosmtplib import SMTPResponseException, SMTPTimeoutError

        cause = error if isinstance(error, ssl.SSLError) else error.__cause__
        if isinstance(cause, ssl.SSLCertVerificationError):
            why = self._short(cause.verify_message or str(cause))
            raise ActionRequired(
                f"The certificate of {self._name} is not to be trusted: {why}. Write the host as its certificate names "
                "it, or name the authority's file with ?ca=/path in WIZARD_SMTP_URL."
            ) from error
        if isinstance(cause, ssl.SSLError):
            raise ActionRequired(
                f"{self._name} does not speak TLS as WIZARD_SMTP_URL says: smtp:// is for STARTTLS (port 587), "
                "smtps:// for TLS from the first byte (port 465)."
            ) from error
        if isinstance(error, SMTPResponseException) and error.code > 0:
            self._refused(what, error.code, f"{error.code} {self._short(error.message)}")
        perhaps = "" if what != "DATA" else " The mail may have arrived all the same: it goes by the same Message-ID."
        if isinstance(error, SMTPTimeoutError):
            raise Retriable(
                f"{self._name} did not answer {what} within {LONGEST_WAIT:g} seconds.{perhaps}", place=self._name
            ) from error
        why = self._short(str(getattr(error, "message", error))).rstrip(".")
        if isinstance(error, SMTPResponseException) and why.startswith(NO_SMTP):
            said = quoted(why.partition(": ")[2], WORDS) or why
            raise ActionRequired(
                f"{self._name} does not speak SMTP: it answered with “{said}”. Write the address of your mail server "
                "into WIZARD_SMTP_URL."
            ) from error
        raise Retriable(f"{self._name} could not be reached or broke off: {why}.{perhaps}", place=self._name) from error

    def _refused(self, what: str, code: int, reply: str) -> NoReturn:
        verb = what.partition(":")[0]
        told = f"{self._name} answered {verb} with “{reply}”"
        if 400 <= code < 500:
            raise Retriable(f"{told}.", place=self._name)
        if what != "STARTTLS" and "starttls" in reply.lower():
            raise ActionRequired(f"{told}: take ?tls=none out of WIZARD_SMTP_URL.")
        if what.startswith("AUTH"):
            raise ActionRequired(f"{told}: correct user and password in WIZARD_SMTP_URL.")
        if code == 530 or WANTS_A_LOGIN.search(reply):
            raise ActionRequired(f"{told}: it wants a login, write user and password into WIZARD_SMTP_URL.")
        if what.startswith("MAIL"):
            raise ActionRequired(f"{told}: set WIZARD_MAIL_FROM to an address that it sends for.")
        if what.startswith("RCPT"):
            raise Rejected(f"{told}: it takes no mail for {what.partition(':')[2]}.")
        if what == "DATA":
            raise Rejected(f"{told}: it does not take this mail.")
        raise ActionRequired(f"{told}: check WIZARD_SMTP_URL.")

    def _short(self, text: str) -> str:
        """A reply as it can be shown and kept: on one line, harmless, without a secret."""
        return quoted(self._secrets.mask(text), KEPT)
