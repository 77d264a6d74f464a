"""A way out for tests: to hosts of their own names, which are all on this machine; and what servers there say."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.listening import Answer, reply
from wizard.delivery.outgoing import GuardedTransport

SITE = "members.example.com"


def always(*addresses: str) -> Callable[[str], Any]:
    async def resolve(host: str) -> list[str]:
        return list(addresses)

    return resolve


def guarded(*hosts: str, address: str = "127.0.0.1", **more: Any) -> httpx.AsyncClient:
    usual: dict[str, Any] = {"allow_private": True, "resolve": always(address)}
    return httpx.AsyncClient(transport=GuardedTransport(hosts or (SITE,), **(usual | more)), trust_env=False)


def says(body: bytes = b"ok", **more: Any) -> Answer:
    async def answer(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(reply(body, **more))

    return answer


class Heard:
    """A server's memory of what it was asked."""

    def __init__(self) -> None:
        self.heads: list[str] = []
        self.in_lower_case = True

    async def __call__(self, head: bytes, writer: asyncio.StreamWriter) -> None:
        self.heads.append(head.decode().lower() if self.in_lower_case else head.decode())
        writer.write(reply())


def certificate(folder: Path, *names: str) -> ssl.SSLContext:
    """A server's side for a certificate of these names, which is its own authority in `names[0].pem`."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.now(UTC)
    alternatives = [
        x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name) for name in names
    ]
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / f"{names[0]}.pem", folder / f"{names[0]}.key"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return context


def trusting(folder: Path, made: list[ssl.SSLContext]) -> Callable[[], ssl.SSLContext]:
    def tls() -> ssl.SSLContext:
        context = ssl.create_default_context()
        for path in folder.glob("*.pem"):
            context.load_verify_locations(path)
        made.append(context)
        return context

    return tls
