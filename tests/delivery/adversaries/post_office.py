"""A mail server that a fault strikes, as far as a mail server can have it."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from wizard.sandbox import drills
from wizard.sandbox.faults import AT_THE_PORT, Fault

REFUSED_AT: dict[Fault, tuple[str, bytes]] = {
    Fault.SERVER_ERROR: ("DATA", b"451 4.3.0 something broke\r\n"),
    Fault.UNAUTHORIZED: ("MAIL", b"530 5.7.0 Authentication required\r\n"),
    Fault.FORBIDDEN: ("MAIL", b"553 5.7.1 not your address\r\n"),
    Fault.NOT_FOUND: ("RCPT", b"550 5.1.1 no such user\r\n"),
    Fault.GONE: ("DATA", b"554 5.6.0 no more of this\r\n"),
    Fault.TOO_MANY: ("RCPT", b"450 4.2.1 too many\r\n"),
    Fault.UNAVAILABLE: ("HELLO", b"421 4.3.2 closing for a while\r\n"),
    Fault.HTML: ("HELLO", b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/html\r\n\r\n<h1>Please log in</h1>\r\n"),
    Fault.UNKNOWN_CHARSET: ("QUIT", b"221 auf Wiedersehen, sch\xf6n\r\n"),
}
"""What is said in place of yes, and to which command; HELLO is what the server itself begins with."""

AT_FIRST: dict[Fault, tuple[int, bytes]] = {
    Fault.DOWN_THEN_BACK: (drills.DOWN, b"421 4.3.2 down for a moment\r\n"),
    Fault.RATE_LIMITED: (1, b"421 4.7.0 too many connections\r\n"),
}
"""How many connections are turned away, and with which words."""

KNOWN = frozenset({*REFUSED_AT, *AT_FIRST, *AT_THE_PORT}) | {
    Fault.SLOW, Fault.SILENCE, Fault.SLOW_DRIP, Fault.HUGE, Fault.DROPS_CONNECTION,
}  # fmt: skip
"""The faults that a mail server can have."""


class PostOffice:
    """Speaks SMTP (RFC 5321) as far as a client hands in one mail."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.tries: Counter[Fault] = Counter()
        self.mails = 0
        self.conversations: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One conversation."""
        task = asyncio.current_task()
        assert task is not None
        self.conversations.add(task)
        ends = (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError)
        with suppress(*ends):
            if await self._begins(reader, writer):
                while line := await reader.readline():
                    command = line[:4].decode("latin-1").upper().strip()
                    if self.fault is Fault.DROPS_CONNECTION and command == "RCPT":
                        break
                    await self._say(writer, await self._reply(command, reader, writer))
                    if command == "QUIT":
                        break
        writer.transport.abort()

    async def _begins(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether there is a conversation at all."""
        self.tries[self.fault] += 1
        turned_away, words = AT_FIRST.get(self.fault, (0, b""))
        if self.tries[self.fault] <= turned_away:
            await self._say(writer, words)
            return False
        match self.fault:
            case Fault.SILENCE:
                await reader.read()
            case Fault.SLOW_DRIP:
                while not reader.at_eof():
                    await self._say(writer, b"2")
                    with suppress(TimeoutError):
                        await asyncio.wait_for(reader.read(1), drills.DRIP)
            case Fault.HUGE:
                for _ in range(drills.HUGE // 1000):
                    await self._say(writer, b"220-" + b"x" * 994 + b"\r\n")
            case _:
                await self._say(writer, self._words("HELLO", b"220 mail.example.com\r\n"))
                return True
        return False

    async def _reply(self, command: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        if self.fault is Fault.SLOW:
            await asyncio.sleep(drills.SLOW)
        if command == "EHLO":
            return b"250-mail.example.com\r\n250 SMTPUTF8\r\n"
        if command == "DATA":
            await self._say(writer, b"354 go on\r\n")
            await reader.readuntil(b"\r\n.\r\n")
            self.mails += 1
        return self._words(command, b"250 fine\r\n")

    def _words(self, command: str, good: bytes) -> bytes:
        at, words = REFUSED_AT.get(self.fault, ("", b""))
        return words if at == command else good

    async def _say(self, writer: asyncio.StreamWriter, words: bytes) -> None:
        writer.write(words)
        await writer.drain()


@asynccontextmanager
async def post_office(fault: Fault, tls: ssl.SSLContext | None) -> AsyncIterator[tuple[PostOffice, int]]:
    """The server at work, and its port."""
    office = PostOffice(fault)
    server = await asyncio.start_server(office.serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield office, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for conversation in office.conversations:
            conversation.cancel()
        await asyncio.gather(*office.conversations, return_exceptions=True)
