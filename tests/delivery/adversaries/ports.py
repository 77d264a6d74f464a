"""The ports at which the adversaries stand: plain, and with each kind of certificate."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from tests.servers.certificates import Authority
from wizard.sandbox.faults import Fault
from wizard.sandbox.serving import listening_on

HOST = "localhost"

CERTIFIED = {
    Fault.WRONG_CERTIFICATE: ("https", "wrong"),
    Fault.EXPIRED_CERTIFICATE: ("https", "expired"),
    Fault.UNKNOWN_AUTHORITY: ("https", "unknown"),
    Fault.TLS_FOR_PLAIN: ("http", "good"),
    Fault.PLAIN_FOR_TLS: ("https", ""),
}
"""How an address begins, and which certificate stands at its port; none at a plain one."""

ELSE = ("http", "")


@dataclass(frozen=True)
class Ports:
    """Where each kind of port is, and the authority that clients are to trust."""

    authority: Path
    certificates: dict[str, tuple[Path, Path]]
    numbers: dict[str, int]

    def url(self, fault: Fault) -> str:
        """The address of the site under a fault."""
        scheme, certificate = CERTIFIED.get(fault, ELSE)
        return f"{scheme}://{HOST}:{self.numbers[certificate]}"

    def tls(self, fault: Fault) -> ssl.SSLContext | None:
        """What a server's port has under a fault."""
        _, certificate = CERTIFIED.get(fault, ELSE)
        if not certificate:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.certificates[certificate])
        return context

    def trusting(self) -> ssl.SSLContext:
        """What a client trusts: the authority, and nobody else."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.authority)
        return context


@contextmanager
def opened(app: ASGIApp, folder: Path) -> Iterator[Ports]:
    """Serve the site at all of them."""
    (folder / "others").mkdir()
    ours, others = Authority.in_folder(folder), Authority.in_folder(folder / "others")
    last_week = datetime.now(UTC) - timedelta(days=7)
    certificates = {
        "good": ours.certify(HOST),
        "wrong": ours.certify("other.example.com"),
        "expired": ours.certify("127.0.0.1", HOST, begins=last_week, ends=last_week + timedelta(days=1)),
        "unknown": others.certify(HOST),
    }
    with ExitStack() as open_ports:
        numbers = {"": open_ports.enter_context(_served(app))}
        for name, files in certificates.items():
            numbers[name] = open_ports.enter_context(_served(app, *files))
        yield Ports(ours.file, certificates, numbers)


@contextmanager
def _served(app: ASGIApp, certificate: Path | None = None, key: Path | None = None) -> Iterator[int]:
    taken = listening_on(0)
    more = {"ssl_certfile": certificate, "ssl_keyfile": key} if certificate else {}
    config = uvicorn.Config(app, log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=1, **more)  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([taken],))
    thread.start()
    try:
        yield taken.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        taken.close()
