"""A buyer's browser: it keeps cookies, fills in forms, and sees what is on a page, no more."""

from __future__ import annotations

import email
import hashlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.header import decode_header, make_header
from email.message import Message
from urllib.parse import quote, urljoin, urlsplit

import httpx

from models.characters import visible
from models.fulfillment import Exchange
from wizard.delivery.errors import ActionRequired, BackendError, Rejected, Retriable
from wizard.delivery.page import Page
from wizard.delivery.replies import behind, cached, gate, is_passing, retry_after, text_of

# An address may hold a secret, such as a link that signs its bearer in: it is to stand in no log, whoever keeps one.
for library in ("httpx", "httpcore"):
    logging.getLogger(library).setLevel(logging.WARNING)

SIMULATION = {"wizard-simulation": "1", "user-agent": "product-wizard"}
"""Every request says that it is a simulation."""

LARGEST_PAGE = 2_000_000
"""Bytes of a page that are read: a platform that streams for ever is cut off."""

REDIRECTS = 20
"""How many a person's browser follows (Fetch, 4.4)."""

KEEPING = (307, 308)
"""Redirects after which a form is sent once more (RFC 9110, 15.4)."""

HEAD_IS_NOT_KNOWN = 501
"""What a server answers that does not know the request (RFC 9110, 15.6.2)."""

LARGEST = "largest"
"""The extension of a request that says how many bytes of its reply may be read, where those are many."""

TARGET = "target"
"""The extension of a request that says what is asked for, byte for byte."""

PRINTED = "".join(map(chr, range(0x21, 0x7F)))
"""What stands in an address as it is."""


def target_of(address: str) -> bytes:
    """What of an address goes over the wire: its path and query as they are written, since another spelling may be
    another page or break a signature. What cannot be sent is escaped (RFC 3986, 2.1). Raises ValueError for none."""
    urlsplit(address)
    rest = address.partition("#")[0].partition("://")[2]
    at = next((place for place, character in enumerate(rest) if character in "/?"), len(rest))
    path = quote(rest[at:], safe=PRINTED)
    return (path if path.startswith("/") else f"/{path}").encode("ascii")


def site_of(address: str) -> tuple[str, str, int | None]:
    """What makes two addresses the same site: scheme, host and port. Raises ValueError."""
    parts = urlsplit(address)
    return parts.scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def is_other_name(address: str, other: str) -> bool:
    """Whether an address is another name of the same page: with `www` or without, by http or https. Raises
    ValueError."""
    one, two = urlsplit(address), urlsplit(other)
    hosts = {(parts.hostname or "").removeprefix("www.") for parts in (one, two)}
    return len(hosts) == 1 and place_of(address) == place_of(other) and site_of(address) != site_of(other)


def place_of(address: str) -> tuple[str, str]:
    """What makes two addresses of a site the same page: many sites add a slash."""
    parts = urlsplit(address)
    return parts.path.rstrip("/"), parts.query


class NotNamed(ActionRequired):
    """A host that the seller did not name: nothing was sent there."""


def subject_of(mail: Message) -> str:
    """The subject, decoded."""
    return str(make_header(decode_header(mail.get("Subject", ""))))


def body_of(mail: Message) -> str:
    """The text, decoded: the plain one, where a mail comes with HTML as well."""
    plain = next((part for part in mail.walk() if part.get_content_type() == "text/plain"), mail)
    body = plain.get_payload(decode=True)
    return body.decode("utf-8", "replace") if isinstance(body, bytes) else ""


def page_of(mail: Message) -> str | None:
    """The HTML part, decoded; None where a mail has none."""
    for part in mail.walk():
        content = part.get_payload(decode=True) if part.get_content_type() == "text/html" else None
        if isinstance(content, bytes):
            return content.decode("utf-8", "replace")
    return None


def as_read(mail: Message) -> str:
    """Subject and text, as they are read."""
    return f"Subject: {subject_of(mail)}\n\n{body_of(mail)}"


