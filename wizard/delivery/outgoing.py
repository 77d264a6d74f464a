"""The guard on everything that leaves this machine: a run speaks to the hosts that its seller named, and to no other.

An address that a seller writes, or that a platform answers with, may lead inside this machine or its network: OWASP
calls it server-side request forgery. So a host is looked up here, every address it has is judged, and the connection is
opened to an address that was judged: a name that means another address a moment later (DNS rebinding) gains nothing. A
redirect is a request of its own.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from functools import cache
from typing import TYPE_CHECKING

import httpx

from wizard.delivery.browser import LARGEST, SIMULATION, Browser, NotNamed
from wizard.delivery.errors import ActionRequired, Rejected
from wizard.delivery.public import is_public
from wizard.delivery.unpacking import NotUnpacked, Unpacking, codings_of
from wizard.delivery.unreached import does_speak_tls, lasting, speaks_tls

if TYPE_CHECKING:
    from pydantic import BaseModel

LARGEST_REPLY = 4_000_000
"""Bytes of a reply that are read."""

LONGEST = 20.0
"""Seconds from a request's first byte to its reply's last."""

AGAIN = 5.0
"""The same for somebody who was silent for that long twice, one time after the other."""

ADDED = (b"content-encoding", b"content-length")
"""What is not true any more of a reply that was unpacked."""

Resolve = Callable[[str], Awaitable[list[str]]]


async def resolve(host: str) -> list[str]:
    """The addresses of a host, as this machine knows them. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def hosts_of(*written: BaseModel) -> frozenset[str]:
    """Every host that a seller named in connections, or in a backend's settings."""
    return hosts_in(*(value for model in written for _, value in model if isinstance(value, str)))


def hosts_in(*texts: str) -> frozenset[str]:
    """The host of every web address in these texts, where it stands as a word of its own."""
    words = (word for text in texts for word in text.split() if word.lower().startswith(("http://", "https://")))
    return frozenset(host for word in words if (host := _host(word)))


def _host(address: str) -> str:
    try:
        return host_of(httpx.URL(address))
    except httpx.InvalidURL:  # whoever opens it says so
        return ""


def host_of(url: httpx.URL) -> str:
    """The host as it goes over the wire: in ASCII (RFC 5890), an IPv6 address without its brackets."""
    return url.raw_host.decode("ascii")


class GuardedTransport(httpx.AsyncBaseTransport):
    """Sends a request where it may go, to the very address that was judged."""

    def __init__(
        self,
        hosts: Iterable[str],
        *,
        allow_private: bool = False,
        resolve: Resolve = resolve,
        tls: Callable[[], ssl.SSLContext] = lambda: httpx.create_ssl_context(trust_env=False),
        largest: int = LARGEST_REPLY,
        longest: float = LONGEST,
        again: float = AGAIN,
    ) -> None:
        """`hosts`: those that the seller named. `allow_private`: whether addresses inside this machine and its network
        are fine too. `largest` in bytes, `longest` and `again` in seconds."""
        self._hosts = frozenset(hosts)
        self._allow_private = allow_private
        self._resolve = resolve
        self._tls = cache(tls)  # 20 ms (measured), so once, and only for whom needs it
        self._largest = largest
        self._longest = longest
        self._again = again
        self._to: dict[tuple[str, str, int], httpx.AsyncHTTPTransport] = {}
        self._silences: Counter[str] = Counter()
        """How often each host did not answer in time, since it last did."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See httpx. Raises ActionRequired for a host or an address that a request must not go to, and Rejected, also
        while the reply is read, for one that is too large."""
        host = host_of(request.url)
        longest = min(self._longest, self._again) if self._silences[host] > 1 else self._longest
        deadline = asyncio.get_running_loop().time() + longest
        try:
            async with asyncio.timeout_at(deadline):
                response = await self._sent(request)
        except TimeoutError:
            self._silences[host] += 1
            raise _too_slow(request, longest) from None
        assert isinstance(response.stream, httpx.AsyncByteStream)
        codings = codings_of(response.headers.get("content-encoding", ""))
        try:
            unpacking = Unpacking(codings)
        except NotUnpacked as error:
            await response.aclose()
            raise Rejected(f"The reply of {host} {error}: it was not read.") from None
        largest = max(self._largest, request.extensions.get(LARGEST, 0))
        measured = _Measured(response.stream, unpacking, request, largest, deadline, longest, self._silences)
        # As bytes: what stands in a head is anybody's. What is no compression the client is not to look at again.
        untrue = ADDED if codings else ADDED[:1]
        headers = [(name, value) for name, value in response.headers.raw if name.lower() not in untrue]
        return httpx.Response(response.status_code, headers=headers, stream=measured, extensions=response.extensions)

    async def aclose(self) -> None:
        """Close every connection."""
        for transport in self._to.values():
            await transport.aclose()

    async def _sent(self, request: httpx.Request) -> httpx.Response:
        host = host_of(request.url)
        addresses = await self._judged(request)
        headers = request.headers.copy()
        headers.update(SIMULATION)
        # Else a few thousand bytes could swell to gigabytes after they were counted.
        headers["accept-encoding"] = "identity"
        transport = self._transport(request.url)
        for at, address in enumerate(addresses):
            there = httpx.Request(
                request.method,
                request.url.copy_with(host=address),
                headers=headers,  # with the Host of the name
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": host},
            )
            try:
                response = await transport.handle_async_request(there)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                if (fault := lasting(error, request.url)) is not None:
                    raise fault from error
                if at == len(addresses) - 1:
                    raise
                continue
            except (httpx.RemoteProtocolError, httpx.ReadError, ssl.SSLError) as error:
                # The library lets an error of TLS through that comes after the handshake, such as a certificate that
                # is asked of us.
                if (fault := lasting(error, request.url)) is not None:
                    raise fault from error
                await _look_for_tls(request.url, address)
                if isinstance(error, ssl.SSLError):
                    raise _broken_off(request) from error
                raise
            # A 400 in JSON is from whoever was asked, who may take both at one port.
            if response.status_code == 400 and "json" not in response.headers.get("content-type", ""):
                await _look_for_tls(request.url, address)
            return response
        raise httpx.ConnectError(f"{host} has no address", request=request)

    async def _judged(self, request: httpx.Request) -> list[str]:
        """The addresses of the request's host. All of them must be fine."""
        host = host_of(request.url)
        if host not in self._hosts:
            raise NotNamed(
                f"Nothing was sent to {host}: it stands in none of your connections, and not in the settings of the "
                "backend. If you trust it, write its address there."
            )
        try:
            addresses = await self._resolve(host)
        except (OSError, UnicodeError) as error:
            if (fault := lasting(error, request.url)) is not None:
                raise fault from error
            raise httpx.ConnectError(f"the host {host} cannot be found", request=request) from error
        inside = [address for address in addresses if not is_public(address)]
        if inside and not self._allow_private:
            raise ActionRequired(
                f"Nothing was sent to {host}: it has the address {inside[0]}, which is inside this machine or its "
                "network. If that is meant, set allow_private_hosts (WIZARD_ALLOW_PRIVATE_HOSTS=true)."
            )
        return addresses

    def _transport(self, url: httpx.URL) -> httpx.AsyncHTTPTransport:
        """Connections to one host name. Two names on one address share none: the second would speak over a connection
        whose certificate was checked for the first."""
        name = (url.scheme, host_of(url), url.port or 0)
        if name not in self._to:
            verify = self._tls() if url.scheme == "https" else False
            self._to[name] = httpx.AsyncHTTPTransport(verify=verify, trust_env=False)
        return self._to[name]


