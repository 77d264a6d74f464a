"""The sandbox served over real HTTP on loopback, in a thread of the test."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.applications import Starlette

from wizard.sandbox.serving import LOOPBACK, Server, listening_on


@contextmanager
def served(app: Starlette) -> Iterator[str]:
    """Serve an application on a port that is free; give its address."""
    ready = threading.Event()
    with listening_on(0) as listening:
        home = f"http://{LOOPBACK}:{listening.getsockname()[1]}"
        server = Server(app, ready.set)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            assert ready.wait(10)
            with app.state.world.served_at(home):
                yield home
        finally:
            server.should_exit = True
            thread.join()
