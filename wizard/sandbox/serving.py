"""Serves the sandbox of a data folder to browsers on this machine, and to nobody else."""

from __future__ import annotations

import errno
import signal
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from wizard.sandbox import CannotServe
from wizard.sandbox.app import sandbox_app
from wizard.sandbox.world import ToldOfRun, Unusable, World

LOOPBACK = "127.0.0.1"

GOODBYE = 2
"""Seconds that a running answer is given when the server ends."""


class Server(uvicorn.Server):
    """Says when it answers. It writes no line for each request: addresses hold the tokens of links."""

    def __init__(self, app: Starlette, on_ready: Callable[[], None] = lambda: None) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                access_log=False,
                log_config=None,
                lifespan="off",
                proxy_headers=False,  # else a visitor could say who they are, and try passwords as somebody else
                server_header=False,
                timeout_graceful_shutdown=GOODBYE,
            )
        )
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See `uvicorn.Server`."""
        await super().startup(sockets)
        self._on_ready()


def listening_on(port: int) -> socket.socket:
    """A socket on loopback; port 0 takes any that is free. Raises CannotServe."""
    try:
        listening = socket.create_server((LOOPBACK, port))
        # Its connections inherit this. asyncio sees to it for sockets of its own making only, and without it the second
        # half of many a reply waits 40 ms for the first to be acknowledged.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening
    except OSError as error:
        match error.errno:
            case errno.EADDRINUSE:
                why = "is taken: is a sandbox being served already?"
            case errno.EACCES | errno.EPERM:
                why = "is not open to you."
            case _:
                why = f"cannot be used ({error.strerror})."
        raise CannotServe(f"Port {port} {why} Choose another with --port, or any that is free: --port 0.") from error


def serve(
    folder: Path,
    port: int,
    on_ready: Callable[[str], None],
    told_of_runs: Callable[[], Mapping[str, ToldOfRun]] = dict,
) -> None:
    """Serve until Ctrl+C (KeyboardInterrupt), SIGTERM or SIGHUP (SystemExit 143, 129); `on_ready` is told the address,
    and `told_of_runs` asked what the seller's records say of the newest runs.

    Raises CannotServe.
    """
    # The server ends well on both signals and then raises them again: as an exception this one, too, lets go of all.
    # So does a terminal that is closed: the sandbox's address must not stay behind.
    ends = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda number, _: exit_after(number)) for number in ends}
    try:
        with listening_on(port) as listening:
            world = World(folder)
            world.told_of_runs = told_of_runs
            try:
                home = f"http://{LOOPBACK}:{listening.getsockname()[1]}"
                with world.served_at(home):
                    Server(sandbox_app(world), lambda: on_ready(home)).run(sockets=[listening])
            finally:
                world.close()
    except Unusable as error:
        raise CannotServe(str(error)) from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def exit_after(number: int) -> None:
    """Leave with the status that shells expect after a signal."""
    raise SystemExit(128 + number)
