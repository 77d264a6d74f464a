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
from wizard.delivery.backend import Context, Surroundings
from wizard.delivery.browser import Browser, place_of
from wizard.delivery.errors import ActionRequired, Rejected
from wizard.delivery.page import Page
from wizard.delivery.replies import behind
from wizard.sale.expectation import hoped_for

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

    async def as_stranger(self) -> Page:
        """The page as a stranger sees it now, for a `read` before which the buyer comes by it."""
        return await self._strangers_view(self.url)

    async def read(
        self, action: Action, how: str, content: Sequence[str] = (), *, before: Page | None = None
    ) -> Evidence:
        """Open the page as both, and say what was seen. `how` the buyer came in, for the sentence; `content` the
        paragraphs that stand on the page, where they are known. The stranger looks before the buyer and after: what a
        cache in front of the site was given for the buyer, it may give to anybody then. `before`: what the stranger saw
        already.

        Raises Rejected when anybody can read the page, and ActionRequired when the two cannot be told apart, or a gate
        in front of the site keeps the buyer out.
        """
        strange = before or await self.as_stranger()
        hidden = [paragraph for paragraph in content if not strange.shows(paragraph)]
        if self.is_open(strange, content) and not hidden:
            is_content = bool(content) or strange.text == (await self.buyer.open(self.url)).text
            raise self.open_to_all(strange, is_content)
        page = await self.buyer.open(self.url)
        if page.gate and hoped_for(action):
            raise ActionRequired(behind(page.gate, urlsplit(self.url).netloc))
        allowed = self.is_open(page, hidden)
        if allowed:
            # Under the address at which the buyer read it: that is the one that a cache keeps it under.
            self._is_kept_for_anybody(page, await self._strangers_view(page.url), hidden)
        return self.evidence(allowed, self._sentence(action, allowed, how, page), page.status, strange.status)

    def open_to_all(self, strange: Page, is_content: bool) -> Rejected | ActionRequired:
        """The error for a page that a stranger is shown. `is_content`: whether it is what buyers pay for."""
        if is_content:
            return Rejected(
                f"Anybody can read {self.url} without logging in, so it proves nothing. Protect the page, or write "
                f"another proof page into {self.written}.{_from_cache(strange)}"
            )
        return ActionRequired(
            f"A stranger is shown a page at {self.url} as well, and nothing tells whether it is the content. Write "
            f"a proof page into {self.written} that strangers are not shown."
        )

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

    async def _strangers_view(self, url: str) -> Page:
        """What is shown to somebody who was never here."""
        self.stranger.forget()
        return await self.stranger.open(url)

    def _is_kept_for_anybody(self, page: Page, later: Page, hidden: Sequence[str]) -> None:
        """Raises Rejected when a stranger reads what the buyer was given, and ActionRequired when that cannot be
        told."""
        if not self.is_open(later, hidden):
            return
        if not hidden and later.text != page.text:
            raise ActionRequired(
                f"Once {self.who} had read {self.url}, a stranger was shown a page there as well, and nothing tells "
                f"whether it is the content.{_from_cache(later)} Write a proof page into {self.written} that strangers "
                "are not shown."
            )
        keeps = f"A cache in front of the site ({later.cached})" if later.cached else "Something, such as a page cache,"
        raise Rejected(
            f"Once {self.who} had read {self.url}, anybody could read it without logging in. {keeps} keeps the page "
            "that a member was given and gives it to strangers: exclude the pages of members there (Cache-Control: "
            "private), and empty it."
        )

    def is_open(self, page: Page, content: Sequence[str] = ()) -> bool:
        """Whether somebody is shown the page: any of its `content`, where that is known, else the page itself."""
        if page.status != 200 or page.location is not None:
            return False
        if content:  # under whatever name: a site may lead from one of a page to another
            return any(page.shows(paragraph) for paragraph in content)
        # Who is sent somewhere else, to a login or the front page, was turned away.
        return place_of(page.url) == place_of(self.url)

    def _sentence(self, action: Action, allowed: bool, how: str, page: Page) -> str:
        if allowed and hoped_for(action):
            return f"{self.who} {how} and read {self.url}; a stranger was turned away."
        if allowed:
            return f"{self.who} can still read {self.url} after access was taken away.{_from_cache(page)}"
        away = "was turned away all the same" if hoped_for(action) else "was turned away"
        to = page.location or (page.url if page.url != self.url else "")
        seen = f"sent to {_without_query(to)}" if to else f"status {page.status}: {page.says}"
        cache = _from_cache(page) if hoped_for(action) else ""
        return f"{self.who} {how} and {away} from {self.url} ({seen}).{cache}"


def _from_cache(page: Page) -> str:
    """A sentence more for a page that a cache may have kept; none where nothing says so."""
    return f" It may come from a cache: its headers say {page.cached}." if page.cached else ""


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
