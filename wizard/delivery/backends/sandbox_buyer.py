"""The buyer's side of the sandbox: reads mails, logs in, opens pages and links, and says what happened."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from email.message import Message
from urllib.parse import parse_qs, quote, urlsplit

import httpx

from models.addresses import names_buyer
from models.characters import visible
from models.fulfillment import (
    CancelRegistration,
    Evidence,
    Exchange,
    GrantAccess,
    IssueDownloadLink,
    NoteOnBuyer,
    Receipt,
    RegisterAttendee,
    RevokeAccess,
    SendEmail,
    ShowPage,
    TryLink,
)
from wizard.delivery.backend import Context
from wizard.delivery.backends.sandbox_shop import SandboxShop
from wizard.delivery.browser import Browser, body_of, page_of, subject_of
from wizard.delivery.buyer.links import LinkInHand, seen
from wizard.delivery.errors import Rejected
from wizard.delivery.page import Page
from wizard.mail import hypertext

PASSWORD = re.compile(r"\b[a-z2-7]{4}(?:-[a-z2-7]{4}){3}\b")
"""How a password of the sandbox looks in a mail."""
LOGIN_PAGE = re.compile(r"https?://(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?/m/[^/?#]+/login")
"""Where members of the sandbox's memberships log in: another page of that name is another shop's."""
REFUSALS = {"tampered": 404, "used_up": 429, "expired": 410}
"""The status with which the sandbox refuses a link."""


@dataclass(frozen=True, slots=True)
class Login:
    """What a buyer finds in the mail with the login."""

    page: str
    email: str
    password: str


@dataclass(frozen=True, slots=True)
class ReadMail:
    """A mail as its buyer has it."""

    text: str
    links: tuple[str, ...]
    """The addresses that can be followed, in the text and in the HTML part alike."""

    @classmethod
    def of(cls, text: str, page: str | None) -> ReadMail:
        """The letter with this text, and with this HTML part where it has one."""
        found = hypertext.addresses(text)
        followed = found if page is None else hypertext.followed(page)
        return cls(text, tuple(link for link in found if link in followed))


@dataclass(slots=True)
class Memory:
    """What the buyers of a backend have read already, by address."""

    mails: dict[str, Message] = field(default_factory=dict)
    """A mail does not change."""
    mailboxes: dict[str, tuple[Page, Exchange]] = field(default_factory=dict)
    """Nor does a mailbox until something is performed: whoever performs clears it."""


class SandboxBuyer:
    """The buyer of a run, checking one step."""

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        shop: SandboxShop,
        context: Context,
        receipt: Receipt,
        memory: Memory,
    ) -> None:
        self._transport = transport
        self._shop = shop
        self._context = context
        self._receipt = receipt
        self._memory = memory
        self._browser = Browser(transport)
        self._stranger = Browser(transport)
        self._who = visible(context.buyer.name, "")

    @property
    def exchanges(self) -> list[Exchange]:
        """Every request so far, a stranger's last."""
        return [*self._browser.exchanges, *self._stranger.exchanges]

    async def log_in_and_read(self, action: GrantAccess | RevokeAccess) -> Evidence:
        """Log in with the mailed login and open each level's page; a stranger tries as well."""
        pages = self._receipt.proof
        open_to_all = [url for url, proof in pages.items() if (await self._stranger.open(url)).shows(proof)]
        if not action.password_protected:
            return self._open_membership(action, bool(open_to_all))
        if open_to_all:
            raise Rejected(
                f"Anybody can read {open_to_all[0]} without logging in, although “{action.name or action.target}” is "
                "password-protected. Check how the page is protected."
            )
        login = await self._login_in_mails()
        if login is None:
            if isinstance(action, RevokeAccess):
                return seen(False, f"{self._who} has no login, and a stranger is turned away.")
            return await self._did_not_reach("a login", "login_page", "Membership welcome")
        form = await self._browser.open(login.page)
        inside = await self._browser.submit(form, {"email": login.email, "password": login.password})
        if inside.status != 200:
            return seen(False, f"{self._who} could not log in with the mailed login: {inside.says}")
        read, refused = [], ""
        for url, proof in pages.items():
            page = await self._browser.open(url)
            if page.shows(proof):
                read.append(url)
            else:
                refused = f"{url}: {page.says}"
        levels = ", ".join(action.levels)
        facts = {"login_page": login.page, "read": ", ".join(read) or "nothing", "stranger": "turned away"}
        if isinstance(action, RevokeAccess):
            if read:
                return seen(True, f"{self._who} can still read {', '.join(read)} after access was taken.", facts)
            return seen(False, f"{self._who} logged in and was turned away: {refused}", facts)
        if refused:
            return seen(False, f"{self._who} logged in but was turned away: {refused}", facts)
        return seen(
            True, f"{self._who} logged in with the mailed login and read {levels}; a stranger was turned away.", facts
        )

    def _open_membership(self, action: GrantAccess | RevokeAccess, readable: bool) -> Evidence:
        name = action.name or action.target
        if isinstance(action, RevokeAccess) and readable:
            detail = f"“{name}” has no password: whoever knows the address reads it, also after access was taken away."
        elif readable:
            detail = f"{self._who} read {', '.join(action.levels)}. So can anybody: “{name}” has no password."
        else:
            detail = f"{self._who} could not read {', '.join(action.levels)}."
        return seen(readable, detail)

    async def sign_in_and_read(self, action: GrantAccess | RevokeAccess) -> Evidence:
        """Open the platform's sign-in link from its mail, then the gated page; a stranger tries as well."""
        stands_in = (
            "" if action.platform in ("", "sandbox") else f" The sandbox stood in for “{action.name}”: the real "
            "platform was not asked."
        )  # fmt: skip
        ((url, proof),) = list(self._receipt.proof.items())[:1]
        if (await self._stranger.open(url)).shows(proof):
            raise Rejected(f"Anybody can read {url} without signing in. Check how the platform protects the page.")
        path = f"/platform/{quote(action.target)}/sign-in"
        link = await self._address_in_mails(lambda found: urlsplit(found).path == path)
        if link is None:
            if isinstance(action, RevokeAccess):
                return seen(False, f"{self._who} has no way to sign in.{stands_in}")
            return seen(False, f"No mail with a sign-in link reached {self._who}.{stands_in}")
        await self._browser.open(link)
        page = await self._browser.open(url)
        allowed = page.shows(proof)
        facts = {"page": url, "status": str(page.status), "stranger": "turned away", "platform": action.platform}
        if allowed and isinstance(action, GrantAccess):
            said = (
                f"{self._who} signed in by the platform's mail and read {action.levels[0]}; a stranger was turned away."
            )
        elif allowed:
            said = f"{self._who} can still read {url} after access was taken away."
        else:
            said = f"{self._who} was turned away: {page.says}"
        return seen(allowed, said + stands_in, facts)

    async def download(self, action: IssueDownloadLink) -> Evidence:
        """Open the mailed link, and compare what comes down with the file of the library."""
        link = await self._link_in_mails()
        if link is None:
            return await self._did_not_reach("a download link", "download_link", "Download link to buyer")
        if self._context.earlier is not None and action.download_limit == 1:
            links = {found async for letter in self._letters() for found in letter.links if _is_download(found)}
            same = f"{self._who} has the same link as before and no other. It may be used once, and has been."
            return seen(links == {link}, same if links == {link} else f"{self._who} has {len(links)} links.")
        return await self._with(link).downloads(action)

    async def try_old_link(self) -> Evidence:
        """Open the link that was mailed earlier."""
        link = await self._link_in_mails()
        return await self._with(link).is_stopped() if link else seen(False, f"{self._who} has no link.")

    async def try_link(self, action: TryLink) -> Evidence:
        """Open the mailed link in a way in which it must be refused."""
        link = await self._link_in_mails()
        if link is None:
            return seen(True, f"No mail with a download link reached {self._who}, so nothing could be tried.")
        return await self._with(link).tried(action, REFUSALS, was_stopped=self._context.was_stopped)

    async def peek_at_link(self, kept: IssueDownloadLink, reason: str) -> Evidence:
        """See whether the mailed link still works."""
        link = await self._link_in_mails()
        if link is None:
            return seen(False, f"Kept: {reason}. No mail with a download link reached {self._who}.")
        return await self._with(link).is_kept(kept, reason)

    def _with(self, link: str) -> LinkInHand:
        return LinkInHand(link, self._browser, self._who)

    async def find_on_list(self, action: RegisterAttendee | CancelRegistration) -> Evidence:
        """Look for the buyer on the list of attendees."""
        url = next(iter(self._receipt.proof))
        page = await self._browser.open(url)
        found = names_buyer(page.text, self._context.buyer.email)
        where = f"the list of “{action.name or action.target}”"
        said = f"{self._who} stands on {where}." if found else f"{self._who} does not stand on {where}."
        return seen(found, said, {"page": url})

    async def find_mail(self, action: SendEmail) -> Evidence:
        """Look for the mail in the mailbox."""
        found = [message async for message in self._mails() if message["Message-ID"] == self._receipt.reference]
        if not found:
            return seen(False, f"The mail “{action.target}” did not arrive at {self._context.buyer.email}.")
        subject = subject_of(found[0])
        if len(found) > 1:
            return seen(False, f"“{subject}” arrived {len(found)} times: the same mail was sent again.")
        if subject != action.subject or body_of(found[0]).split() != action.body.split():
            return seen(False, f"“{subject}” arrived with another text than was sent.")
        return seen(True, f"“{subject}” is in the mailbox of {self._context.buyer.email}.")

    async def see_page(self, action: ShowPage) -> Evidence:
        """Open the page that is shown after paying."""
        url, expected = next(iter(self._receipt.proof.items()))
        page = await self._browser.open(url)
        whose = "your Thank You page" if action.source == "product" else f"the {action.source}'s confirmation"
        if action.url is not None:
            sent = page.location == action.url
            said = f"{self._who} is sent to {action.url}. That page was not opened: the sandbox stays on this machine."
            return Evidence(allowed=sent, proven_by="platform", detail=said, facts={"sent_to": page.location or ""})
        shown = page.shows(expected)
        said = f"{self._who} is shown {whose}." if shown else f"{self._who} is not shown {whose}, but: {page.says}"
        return seen(shown, said, {"page": url})

    async def look_at_record(self, action: NoteOnBuyer) -> Evidence:
        """Look at the buyer's record: no buyer ever sees it, so it is only the sandbox's word."""
        there = (action.action.removeprefix("un"), action.target) in await self._shop.notes(self._context.buyer.email)
        good = there is (action.action != "unassign_tag")
        said = f"“{action.target}” stands on the record." if there else f"“{action.target}” is not on the record."
        return Evidence(allowed=good, proven_by="platform", detail=said)

    async def _mails(self) -> AsyncIterator[Message]:
        """The buyer's mails, the newest first."""
        mails = self._memory.mails
        for link in (await self._mailbox()).links:
            if re.fullmatch(r"/mailbox/\d+", urlsplit(link).path):
                if link not in mails:
                    mails[link] = await self._browser.read_mail(f"{link}/source")
                self._learn_from(f"{subject_of(mails[link])}\n{body_of(mails[link])}")
                yield mails[link]

    async def _mailbox(self) -> Page:
        url = f"{self._shop.home}/mailbox?to={quote(self._context.buyer.email)}"
        if url not in self._memory.mailboxes:
            page = await self._browser.open(url)
            self._memory.mailboxes[url] = page, self._browser.exchanges[-1]
        else:
            self._browser.exchanges.append(self._memory.mailboxes[url][1])
        page, _ = self._memory.mailboxes[url]
        self._learn_from(page.text)
        return page

    def _learn_from(self, text: str) -> None:
        """Take every password and every token of a link for a secret: a buyer's older mails are of other runs."""
        learn = self._context.secrets.learn
        learn(*PASSWORD.findall(text))
        for found in hypertext.addresses(text):
            address = urlsplit(found)
            tokens = [*parse_qs(address.query).get("token", ())]
            if address.path.startswith("/d/"):
                tokens.append(address.path.removeprefix("/d/"))
            if tokens:
                learn(address.geturl(), *tokens)

    async def _letters(self) -> AsyncIterator[ReadMail]:
        """What the buyer can read in mails, the newest first; those that a real server took are not in this mailbox."""
        for letter in reversed(self._context.letters):
            self._learn_from(f"{letter.subject}\n{letter.body}")
            yield ReadMail.of(letter.body, None)
        async for message in self._mails():
            yield ReadMail.of(body_of(message), page_of(message))

    async def _login_in_mails(self) -> Login | None:
        """The login that this run gave out, in the mail that holds it as it is; a buyer who had one before has it in an
        older mail, and there it is known by how the sandbox's look."""
        given = self._context.values
        page, email, password = (given.get(name, "") for name in ("login_page", "login_email", "login_password"))
        async for letter in self._letters():
            if password:
                if page in letter.links and email in letter.text and password in letter.text:
                    return Login(page, email, password)
            elif names_buyer(letter.text, self._context.buyer.email):
                pages = [found for found in letter.links if LOGIN_PAGE.fullmatch(found)]
                passwords = PASSWORD.findall(letter.text)
                if pages and passwords:
                    return Login(pages[0], self._context.buyer.email, passwords[0])
        return None

    async def _link_in_mails(self) -> str | None:
        given = self._context.values.get("download_link")
        return await self._address_in_mails(lambda found: found == given if given else _is_download(found))

    async def _address_in_mails(self, wanted: Callable[[str], bool]) -> str | None:
        async for letter in self._letters():
            for found in letter.links:
                if wanted(found):
                    return found
        return None

    async def _did_not_reach(self, what: str, variable: str, notification: str) -> Evidence:
        """Why the buyer cannot go on: what was not sent, what cannot be followed as it stands, or what never came."""
        reached = f"No mail with {what} reached {self._who}"
        if self._context.unsent:
            return seen(False, f"{reached}: {self._context.unsent}")
        given = self._context.values.get(variable)
        if given and [each async for each in self._letters() if given in each.text and given not in each.links]:
            beside = "what stands right beside it makes it another address"
            way = f"leave a space around {{{variable}}} in the notification “{notification}”."
            return seen(False, f"A mail with {what} reached {self._who}, and {beside}: {way}")
        return seen(False, f"{reached}. Is the notification “{notification}” switched on?")


def _is_download(address: str) -> bool:
    return urlsplit(address).path.startswith("/d/")
