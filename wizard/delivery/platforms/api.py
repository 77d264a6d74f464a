"""A platform's API over HTTP: JSON there, JSON back, and anything else as an error that a seller understands."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode, urljoin, urlsplit

import httpx

from models.characters import quoted, visible
from models.fulfillment import Evidence, Exchange, Receipt
from wizard.delivery.browser import TARGET, target_of, why
from wizard.delivery.errors import ActionRequired, BackendError, Rejected, Retriable
from wizard.delivery.replies import behind, cached, gate, is_kept, is_passing, retry_after, text_of

AFact = TypeVar("AFact", Receipt, Evidence)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a platform answered."""

    status: int
    headers: httpx.Headers
    text: str

    @property
    def json(self) -> Any:
        """The body as JSON, a byte order mark before it read past; None where it is none."""
        try:
            return json.loads(self.text.lstrip("\ufeff"))
        except (ValueError, RecursionError):
            return None

    @property
    def is_good(self) -> bool:
        """Whether the status says that it worked."""
        return 200 <= self.status < 300


KEY = "the key or password of the connection, and what its user may do"


class Api:
    """Requests to one platform, each noted for the record of the step."""

    def __init__(self, client: httpx.AsyncClient, name: str, to_check: str = KEY) -> None:
        """`name`: what the seller calls the platform; `to_check`: what may be wrong when it refuses a request."""
        self._client = client
        self.name = name
        self._to_check = to_check
        self._exchanges: list[Exchange] = []

    def with_exchanges(self, fact: AFact) -> AFact:
        """A receipt or an evidence with what went over the wire since the last one."""
        whole = fact.model_copy(update={"exchanges": (*self._exchanges, *fact.exchanges)})
        self._exchanges.clear()
        return whole

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        params: Mapping[str, str | int] | None = None,
        body: str | None = None,
        fine: Iterable[int] = (),
    ) -> Reply:
        """Send a request; give back the reply when it is a good one or its status is in `fine`.

        Raises Retriable for what may pass: no connection, no answer in time, 408, 425, 429 and 5xx. Raises
        ActionRequired for a platform that has moved, refuses the key or is behind a gate. Raises Rejected for any other
        refusal.
        """
        more = {"content-type": "application/json"} if body is not None else {}
        began = time.perf_counter()
        # Parameters are put into the address here, so that what is noted is what was sent.
        address = self._address(url, params or {})
        try:
            response = await self._client.request(
                method, address, headers={**headers, **more}, content=body, extensions={TARGET: target_of(address)}
            )
        except (httpx.InvalidURL, UnicodeError) as error:  # the library looks where a redirect leads at once
            raise Rejected(f"“{self.name}” redirects to what is no web address: {error}.") from error
        except httpx.HTTPError as error:
            where = urlsplit(address).netloc
            raise Retriable(f"“{self.name}” could not be reached at {where}: {why(error)}.", place=where) from error
        reply = Reply(response.status_code, response.headers, text_of(response.content, response.charset_encoding))
        ms = round((time.perf_counter() - began) * 1000, 1)
        self._exchanges.append(
            Exchange(request=f"{method} {address}", sent=body or "", status=reply.status, received=_noted(reply), ms=ms)
        )
        if is_kept(reply.headers):
            raise ActionRequired(
                f"A cache in front of “{self.name}” ({cached(reply.headers)}) answers a request that bears a key with "
                f"what it had kept: exclude {visible(address.partition('?')[0], '')[:200]} there. Else a test-fire "
                "sees what was true before, and others may be given what was meant for you."
            )
        if reply.is_good or reply.status in fine:
            return reply
        raise self.refused(reply, address)

    def _address(self, url: str, params: Mapping[str, str | int]) -> str:
        """The address as it is written, with the parameters behind what stands there."""
        try:
            known = httpx.URL(url)
        except httpx.InvalidURL:
            known = httpx.URL()
        if known.scheme not in ("http", "https") or not known.host:
            raise ActionRequired(f"Correct the address of “{self.name}”: it is no web address.")
        whole = url.partition("#")[0]
        return f"{whole}{'&' if '?' in whole else '?'}{urlencode(params)}" if params else whole

    def refused(self, reply: Reply, address: str) -> BackendError:
        """What a bad reply means to a seller."""
        host = urlsplit(address).netloc
        said = f"“{self.name}” answered {reply.status}{because(reply)}"
        if 300 <= reply.status < 400:
            location = reply.headers.get("location", "")
            leads_to = _joined(address, location)
            if leads_to.partition("?")[0] == address.partition("?")[0]:
                or_else = "two rules on the site that lead to each other"
                if leads_to != address:
                    or_else += ", or a switch of languages or a check for robots in front of it"
                return ActionRequired(
                    f"{host} sends each request on to the same address again: correct the address of “{self.name}”, or "
                    f"look for {or_else}."
                )
            # Without its query: it may hold what was sent.
            where = quoted(location.partition("?")[0])
            return ActionRequired(f"{host} has moved to {where}: correct the address of “{self.name}”.")
        if reply.status == 401 and (asked := gate(reply.headers)):
            return ActionRequired(behind(asked, host))
        if reply.status in (401, 403):
            return ActionRequired(f"{said} Check {self._to_check}.")
        if is_passing(reply.status):
            return Retriable(said, retry_after(reply.headers.get("retry-after", "")), host)
        if reply.status in (404, 405) and said.endswith(f"{reply.status}."):
            return Rejected(f"{said} Is {visible(address.partition('?')[0], '')[:200]} its right address?")
        return Rejected(said)

    def no_json(self, reply: Reply) -> ActionRequired:
        """The error for a page where data were asked for."""
        kind = reply.headers.get("content-type", "").partition(";")[0]
        what = "a web page" if kind == "text/html" else "something else"
        return ActionRequired(
            f"“{self.name}” answered with {what} in place of data. Check the address, and whether something in front "
            "of the site, such as a firewall or a coming-soon page, keeps requests out."
        )


def _joined(address: str, location: str) -> str:
    """Where a redirect leads; as it is written where that is nowhere."""
    try:
        return urljoin(address, location)
    except ValueError:
        return location


def _noted(reply: Reply) -> str:
    """The body as it is recorded. JSON may write one character in several ways, and a secret would not be recognised in
    each: it is written anew in ours."""
    found = reply.json
    if not isinstance(found, dict | list):
        return reply.text
    return json.dumps(found, ensure_ascii=False).encode("utf-8", "replace").decode()


def because(reply: Reply) -> str:
    """The end of a sentence with the reason that a platform gives, short and harmless; a full stop if it gives none."""
    found = reply.json
    if isinstance(found, dict) and isinstance(errors := found.get("errors"), list) and errors:
        found = errors[0]
    if not isinstance(found, dict):
        return "."
    # Ghost says what was wrong in its context, and only that something was in its message.
    told = [found.get(name) for name in ("message", "context", "error", "detail")]
    reasons = [quoted(each).rstrip(".") for each in told if isinstance(each, str)]
    return f": {'. '.join(reasons)}." if reasons else "."
