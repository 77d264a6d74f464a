"""Small servers on loopback for tests: a web application, and a server that says exactly what a test tells it to."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp

from wizard.sandbox.serving import listening_on

Answer = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """Serve an application, in a thread of its own; its address."""
    taken = listening_on(0)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, args=([taken],))
    thread.start()
    try:
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        taken.close()
        assert not thread.is_alive()


@asynccontextmanager
async def saying(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server that reads the head of a request and answers as told; its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(await reader.readuntil(b"\r\n\r\n"), writer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def reply(body: bytes = b"ok", *, status: str = "200 OK", kind: str = "text/plain", headers: str = "") -> bytes:
    """A whole reply on the wire."""
    about = f"content-type: {kind}\r\ncontent-length: {len(body)}\r\n{headers}connection: close\r\n"
    return f"HTTP/1.1 {status}\r\n{about}\r\n".encode() + body
