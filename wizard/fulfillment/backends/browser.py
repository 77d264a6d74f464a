"""A buyer's browser: it keeps cookies, fills in forms, and sees what is on a page, no more."""

from __future__ import annotations

import email
import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.header import decode_header, make_header
from email.message import Message
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import httpx

from models.characters import visible
from models.fulfillment import Exchange
from wizard.fulfillment.backend import BackendError, Rejected, Retriable

# An address may hold a secret, such as a link that signs its bearer in: it is to stand in no log, whoever keeps one.
for library in ("httpx", "httpcore"):
    logging.getLogger(library).setLevel(logging.WARNING)

SIMULATION = {"wizard-simulation": "1", "user-agent": "product-wizard"}
"""Every request says that it is a simulation."""

LARGEST_PAGE = 2_000_000
"""Bytes of a page that are read: a platform that streams for ever is cut off."""

REDIRECTS = 5

HEAD_IS_NOT_KNOWN = 501
"""What a server answers that does not know the request (RFC 9110, 15.6.2)."""

LARGEST = "largest"
"""The extension of a request that says how many bytes of its reply may be read, where those are many."""


@dataclass(frozen=True, slots=True)
class LoginForm:
    """A form that takes a name and a password."""

    action: str
    """Where it is sent."""
    user: str
    password: str
    """What its two fields are called."""


@dataclass
class Page(HTMLParser):
    """A page as a person sees it."""

    url: str
    status: int
    source: str
    location: str | None = None
    """Where the page wanted to send the buyer, when that is another site."""
    links: list[str] = field(default_factory=list)
    inputs: dict[str, str] = field(default_factory=dict)
    """The fields of the page's form with what stands in them."""
    login: LoginForm | None = None
    """Where somebody with a password can log in on this page."""
    paragraphs: list[str] = field(default_factory=list)
    _shown: list[str] = field(default_factory=list)
    _hidden: int = 0
    _action: str = ""
    _user: str = ""
    """Of the form that was begun last: where it goes, and its last field before one for a password."""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of links and form fields."""
        named = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in named:
            self.links.append(urljoin(self.url, named["href"]))
        elif tag == "form":
            self._action, self._user = urljoin(self.url, named.get("action", "")), ""
        elif tag == "input" and "name" in named:
            self._take_input(named["name"], named.get("value", ""), named.get("type", "text").lower())
        elif tag in ("style", "script", "title"):
            self._hidden += 1
        elif tag == "p":
            self.paragraphs.append("")

    def _take_input(self, name: str, value: str, kind: str) -> None:
        self.inputs[name] = value
        if kind in ("text", "email"):
            self._user = name
        elif kind == "password" and self._user and self.login is None:
            self.login = LoginForm(self._action or self.url, self._user, name)

    def handle_endtag(self, tag: str) -> None:
        """Leave what is not shown."""
        if tag in ("style", "script", "title"):
            self._hidden -= 1

    def handle_data(self, data: str) -> None:
        """Take note of shown text."""
        if not self._hidden:
            self._shown.append(data)
            if self.paragraphs:
                self.paragraphs[-1] += data

    @property
    def text(self) -> str:
        """What is shown, with single spaces."""
        return " ".join(" ".join(self._shown).split())

    def shows(self, text: str) -> bool:
        """Whether a text can be read on the page, however it is broken into lines."""
        return " ".join(text.split()) in self.text

    @property
    def says(self) -> str:
        """The page's first words, short: for a sentence about why something did not work."""
        first = " ".join(self.paragraphs[0].split()) if self.paragraphs else self.text
        return (first or f"an empty page with status {self.status}")[:200]


def subject_of(mail: Message) -> str:
    """The subject, decoded."""
    return str(make_header(decode_header(mail.get("Subject", ""))))


def body_of(mail: Message) -> str:
    """The text, decoded: the plain one, where a mail comes with HTML as well."""
    plain = next((part for part in mail.walk() if part.get_content_type() == "text/plain"), mail)
    body = plain.get_payload(decode=True)
    return body.decode("utf-8", "replace") if isinstance(body, bytes) else ""


def as_read(mail: Message) -> str:
    """Subject and text, as they are read."""
    return f"Subject: {subject_of(mail)}\n\n{body_of(mail)}"


