"""A buyer with a download link in hand: opens it, compares what comes down, tries it in ways that must be refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from models.account import StoredFile
from models.characters import visible
from models.fulfillment import Evidence, IssueDownloadLink, TryLink
from wizard.fulfillment.backend import Rejected
from wizard.fulfillment.backends.browser import Browser, Download

TRIED = {"tampered": "a changed link", "used_up": "the link once more than allowed", "expired": "the old link"}

MARGIN = 1000
"""Bytes beyond a file's size that are read: enough to see that it is another one."""


@dataclass(frozen=True, slots=True)
class LinkInHand:
    """One link, and who has it."""

    link: str
    browser: Browser
    who: str
    called: str = "the mailed link"
    """What the link is called in sentences."""
    file: StoredFile | None = None
    """What it must not give any more. Where that is not known, every page that says it is good is the file."""

    async def downloads(self, action: IssueDownloadLink) -> Evidence:
        """Compare what comes down with the file of the library."""
        got = await self.browser.download(self.link, largest=action.size + MARGIN)
        facts = {"status": str(got.status), "size": str(got.size), "sha256": got.sha256, "expected": action.sha256}
        if got.page is not None:
            return seen(False, f"{self._called} does not work: {got.page.says}", facts)
        if got.sha256 != action.sha256:
            wrong = (
                f"The link gave {self.who} other bytes than the file you chose: {got.size} bytes instead of "
                f"{action.size}. Add the file to the library again."
            )
            return seen(False, wrong, facts)
        same = f"{self.who} downloaded “{action.filename}” by {self.called}: {got.size} bytes, the same as yours."
        return seen(True, same, facts)

    async def is_stopped(self) -> Evidence:
        """Open the link after it was taken away."""
        got = await self._got()
        if (refusal := self._refusal(got)) is None:
            return seen(True, f"The old link still gives the file to {self.who}.", {"status": str(got.status)})
        return seen(False, f"The old link is refused: {refusal}", {"status": str(got.status)})

    async def tried(self, action: TryLink, expected: Mapping[str, int], *, was_stopped: bool) -> Evidence:
        """Open it in a way in which it must be refused. `expected`: the status of each refusal, where it is known;
        `was_stopped`: whether the run was, and a download may have been made once more than planned.

        Raises Rejected for a refusal with another status.
        """
        for number in range(action.downloads):
            if refusal := self._refusal(await self._got()):
                if was_stopped:
                    before = "A download that was made before the run was stopped counts too"
                    return seen(False, f"{self.who} was refused: {refusal} {before}.")
                early = f"Download {number + 1} of {action.downloads}, which is within the limit, was refused"
                return seen(True, f"{early}: {refusal}")
        got = await self._got(tampered(self.link) if action.how == "tampered" else self.link)
        facts = {"status": str(got.status), "downloads": str(action.downloads)}
        if (refusal := self._refusal(got)) is None:
            return seen(True, f"{self.who} got the file with {TRIED[action.how]}.", facts)
        if got.status != expected.get(action.how, got.status):
            raise Rejected(f"{self.who} tried {TRIED[action.how]} and was refused for another reason: {refusal}")
        return seen(False, f"{self.who} tried {TRIED[action.how]} and was refused: {refusal}", facts)

    async def is_kept(self, reason: str) -> Evidence:
        """See whether it still works, without using up a download."""
        status = await self.browser.peek(self.link)
        works = f"{self._called} works." if status == 200 else f"{self._called} does not work any more."
        return seen(status == 200, f"Kept: {reason}. {works}", {"status": str(status)})

    async def _got(self, link: str = "") -> Download:
        return await self.browser.download(link or self.link, largest=self.file.size + MARGIN if self.file else 0)

    def _refusal(self, got: Download) -> str | None:
        """What is said in place of the file; None when the file came."""
        if got.page is not None:
            return got.page.says
        if self.file is not None and got.sha256 != self.file.sha256:
            return f"{got.size} bytes came that are not the file."
        return None

    @property
    def _called(self) -> str:
        return f"{self.called[0].upper()}{self.called[1:]}"


def seen(allowed: bool, detail: str, facts: dict[str, str] | None = None) -> Evidence:
    """What was seen as the buyer, as evidence."""
    return Evidence(allowed=allowed, proven_by="buyer", detail=visible(detail, ""), facts=facts or {})


def tampered(link: str) -> str:
    """The link with one letter changed: in the middle of what is signed, where it counts."""
    at = (link.rindex("/") + len(link)) // 2
    return f"{link[:at]}{'A' if link[at] != 'A' else 'B'}{link[at + 1 :]}"
