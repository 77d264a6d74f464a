"""Requests to a platform's interface: each is noted, and whatever comes back wrong is an error with a sentence."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ConfigDict, SecretStr, TypeAdapter, ValidationError

from models.account import Connection
from models.characters import visible
from models.fulfillment import Exchange
from wizard.fulfillment.backend import ActionRequired, Retriable
from wizard.fulfillment.backends.browser import Page
from wizard.fulfillment.secrecy import Secrets

LATER = frozenset({429, 502, 503, 504})
"""Statuses that say: not now (RFC 9110, 15.6; RFC 6585, 4)."""

SAID = 200
"""Characters of a platform's own words that are repeated in a sentence."""

T = TypeVar("T")


class Answered(BaseModel):
    """Something that a platform answered: what we need of it. Platforms add to their answers as they like."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Calls:
    """The requests of one step to one platform."""

    def __init__(self, connection: Connection, client: httpx.AsyncClient, secrets: Secrets | None = None) -> None:
        self._connection = connection
        self._client = client
        self._secrets = secrets or Secrets()
        self._noted: list[Exchange] = []

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """What was sent and what came back, without secrets."""
        return masked(self._noted, self._secrets)

    async def send(self, method: str, url: str, **parts: Any) -> httpx.Response:
        """Send a request and give back the reply, whatever its status, but for those that no platform means.

        Raises Retriable where there is no reply or it says to come later, and ActionRequired for one that leads to
        another address: a request with a key in it follows no redirect.
        """
        host = urlsplit(url).netloc
        began = time.perf_counter()
        try:
            response = await self._client.request(method, url, follow_redirects=False, **parts)
        except httpx.TimeoutException:
            raise Retriable(f"{host} did not answer in time.") from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise ActionRequired(f"{url} is no web address ({error}): {self.correct}.") from None
        except httpx.HTTPError as error:
            raise Retriable(f"{host} could not be reached: {error or type(error).__name__}.") from error
        self._note(response, began)
        if response.status_code in LATER:
            busy = f"{host} answered {response.status_code}{in_brackets(said(response))}."
            raise Retriable(busy, retry_after(response))
        if 300 <= response.status_code < 400:
            to = visible(response.headers.get("location", "another address"))[:SAID]
            raise ActionRequired(f"{host} has moved to {to}: {self.correct}.")
        return response

    @property
    def correct(self) -> str:
        """What a seller does about a wrong address."""
        return f"correct the address in the connection “{self._connection.name}”"

    def read(self, response: httpx.Response, expected: type[T]) -> T:
        """What a reply holds. Raises ActionRequired when it is a web page, an error in disguise or something else."""
        try:
            return TypeAdapter(expected).validate_json(response.content)
        except ValidationError:
            words = said(response) or visible(Page("", response.status_code, response.text).says, "")
        host, label = response.url.host, self._connection.kind.label
        raise ActionRequired(
            f"{host} answered {response.status_code}, but not as {label} does: “{words[:SAID]}”. If that is not your "
            f"site, {self.correct}; if it is, see what stands before it: a maintenance page, a firewall, a plug-in."
        )

    def _note(self, response: httpx.Response, began: float) -> None:
        ms = round((time.perf_counter() - began) * 1000, 1)
        request = response.request
        # Where the client has not streamed it away, a request still knows its body.
        sent = request.content.decode("utf-8", "replace")
        asked = f"{request.method} {request.url}"
        self._noted.append(
            Exchange(request=asked, sent=sent, status=response.status_code, received=response.text, ms=ms)
        )


def masked(exchanges: Iterable[Exchange], secrets: Secrets) -> tuple[Exchange, ...]:
    """Exchanges without any secret that is known by now."""
    return tuple(secrets.masked(exchange) for exchange in exchanges)


def secret_of(answer: SecretStr | None, label: str, connection: Connection) -> str:
    """A secret that the seller wrote. Raises ActionRequired when it is not there."""
    if answer is None or not answer.get_secret_value().strip():
        raise ActionRequired(f"Write the {label} into the connection “{connection.name}”.")
    return answer.get_secret_value().strip()


def address_of(answer: str | None, connection: Connection) -> str:
    """An address that the seller wrote. Raises ActionRequired when it is not there."""
    if not answer:
        raise ActionRequired(f"Write the address into the connection “{connection.name}”.")
    return answer


def said(response: httpx.Response) -> str:
    """A platform's own words about what is wrong, as harmless plain text; nothing where it has none.

    Understood are the errors of WordPress, of Ghost and of most others: `message`, `errors[0]` or `error`.
    """
    try:
        answer = response.json()
    except ValueError:
        return ""
    if isinstance(answer, dict) and isinstance(errors := answer.get("errors"), list) and errors:
        answer = errors[0]
    if not isinstance(answer, dict):
        return ""
    words = [answer.get(name) for name in ("message", "context", "error", "detail")]
    text = " ".join(dict.fromkeys(word for word in words if isinstance(word, str)))
    return visible(Page("", 0, text).text, "")[:SAID]


def in_brackets(words: str) -> str:
    """Words as an aside in a sentence, or nothing."""
    return f" ({words.rstrip('.')})" if words else ""


def retry_after(response: httpx.Response) -> float | None:
    """Seconds to wait, if the reply says so: as a number or as a date (RFC 9110, 10.2.3)."""
    given = response.headers.get("retry-after", "").strip()
    if given.isascii() and given.isdigit():
        return float(given)
    try:
        until = parsedate_to_datetime(given)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max((until - datetime.now(UTC)).total_seconds(), 0.0)
