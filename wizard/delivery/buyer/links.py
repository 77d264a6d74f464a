"""A buyer with a download link in hand: opens it, compares what comes down, tries it in ways that must be refused."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus, urlsplit

from models.account import StoredFile
from models.characters import visible
from models.fulfillment import Evidence, IssueDownloadLink, TryLink
from wizard.delivery.browser import HEAD_IS_NOT_KNOWN, Browser, Downloaded, ServerError
from wizard.delivery.errors import ActionRequired, BackendError, Rejected
from wizard.delivery.replies import behind, is_passing

TRIED = {"tampered": "a changed link", "used_up": "the link once more than allowed", "expired": "the old link"}

HEAD_IS_REFUSED = (405, HEAD_IS_NOT_KNOWN)
"""What servers answer that give a file by GET alone."""

FORBIDDEN = 403
"""What a storage answers to HEAD by an address that was signed for GET."""

IN_PLACE = {"text/html": "a web page", "application/json": "a message between programs (JSON)"}
"""What comes with a good status from whoever stands in front of a file."""

TOO_MANY = 429
"""What a server may answer to a link that was used as often as it may (RFC 6585, 4)."""

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
    remedy: str = "Add the file to the library again."
    """What to do when other bytes come down."""
    file: StoredFile | None = None
    """What it must not give any more. Where that is not known, every page that says it is good is the file."""

    async def downloads(self, action: IssueDownloadLink) -> Evidence:
        """Compare what comes down with the file of the library."""
        got = await self._got(largest=action.size + MARGIN, is_counted=action.download_limit is not None)
        facts = {"status": str(got.status), "size": str(got.size), "sha256": got.sha256, "expected": action.sha256}
        if got.page is not None:
            return seen(False, f"{self._called} does not work: {got.page.says}", facts)
        if got.sha256 != action.sha256:
            return seen(False, self._wrong(got, action), facts)
        same = f"{self.who} downloaded “{action.filename}” by {self.called}: {got.size} bytes, the same as yours."
        return seen(True, same, facts)

    async def is_stopped(self) -> Evidence:
        """Open the link after it was taken away."""
        got = await self._got()
        if (refusal := self._refusal(got)) is None:
            cache = f" A cache in front of it may keep it ({got.cached}): exclude links to files there."
            still = f"The old link still gives the file to {self.who}.{cache if got.cached else ''}"
            return seen(True, still, {"status": str(got.status)})
        return seen(False, f"The old link is refused: {refusal}", {"status": str(got.status)})

    async def tried(self, action: TryLink, expected: Mapping[str, int], *, was_stopped: bool) -> Evidence:
        """Open it in a way in which it must be refused. `expected`: the status of each refusal, where it is known;
        `was_stopped`: whether the run was, and a download may have been made once more than planned.

        Raises Rejected for a refusal with another status.
        """
        for number in range(action.downloads):
            if refusal := self._refusal(await self._got(is_counted=True, known={TOO_MANY})):
                if was_stopped:
                    before = "A download that was made before the run was stopped counts too"
                    return seen(False, f"{self.who} was refused: {refusal} {before}.")
                early = f"Download {number + 1} of {action.downloads}, which is within the limit, was refused"
                return seen(True, f"{early}: {refusal}")
        changed = tampered(self.link, self.file.filename if self.file else "")
        known = {expected.get(action.how), TOO_MANY if action.how == "used_up" else None}
        link = changed if action.how == "tampered" else self.link
        got = await self._got(link, is_counted=action.how == "used_up", known=known)
        facts = {"status": str(got.status), "downloads": str(action.downloads)}
        if (refusal := self._refusal(got)) is None:
            return seen(True, f"{self.who} got the file with {TRIED[action.how]}.", facts)
        if got.status != expected.get(action.how, got.status):
            raise Rejected(f"{self.who} tried {TRIED[action.how]} and was refused for another reason: {refusal}")
        return seen(False, f"{self.who} tried {TRIED[action.how]} and was refused: {refusal}", facts)

    async def is_kept(self, kept: IssueDownloadLink, reason: str) -> Evidence:
        """See whether it still works: by downloading it where that costs nothing, else by asking for its head."""
        if kept.download_limit is None:
            evidence = await self.downloads(kept)
            return evidence.model_copy(update={"detail": f"Kept: {reason}. {evidence.detail}"})
        peek = await self.browser.peek(self.link)
        facts = {"status": str(peek.status), **({} if peek.size is None else {"size": str(peek.size)})}
        if peek.status in HEAD_IS_REFUSED or (peek.is_elsewhere and peek.status == FORBIDDEN):
            untold = "Whether it works was not tried: its server does not answer HEAD, and a download would count."
            return Evidence(allowed=True, proven_by="nobody", detail=f"Kept: {reason}. {untold}", facts=facts)
        works = peek.status == 200 and peek.size in (None, kept.size)
        said = f"{self._called} {'works' if works else 'does not work any more'}."
        return seen(works, f"Kept: {reason}. {said}", facts)

    async def _got(
        self, link: str = "", *, largest: int = 0, is_counted: bool = False, known: Collection[int | None] = ()
    ) -> Downloaded:
        """What comes by a link. `is_counted`: whether each try may count as a download; `known`: what a refusal may be
        that would else be one for a moment.

        Raises ActionRequired where nobody is let through to the link, and Retriable – BackendError for what counts –
        for what may be over a moment later: neither says anything of the link.
        """
        largest = largest or (self.file.size + MARGIN if self.file else 0)
        host = urlsplit(self.link).netloc
        try:
            got = await self.browser.download(link or self.link, largest=largest)
            if got.page is not None and is_passing(got.status) and got.status not in known:
                raise ServerError(f"{host} answered the download with {got.status}.", place=host)
        except ServerError as error:
            if not is_counted:
                raise
            # A try that fails may count: the last one would be refused for that, and hide the reason.
            raise BackendError(f"{error} It was not tried again, because each try may count as a download.") from error
        if got.page is not None and got.page.gate:
            raise ActionRequired(behind(got.page.gate, host))
        return got

    def _wrong(self, got: Downloaded, action: IssueDownloadLink) -> str:
        """What came down in place of the file, as a sentence with what to do."""
        what = IN_PLACE.get(got.kind)
        if what is not None and got.kind != action.media_type:
            return (
                f"The link gave {self.who} {what} in place of “{action.filename}”. Does something in front of it, such "
                "as a login, answer first? Let the link lead to the file itself."
            )
        return (
            f"The link gave {self.who} other bytes than the file you chose: {got.size} bytes instead of {action.size}. "
            f"{self.remedy}"
        )

    def _refusal(self, got: Downloaded) -> str | None:
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


def tampered(link: str, filename: str = "") -> str:
    """The link with one letter changed, where it counts: in the middle of the part that looks most like a token, which
    is the one of the most different letters. A part that is the file's name is none."""
    parts = urlsplit(link)
    values = (each.partition("=")[2] for each in parts.query.split("&"))
    named = [part for part in (*parts.path.split("/"), *values) if part]
    candidates = [part for part in named if not filename or filename not in unquote_plus(part)]
    token = max(candidates, key=lambda part: (len(set(part)), len(part)), default="")
    if not token:
        return f"{link}A"
    at = link.rindex(token) + len(token) // 2
    # Not the same letter in the other case: some servers tell no difference.
    return f"{link[:at]}{'A' if link[at] not in 'Aa' else 'B'}{link[at + 1 :]}"
