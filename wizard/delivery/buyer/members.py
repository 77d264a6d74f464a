"""Those who go into a site of the seller's as its buyers: by the login that they were given, or by a link.

After access was taken away, somebody who has been in and is turned away has seen something; somebody who has never been
in, and now cannot get in, has seen nothing. And a link may be good for one time only: each is opened once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from models.characters import visible
from models.fulfillment import Action, Evidence
from wizard.delivery.backend import Context, Surroundings
from wizard.delivery.browser import Browser
from wizard.delivery.buyer.links import seen
from wizard.delivery.buyer.proof import on_its_word, visit
from wizard.delivery.errors import ActionRequired
from wizard.delivery.page import Page
from wizard.delivery.replies import behind
from wizard.sale.expectation import hoped_for

SIGN_IN = "sign_in_url"

LOGIN = ("login_page", "login_email", "login_password")

BEFORE = "was signed in from before"


@dataclass
class Member:
    """A buyer at the site: their browser, and what they have done with it."""

    browser: Browser
    opened: set[str] = field(default_factory=set)
    """The links that signed them in."""
    has_been_in: bool = False
    """Whether they have read a proof page."""


@dataclass(frozen=True, slots=True)
class Way:
    """How somebody went in, as part of a sentence."""

    how: str
    refused: Page | None = None
    """The page on which it ended."""
    remark: str = ""


class Members:
    """The buyers of a run at one site."""

    def __init__(self, around: Surroundings, name: str, written: str) -> None:
        """`name`: what the seller calls the site; `written`: where its settings stand, as part of a sentence."""
        self._around = around
        self._name = name
        self._written = written
        self._members: dict[str, Member] = {}

    async def see(
        self, action: Action, given: Mapping[str, str], pages: Sequence[str], context: Context, word: str
    ) -> Evidence:
        """Go in with what was `given`, read the pages that only members can read, and say what was seen. `word`: what
        the site itself says, as a sentence, for where nobody can go in."""
        gives = hoped_for(action)
        member = self._members.setdefault(context.buyer.email, Member(self._around.new_browser()))
        member.browser.exchanges.clear()  # they stand in an earlier evidence
        if not gives and member.has_been_in:
            still = await self._read(action, pages, member, Way(BEFORE), context)
            if still.allowed or not _is_login(given):
                return still
        way = await self._go_in(member, given)
        if way is None:
            no_way = (
                f"Its reply held no {SIGN_IN} and no login, so nobody can read the proof page as the buyer: let it "
                "answer with one."
            )
            return on_its_word(self._written, gives, word, missing=no_way)
        if gives and way.refused is not None:
            got = f"{visible(context.buyer.name, '')} could not {way.how}: {way.refused.says}"
            facts = {"page": way.refused.url, "status": str(way.refused.status)}
            return seen(False, got, facts).model_copy(update={"exchanges": tuple(member.browser.exchanges)})
        evidence = await self._read(action, pages, member, way, context)
        if gives or evidence.allowed or member.has_been_in:
            return evidence
        unknown = "But nobody has seen the way in work since the run was stopped, so that may be another reason."
        return evidence.model_copy(update={"proven_by": "platform", "detail": f"{evidence.detail} {unknown}"})

    async def _go_in(self, member: Member, given: Mapping[str, str]) -> Way | None:
        """Log in, or open the link; None where there is nothing to go in with."""
        remark = ""
        if _is_login(given):
            fresh = self._around.new_browser()  # else an earlier sign-in would stand in for the login
            page = await fresh.open(given["login_page"], anywhere=True)
            if page.gate:
                raise ActionRequired(behind(page.gate, urlsplit(page.url).netloc))
            if page.status >= 400:
                return Way("open the login page", page)
            if await fresh.log_in(page, given["login_email"], given["login_password"]) is not None:
                member.browser = fresh
                return Way(f"used the login that “{self._name}” gave")
            remark = f" The login was not tried: {urlsplit(page.url).netloc} shows no form for it."
        link = given.get(SIGN_IN)
        if link and link not in member.opened:
            page = await member.browser.open(link, anywhere=True)
            member.opened.add(link)
            how = f"by the link that “{self._name}” gave"
            return Way(f"sign in {how}", page) if page.status >= 400 else Way(f"signed in {how}", remark=remark)
        return Way(BEFORE, remark=remark) if member.opened or member.has_been_in else None

    async def _read(self, action: Action, pages: Sequence[str], member: Member, way: Way, context: Context) -> Evidence:
        """Read each page. The first that is not as is hoped decides."""
        people = visit(pages[0], self._written, self._around, context, buyer=member.browser)
        how = "had no way in" if way.refused is not None else way.how
        read: list[Evidence] = []
        for page in pages:
            read.append(await replace(people, url=page).read(action, how))
            member.has_been_in = member.has_been_in or read[-1].allowed
            if read[-1].allowed is not hoped_for(action):
                return read[-1]
        told = " ".join(evidence.detail for evidence in read)
        return read[-1].model_copy(update={"detail": f"{told}{way.remark}"})


def _is_login(given: Mapping[str, str]) -> bool:
    return all(given.get(name) for name in LOGIN)
