"""Why nobody was reached, in words: what will not pass by itself is told at once, with what to do about it."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress

import httpx

from wizard.delivery.errors import ActionRequired

NOT_KNOWN = (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))
"""What a name server says of a host that there is not. `EAI_AGAIN` is a name server that cannot be reached."""

ENDED = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLWantReadError, ssl.SSLSyscallError)
"""Errors of TLS that are a connection which broke off, and no more."""

PLAIN = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL")
"""How OpenSSL calls an answer that is none of TLS."""

WANTS_A_CERTIFICATE = ("CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE_ON_CERTIFICATE", "NO_CERTIFICATE")
"""How OpenSSL calls the refusal of a caller who shows no certificate (RFC 8446, 6.2)."""

GLANCE = 1.0
"""Seconds for another look at who is there."""

# As OpenSSL numbers them (x509_vfy.h).
NOT_YET, EXPIRED, SELF_SIGNED, OTHER_NAME, OTHER_ADDRESS = 9, 10, 18, 62, 64


def lasting(error: Exception, url: httpx.URL) -> ActionRequired | None:
    """What a person must do after this error of a connection; None for one that may pass by itself."""
    host = url.raw_host.decode()
    for cause in _causes(error):
        match cause:
            case ssl.SSLCertVerificationError():
                return ActionRequired(_untrusted(host, cause))
            case ssl.SSLError() if not isinstance(cause, ENDED):
                return ActionRequired(_not_encrypted(url, cause.reason or ""))
            case socket.gaierror() if cause.errno in NOT_KNOWN:
                return ActionRequired(f"There is no host {host}: check how its name is written.")
            case UnicodeError():
                return ActionRequired(f"“{host}” cannot be the name of a host: check how it is written.")
    return None


def speaks_tls(url: httpx.URL) -> ActionRequired:
    """The error for http:// at a port that speaks TLS."""
    return ActionRequired(f"{_place(url)} speaks TLS and nothing else: write https:// in place of http://.")


async def does_speak_tls(address: str, port: int) -> bool:
    """Whether somebody at an address, who hung up on plain HTTP or called it a bad request, speaks TLS. Trusts nobody
    and says nothing there."""
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):  # ssl's errors are OSErrors
        async with asyncio.timeout(GLANCE):
            _, writer = await asyncio.open_connection(address, port, ssl=anybody)
        writer.transport.abort()
        return True
    return False


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _place(url: httpx.URL) -> str:
    return f"{url.raw_host.decode()}:{url.port or {'http': 80, 'https': 443}.get(url.scheme, 0)}"


def _untrusted(host: str, error: ssl.SSLCertVerificationError) -> str:
    match error.verify_code:
        case code if code == EXPIRED:
            why = "has expired. Renew it"
        case code if code == NOT_YET:
            why = "is not valid yet. Look at its dates, and at the clock of this machine"
        case code if code == SELF_SIGNED:
            why = "is signed by itself, so browsers warn your buyers off. Install one of a known authority"
        case code if code == OTHER_NAME:
            why = f"is for another name. Write the host as its certificate does, or install one for {host}"
        case code if code == OTHER_ADDRESS:
            why = "does not name this address. Write the host's name, as its certificate does"
        case _:
            what = error.verify_message or "it cannot be trusted"
            why = (
                f"is not signed by an authority that browsers know ({what}). Install it with its whole chain, "
                "from a known authority"
            )
    return f"Nothing was sent to {host}: its certificate {why}."


def _not_encrypted(url: httpx.URL, reason: str) -> str:
    if any(each in reason for each in WANTS_A_CERTIFICATE):
        return (
            f"{url.raw_host.decode()} lets in only callers with a certificate of their own, and the wizard has none to "
            "show: let it through there, or switch that off while you test."
        )
    if reason in PLAIN:
        return (
            f"Nothing was sent to {_place(url)}: it does not speak TLS. Write http:// in place of https://, or the "
            "port that does."
        )
    return (
        f"Nothing was sent to {url.raw_host.decode()}: it and this machine agree on no way to encrypt "
        f"({reason.lower().replace('_', ' ') or 'TLS failed'}). Ask whoever runs it for TLS 1.2 or newer."
    )