def _too_slow(request: httpx.Request, longest: float) -> httpx.ReadTimeout:
    return httpx.ReadTimeout(f"the reply was not there within {longest:g} seconds", request=request)


def _broken_off(request: httpx.Request) -> httpx.ReadError:
    return httpx.ReadError("the encrypted connection broke off", request=request)


async def _look_for_tls(url: httpx.URL, address: str) -> None:
    """Raises ActionRequired where plain HTTP was spoken to somebody who speaks TLS: they hang up, or call it a bad
    request."""
    if url.scheme == "http" and await does_speak_tls(address, url.port or 80):
        raise speaks_tls(url)


class _Measured(httpx.AsyncByteStream):
    """A reply's bytes, unpacked, up to a size and a time."""

    def __init__(
        self,
        stream: httpx.AsyncByteStream,
        unpacking: Unpacking,
        request: httpx.Request,
        largest: int,
        deadline: float,
        longest: float,
        silences: Counter[str],
    ) -> None:
        self._stream = stream
        self._unpacking = unpacking
        self._request = request
        self._largest = largest
        self._deadline = deadline
        self._longest = longest
        self._silences = silences
        self._is_silent = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        host = host_of(self._request.url)
        came = size = 0
        chunks = aiter(self._stream)
        try:
            while (chunk := await self._next(chunks)) is not None:
                came += len(chunk)
                for piece in self._unpacking.pieces(chunk):
                    size += len(piece)
                    if max(came, size) > self._largest:
                        raise Rejected(f"{host} sent more than {self._largest:,} bytes: the rest was not read.")
                    yield piece
        except NotUnpacked as error:
            raise Rejected(f"The reply of {host} {error}.") from None
        if not self._unpacking.is_whole:
            raise httpx.RemoteProtocolError("the compressed reply broke off", request=self._request)

    async def _next(self, chunks: AsyncIterator[bytes]) -> bytes | None:
        try:
            async with asyncio.timeout_at(self._deadline):
                return await anext(chunks, None)
        except ssl.SSLError as error:
            if (fault := lasting(error, self._request.url)) is not None:
                raise fault from error
            raise _broken_off(self._request) from error
        except TimeoutError:
            self._is_silent = True
            raise _too_slow(self._request, self._longest) from None

    async def aclose(self) -> None:
        host = host_of(self._request.url)
        self._silences[host] = self._silences[host] + 1 if self._is_silent else 0
        await self._stream.aclose()


class Outgoing:
    """What a run has to speak to the outside with: one client for the shop's side, and browsers for people."""

    def __init__(self, guard: GuardedTransport) -> None:
        self._guard = guard
        self._client: httpx.AsyncClient | None = None

    def client(self) -> httpx.AsyncClient:
        """The one client. It follows no redirects: a platform that has moved is told to the seller."""
        if self._client is None:
            # No environment: a proxy or a netrc of the machine must not see a simulation.
            self._client = httpx.AsyncClient(transport=self._guard, timeout=LONGEST, trust_env=False)
        return self._client

    def browser(self) -> Browser:
        """A new browser for somebody who knows nothing yet, with cookies of its own."""
        return Browser(self._guard)


@asynccontextmanager
async def outgoing(hosts: Iterable[str], *, allow_private: bool = False) -> AsyncIterator[Outgoing]:
    """The way out for one run or one check, closed at its end. Nothing is made before it is asked for.

    `hosts`: those that the seller named. `allow_private`: the setting `allow_private_hosts`.
    """
    guard = GuardedTransport(hosts, allow_private=allow_private)
    try:
        yield Outgoing(guard)
    finally:
        await guard.aclose()
