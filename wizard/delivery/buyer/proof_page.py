"""Whether a proof page can prove anything: seen by a stranger when the connection is checked."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from wizard.delivery.backend import Surroundings
from wizard.delivery.buyer.proof import Visit
from wizard.delivery.errors import ActionRequired, Rejected
from wizard.delivery.replies import behind

GONE = (404, 410)


async def keep_strangers_out(url: str, written: str, surroundings: Surroundings, content: Sequence[str] | None) -> None:
    """Raises Rejected for a page that is not there or that anybody can read, and ActionRequired where nothing tells.

    `written`: where the seller wrote it down, as part of a sentence. `content`: its paragraphs, where the platform
    tells them; None where it knows of no such page.
    """
    stranger = surroundings.new_browser()
    visit = Visit(stranger, stranger, url, written, "A stranger")
    seen = await stranger.open(url)
    if seen.gate:
        raise ActionRequired(behind(seen.gate, urlsplit(url).netloc))
    if visit.is_open(seen, content or ()) and all(seen.shows(paragraph) for paragraph in content or ()):
        raise visit.open_to_all(seen, bool(content))
    if content is None and seen.status in GONE:
        # What only members are shown is a 404 to strangers at many a site: that alone says nothing.
        raise Rejected(
            f"There is no page at {url}: a stranger is answered {seen.status}, and the site knows of no page there. "
            f"Correct the proof page in {written}."
        )