class Downloaded:
    """What came down: nothing of it is kept but its sum."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self.size = 0
        self.status = 0
        self.kind = ""
        """What its headers call it, such as `application/pdf`."""
        self.page: Page | None = None
        self.cached = ""
        """What its headers say of a cache that may have answered."""

    def take(self, chunk: bytes) -> None:
        """Add the next bytes."""
        self._digest.update(chunk)
        self.size += len(chunk)

    @property
    def sha256(self) -> str:
        """The sum of all bytes so far, in hexadecimal digits."""
        return self._digest.hexdigest()


class ServerError(Retriable):
    """A download that its server took for one, and then failed at."""


@dataclass(frozen=True, slots=True)
class Peek:
    """What is known of a file without downloading it."""

    status: int
    size: int | None
    """Bytes, where the other side says so."""
    is_elsewhere: bool
    """Whether it lies on another host than its link."""


class Browser:
    """Someone at a browser. Another person is another Browser: cookies are not shared."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._client = httpx.AsyncClient(transport=transport, headers=SIMULATION, trust_env=False, timeout=20)
        self.exchanges: list[Exchange] = []

    def forget(self) -> None:
        """Be somebody new: nothing tells who was here before."""
        self._client.cookies.clear()

    async def open(self, url: str, *, anywhere: bool = False) -> Page:
        """Open an address and follow redirects: within the same site, or `anywhere`."""
        page = await self._go("GET", url)
        for _ in range(REDIRECTS):
            if not anywhere or page.location is None:
                return page
            page = await self._go("GET", page.location)
        raise Rejected(f"{url} redirects in a circle.")

    async def log_in(self, page: Page, user: str, password: str) -> Page | None:
        """Log in by the form of a page; None where it has none."""
        if page.login is None:
            return None
        answers = page.login.fields | {page.login.user: user, page.login.password: password}
        return await self._go("POST", page.login.action, answers)

    async def submit(self, page: Page, answers: dict[str, str]) -> Page:
        """Fill in the form of a page that asks for these answers, and send it."""
        form = page.form_with(*answers)
        return await self._go("POST", page.url, (form.fields if form else {}) | answers)

    async def read_mail(self, url: str) -> Message:
        """Open the source of a mail. What is noted is the mail as a person reads it: no secret is to be recognised in
        a transfer encoding."""
        page = await self._go("GET", url, noted_as=lambda source: as_read(email.message_from_string(source)))
        return email.message_from_string(page.source)

    async def _go(
        self,
        method: str,
        url: str,
        form: dict[str, str] | None = None,
        noted_as: Callable[[str], str] = lambda source: source,
    ) -> Page:
        moved_from = ""
        for _ in range(REDIRECTS):
            began = time.perf_counter()
            body = bytearray()
            try:
                async with self._asking(method, url, form) as response:
                    async for chunk in response.aiter_bytes():
                        body += chunk
                        if len(body) > LARGEST_PAGE:
                            break
            except NotNamed as error:
                if not moved_from:
                    raise
                raise ActionRequired(f"{moved_from} has moved to {url}: write that address in its place.") from error
            source = text_of(bytes(body), response.charset_encoding)
            sent = str(httpx.QueryParams(form)) if form else ""
            self._note(method, url, sent, response.status_code, noted_as(source), began)
            seen = Page(url, response.status_code, source, cached=cached(response.headers), gate=gate(response.headers))
            if is_passing(response.status_code):
                after = retry_after(response.headers.get("retry-after", ""))
                host = urlsplit(url).netloc
                raise Retriable(f"{host} answered {response.status_code}.", after, host)
            if not response.has_redirect_location:
                return seen
            target = _target(url, response)
            if site_of(target) != site_of(url) and not is_other_name(target, url):
                seen.location = target
                return seen
            moved_from = url if site_of(target) != site_of(url) else ""
            if response.status_code not in KEEPING:
                method, form = "GET", None
            url = target
        raise Rejected(f"{url} redirects in a circle.")

    @asynccontextmanager
    async def _asking(
        self,
        method: str,
        url: str,
        form: dict[str, str] | None = None,
        *,
        largest: int = 0,
        failed: Callable[[httpx.HTTPError], BackendError] | None = None,
    ) -> AsyncIterator[httpx.Response]:
        """Ask for an address as it is written, and follow nothing. `largest`: how many bytes may come; `failed`: the
        error for a request that did not get through. Raises BackendError."""
        try:
            wanted = {TARGET: target_of(url), LARGEST: largest}
            request = self._client.build_request(method, url, data=form, extensions=wanted)
        except (httpx.InvalidURL, ValueError) as error:
            raise Rejected(f"“{visible(url, '')[:200]}” is no web address: {error}.") from error
        try:
            response = await self._client.send(request, stream=True)
            try:
                yield response
            finally:
                await response.aclose()
        except httpx.UnsupportedProtocol as error:
            raise Rejected(f"“{visible(url, '')[:200]}” is no web address: {error}.") from error
        except (httpx.InvalidURL, UnicodeError) as error:  # the library looks where a redirect leads at once
            raise Rejected(f"{urlsplit(url).netloc} redirects to what is no web address: {error}.") from error
        except httpx.HTTPError as error:
            if failed is not None:
                raise failed(error) from error
            host = urlsplit(url).netloc
            raise Retriable(f"{host} could not be reached: {why(error)}.", place=host) from error

    def _note(self, method: str, url: str, sent: str, status: int, received: str, began: float) -> None:
        ms = round((time.perf_counter() - began) * 1000, 1)
        request = f"{method} {url}"
        self.exchanges.append(Exchange(request=request, sent=sent, status=status, received=received, ms=ms))

    async def download(self, url: str, largest: int = 0) -> Downloaded:
        """Fetch a file without keeping it: its status, size and SHA-256, or the page that came in its place. `largest`:
        how many bytes are read at the most, where a file is larger than other replies may be."""
        into = Downloaded()
        began = time.perf_counter()
        async with self._led_to("GET", url, lambda error: _not_downloaded(url, error, into.size), largest) as response:
            into.status, into.cached = response.status_code, cached(response.headers)
            into.kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            if response.is_success:
                async for chunk in response.aiter_bytes():
                    into.take(chunk)
                shown = f"{into.size} bytes"
            else:
                shown = text_of(await response.aread(), response.charset_encoding)
                into.page = Page(url, response.status_code, shown, gate=gate(response.headers))
        self._note("GET", url, "", into.status, shown, began)
        if into.status >= 500:
            host = urlsplit(url).netloc
            raise ServerError(f"{host} answered the download with {into.status}.", place=host)
        return into

    async def peek(self, url: str) -> Peek:
        """Ask whether a file is there without downloading it."""
        began = time.perf_counter()
        async with self._led_to("HEAD", url, lambda error: _not_downloaded(url, error)) as response:
            pass
        self._note("HEAD", url, "", response.status_code, "", began)
        status, host = response.status_code, urlsplit(url).netloc
        if is_passing(status) and status != HEAD_IS_NOT_KNOWN:
            raise ServerError(f"{host} answered the download with {status}.", place=host)
        if asked := gate(response.headers):
            raise ActionRequired(behind(asked, host))
        size = response.headers.get("content-length", "")
        # Many servers write 0 where they mean that they do not know.
        is_elsewhere = response.url.host != httpx.URL(url).host
        return Peek(status, (int(size) if size.isdecimal() else 0) or None, is_elsewhere)

    @asynccontextmanager
    async def _led_to(
        self, method: str, url: str, failed: Callable[[httpx.HTTPError], BackendError], largest: int = 0
    ) -> AsyncIterator[httpx.Response]:
        """The reply that an address leads to in the end, also at another site: a file may lie anywhere."""
        first = url
        for _ in range(REDIRECTS):
            async with self._asking(method, url, largest=largest, failed=failed) as response:
                if not response.has_redirect_location:
                    yield response
                    return
                url = _target(url, response)
        raise Rejected(f"The download at {urlsplit(first).netloc} leads nowhere: it redirects in a circle.")


def _target(url: str, response: httpx.Response) -> str:
    """Where a redirect leads. Raises Rejected."""
    written = response.headers["location"]
    try:
        target = urljoin(url, written)
        site_of(target)
    except ValueError as error:
        wrong = visible(written, "")[:200]
        raise Rejected(f"{urlsplit(url).netloc} redirects to “{wrong}”, which is no web address.") from error
    return target


def why(error: httpx.HTTPError) -> str:
    """What went wrong on the way, as the end of a sentence."""
    if isinstance(error, httpx.ConnectTimeout):
        return "nobody answered in time"
    if isinstance(error, httpx.RemoteProtocolError) and str(error).startswith("peer closed"):
        return "the connection broke off before the reply was whole"
    return visible(str(error) or type(error).__name__, "").rstrip(".")


def _not_downloaded(url: str, error: httpx.HTTPError, size: int = 0) -> BackendError:
    if size and isinstance(error, httpx.ReadTimeout):
        slow = "Try a smaller file, or a faster line: a test-fire waits no longer."
        return Rejected(f"The download was not complete in time: {size:,} bytes came. {slow}")
    return Retriable(f"The download could not be reached: {why(error)}.", place=urlsplit(url).netloc)
