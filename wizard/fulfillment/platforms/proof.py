"""The proof page: read as the buyer and as a stranger, and what the two saw.

Some platforms turn people away with a status or a redirect, others with a page on which the content is missing. For
those it takes a text of the content to tell the two apart; where a platform's API tells it, that decides.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from models.account import Connection
from models.characters import visible
from models.fulfillment import Action, Evidence
from wizard.fulfillment.backend import ActionRequired, Context, Rejected, Surroundings
from wizard.fulfillment.backends.browser import Browser, Page
from wizard.fulfillment.outcome import hoped_for

PARAGRAPH = re.compile(r"<p\b[^>]*>(.*?)</p>", re.DOTALL)

SHORTEST = 12
"""Characters of a paragraph that can tell a page that shows its content from one that does not."""


def paragraphs_of(html: str) -> list[str]:
    """The paragraphs of a content that are long enough to be recognised on a page."""
    shown = (Page("", 200, found).text for found in PARAGRAPH.findall(html))
    return [paragraph for paragraph in shown if len(paragraph) >= SHORTEST]


@dataclass(frozen=True, slots=True)
class Visit:
    """Two people at one proof page."""

    buyer: Browser
    stranger: Browser
    url: str
    """The proof page's address."""
    written: str
    """Where the seller wrote it down, as part of a sentence."""
    who: str
    """The buyer's name."""

    async def read(self, action: Action, how: str, content: Sequence[str] = ()) -> Evidence:
        """Open the page as both, and say what was seen. `how` the buyer came in, for the sentence; `content` the
        paragraphs that stand on the page, where they are known.

        Raises Rejected when anybody can read the page, and ActionRequired when the two cannot be told apart.
        """
        strange = await self.stranger.open(self.url)
        hidden = [paragraph for paragraph in content if not strange.shows(paragraph)]
        if self._is_open(strange) and not hidden:
            if content or strange.text == (await self.buyer.open(self.url)).text:
                raise Rejected(
                    f"Anybody can read {self.url} without logging in, so it proves nothing. Protect the page, or write "
                    f"another proof page into {self.written}."
                )
            raise ActionRequired(
                f"A stranger is shown a page at {self.url} as well, and nothing tells whether it is the content. Write "
                f"a proof page into {self.written} that strangers are not shown."
            )
        page = await self.buyer.open(self.url)
        allowed = self._is_open(page) and (not hidden or any(page.shows(paragraph) for paragraph in hidden))
        return self.evidence(allowed, self._sentence(action, allowed, how, page), page.status, strange.status)

    def evidence(self, allowed: bool, detail: str, status: int, strange: int | None = None) -> Evidence:
        """What the buyer saw, as evidence."""
        facts = {"page": self.url, "status": str(status)}
        if strange is not None:
            facts["stranger"] = f"turned away ({strange})"
        return Evidence(
            allowed=allowed,
            proven_by="buyer",
            detail=visible(detail, ""),
            facts=facts,
            exchanges=(*self.buyer.exchanges, *self.stranger.exchanges),
        )

    def _is_open(self, page: Page) -> bool:
        # Who is sent somewhere else, to a login or the front page, was turned away.
        return page.status == 200 and page.location is None and _place(page.url) == _place(self.url)

    def _sentence(self, action: Action, allowed: bool, how: str, page: Page) -> str:
        if allowed and hoped_for(action):
            return f"{self.who} {how} and read {self.url}; a stranger was turned away."
        if allowed:
            return f"{self.who} can still read {self.url} after access was taken away."
        away = "was turned away all the same" if hoped_for(action) else "was turned away"
        to = page.location or (page.url if page.url != self.url else "")
        seen = f"sent to {_without_query(to)}" if to else f"status {page.status}: {page.says}"
        return f"{self.who} {how} and {away} from {self.url} ({seen})."


def _place(url: str) -> tuple[str, str]:
    """What makes two addresses of a site the same page: many sites add a slash."""
    parts = urlsplit(url)
    return parts.path.rstrip("/"), parts.query


def _without_query(url: str) -> str:
    return url.partition("?")[0]


def written_in(connection: Connection) -> str:
    """Where a connection's proof page is written down, as part of a sentence."""
    return f"the connection “{connection.name}”"


def visit(
    url: str, written: str, surroundings: Surroundings, context: Context, *, buyer: Browser | None = None
) -> Visit:
    """Send the buyer and a stranger on their way to a proof page, each with a browser of their own; a `buyer` who has
    one goes on with it."""
    who = visible(context.buyer.name, "")
    return Visit(buyer or surroundings.new_browser(), surroundings.new_browser(), url, written, who)


def on_its_word(written: str, allowed: bool, said: str, missing: str = "") -> Evidence:
    """Evidence that rests on the platform's own word. `missing`: what would let the buyer prove it, as a sentence."""
    ask = missing or f"Write a proof page into {written} (proof_url): a test-fire reads it as the buyer."
    return Evidence(allowed=allowed, proven_by="platform", detail=visible(f"{said} {ask}", ""))
