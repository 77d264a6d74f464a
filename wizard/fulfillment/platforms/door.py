"""The proof page: a page that only members can read, tried as the buyer and, beside them, as a stranger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from urllib.parse import urlsplit

from models.characters import visible
from models.fulfillment import Evidence, GrantAccess, RevokeAccess
from wizard.fulfillment.backend import ActionRequired, BackendError, Context, Surroundings
from wizard.fulfillment.backends.browser import Browser, Page
from wizard.fulfillment.platforms.calls import masked


def browser_of(surroundings: Surroundings) -> Browser:
    """A new browser for the buyer or for a stranger. Raises BackendError where a run was given none."""
    if surroundings.browser is None:
        raise BackendError("Nobody can act as the buyer here: this run has no browser.")
    return surroundings.browser()


async def try_door(
    url: str,
    action: GrantAccess | RevokeAccess,
    context: Context,
    *,
    buyer: Browser,
    stranger: Browser,
    behind: Sequence[str] = (),
    before: str = "",
) -> Evidence:
    """Open the proof page as both, and compare what they see.

    Some sites turn people away with a status or send them elsewhere; others show everybody a page and keep back its
    text. `behind` is that text, by paragraphs, where the platform can say what it is. `before` is a sentence about how
    the buyer signed in.

    Raises ActionRequired when a stranger reads the page too: then it proves nothing.
    """
    already = len(buyer.exchanges)
    seen_by_stranger, seen = await stranger.open(url), await buyer.open(url)
    kept_back = [text for text in behind if not seen_by_stranger.shows(text)]
    if _is_open(seen_by_stranger, url, kept_back):
        raise ActionRequired(
            f"A stranger can read {url} as well, so it proves nothing: name a page that only members can read as the "
            "proof page of the connection."
        )
    allowed = _is_open(seen, url, kept_back)
    who, why = context.buyer.email, _why(seen, url)
    if allowed and isinstance(action, GrantAccess):
        said = f"{who} could read {url}; a stranger was turned away."
    elif allowed:
        said = f"{who} can still read {url} after access was taken away."
    else:
        said = f"{who} was turned away from {url}: {why}."
    facts = {
        "page": url,
        "status": str(seen.status),
        "stranger": f"turned away: {_why(seen_by_stranger, url)}",
        "platform": action.platform,
    }
    exchanges = (*stranger.exchanges, *buyer.exchanges[already:])
    detail = context.secrets.mask(" ".join(filter(None, (before, said))))
    evidence = Evidence(allowed=allowed, proven_by="buyer", detail=detail, facts=facts)
    return evidence.model_copy(update={"exchanges": masked(exchanges, context.secrets)})


def word_of_platform(allowed: bool, detail: str, **facts: str) -> Evidence:
    """Evidence that rests on the platform's own word."""
    proven_by: Literal["platform"] = "platform"
    return Evidence(allowed=allowed, proven_by=proven_by, detail=detail, facts=facts)


def no_proof_page(name: str) -> str:
    """What to do where nobody can act as the buyer."""
    return f"Write a proof page into the connection “{name}”, and it is opened as the buyer."


def _is_open(page: Page, asked: str, kept_back: Sequence[str]) -> bool:
    if not 200 <= page.status < 300 or page.location or _place(page.url) != _place(asked):
        return False
    return not kept_back or any(page.shows(text) for text in kept_back)


def _place(url: str) -> tuple[str, str]:
    """What makes two addresses of a site the same page. Many sites add a slash."""
    parts = urlsplit(url)
    return parts.path.rstrip("/"), parts.query


def _why(page: Page, asked: str) -> str:
    if page.location or _place(page.url) != _place(asked):
        return f"sent on to {visible((page.location or page.url).partition('?')[0], '')[:200]}"
    if not 200 <= page.status < 300:
        return f"status {page.status}"
    return "the page keeps back its text"