class Download:
    """What came down: nothing of it is kept but its sum."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self.size = 0
        self.status = 0
        self.page: Page | None = None

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


def _text(body: bytes, encoding: str | None) -> str:
    """The text of a page. A site may name an encoding that there is not."""
    try:
        return body.decode(encoding or "utf-8", "replace")
    except LookupError:
        return body.decode("utf-8", "replace")


class Browser:
    """Someone at a browser. Another person is another Browser: cookies are not shared."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._client = httpx.AsyncClient(transport=transport, headers=SIMULATION, trust_env=False, timeout=20)
        self.exchanges: list[Exchange] = []

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
        answers = page.inputs | {page.login.user: user, page.login.password: password}
        return await self._go("POST", page.login.action, answers)

    async def submit(self, page: Page, answers: dict[str, str]) -> Page:
        """Fill in the form of a page and send it."""
        return await self._go("POST", page.url, page.inputs | answers)

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
        for _ in range(REDIRECTS):
            began = time.perf_counter()
            try:
                async with self._client.stream(method, url, data=form) as response:
                    body = bytearray()
                    async for chunk in response.aiter_bytes():
                        body += chunk
                        if len(body) > LARGEST_PAGE:
                            break
            except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
                raise Rejected(f"“{visible(url, '')[:200]}” is no web address: {error}.") from error
            except httpx.HTTPError as error:
                raise Retriable(f"{urlsplit(url).netloc} could not be reached: {error}.") from error
            source = _text(bytes(body), response.encoding)
            sent = str(httpx.QueryParams(form)) if form else ""
            self._note(method, url, sent, response.status_code, noted_as(source), began)
            if response.status_code >= 500:
                raise Retriable(f"{urlsplit(url).netloc} answered {response.status_code}.")
            if not response.is_redirect:
                return Page(url, response.status_code, source)
            try:
                target = urljoin(url, response.headers["location"])
                is_elsewhere = urlsplit(target)[:2] != urlsplit(url)[:2]
            except ValueError as error:
                wrong = visible(response.headers["location"], "")[:200]
                raise Rejected(f"{urlsplit(url).netloc} redirects to “{wrong}”, which is no web address.") from error
            if is_elsewhere:
                return Page(url, response.status_code, source, location=target)
            method, url, form = "GET", target, None
        raise Rejected(f"{url} redirects in a circle.")

    def _note(self, method: str, url: str, sent: str, status: int, received: str, began: float) -> None:
        ms = round((time.perf_counter() - began) * 1000, 1)
        request = f"{method} {url}"
        self.exchanges.append(Exchange(request=request, sent=sent, status=status, received=received, ms=ms))

    async def download(self, url: str, largest: int = 0) -> Download:
        """Fetch a file without keeping it: its status, size and SHA-256, or the page that came in its place. `largest`:
        how many bytes are read at the most, where a file is larger than other replies may be."""
        into = Download()
        began = time.perf_counter()
        try:
            async with self._client.stream(
                "GET", url, extensions={LARGEST: largest}, follow_redirects=True
            ) as response:
                into.status = response.status_code
                if response.is_success:
                    async for chunk in response.aiter_bytes():
                        into.take(chunk)
                    shown = f"{into.size} bytes"
                else:
                    shown = (await response.aread()).decode("utf-8", "replace")
                    into.page = Page(url, response.status_code, shown)
        except httpx.HTTPError as error:
            raise _not_downloaded(url, error, into.size) from error
        self._note("GET", url, "", into.status, shown, began)
        if into.status >= 500:
            raise ServerError(f"{urlsplit(url).netloc} answered the download with {into.status}.")
        return into

    async def peek(self, url: str) -> Peek:
        """Ask whether a file is there without downloading it."""
        began = time.perf_counter()
        try:
            response = await self._client.head(url, follow_redirects=True)
        except httpx.HTTPError as error:
            raise _not_downloaded(url, error) from error
        self._note("HEAD", url, "", response.status_code, "", began)
        if response.status_code >= 500 and response.status_code != HEAD_IS_NOT_KNOWN:
            raise ServerError(f"{urlsplit(url).netloc} answered the download with {response.status_code}.")
        size = response.headers.get("content-length", "")
        # Many servers write 0 where they mean that they do not know.
        return Peek(response.status_code, (int(size) if size.isdecimal() else 0) or None)


def _not_downloaded(url: str, error: httpx.HTTPError, size: int = 0) -> BackendError:
    host = urlsplit(url).netloc
    if isinstance(error, httpx.TooManyRedirects | httpx.UnsupportedProtocol):
        return Rejected(f"The download at {host} leads nowhere: {error}.")
    if size and isinstance(error, httpx.ReadTimeout):
        slow = "Try a smaller file, or a faster line: a test-fire waits no longer."
        return Rejected(f"The download was not complete in time: {size:,} bytes came. {slow}")
    return Retriable(f"The download could not be reached: {error}.")
