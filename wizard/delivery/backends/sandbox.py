"""The backend `sandbox`: delivers into the embedded buyer's world, and uses what was delivered as the buyer.

Everything goes over HTTP, in process by default. `perform` speaks to the admin API, as a shop would; `verify` opens
only pages, forms, mails and links that a person could open too.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from starlette.applications import Starlette

from models.account import Connection
from models.fulfillment import (
    Action,
    CallWebhook,
    CancelRegistration,
    CleanUp,
    Evidence,
    GrantAccess,
    IssueDownloadLink,
    KeepAccess,
    NoteOnBuyer,
    Receipt,
    RegisterAttendee,
    RevokeAccess,
    RevokeDownloadLink,
    SendEmail,
    ShowPage,
    TryLink,
)
from models.money import day_in_words
from wizard.delivery.backend import Check, Context, Surroundings
from wizard.delivery.backends import SANDBOX
from wizard.delivery.backends.sandbox_buyer import Memory, SandboxBuyer
from wizard.delivery.backends.sandbox_shop import FILE, SandboxShop
from wizard.delivery.errors import BackendError, Rejected, Retriable
from wizard.sandbox.app import sandbox_in
from wizard.sandbox.clocks import clock_of
from wizard.sandbox.faults import DRILLS, Fault
from wizard.sandbox.world import Unusable, World

NOT_CALLED = "Not called: the sandbox calls no outside address. The backend “webhook” does."

REAL_TIME = timedelta(minutes=1)
"""How far a clock may be off and still be taken for the real one."""


class SandboxBackend:
    """Delivers into the sandbox of the data folder, or into `app` where one is given; in process unless a `transport`
    leads elsewhere, such as to where that app is served."""

    manifest = SANDBOX

    def __init__(
        self,
        surroundings: Surroundings,
        app: Starlette | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Raises BackendError when the sandbox's database or folder cannot be used, or the settings name no fault."""
        self._surroundings = surroundings
        fault = _fault_in(surroundings.settings)
        try:
            app = app or sandbox_in(surroundings.data_dir)
            self._world: World = app.state.world
            home = self._world.home
        except Unusable as error:
            raise (Retriable if error.is_passing else BackendError)(str(error)) from error
        # A crash in the sandbox is a 500 for its visitors, as it would be over the network. Each run is a visitor of
        # its own: the failed logins of one are not held against another.
        visitor = (f"test-fire {uuid4().hex}", 0)
        self._transport = transport or httpx.ASGITransport(app, raise_app_exceptions=False, client=visitor)
        self._shop = SandboxShop(self._transport, home, self._world.admin_token, fault)
        self._clocks: dict[str, datetime | None] = {}
        """The simulated time that each run set last; None for a run in the real time."""
        self._memory = Memory()

    async def check(self) -> Check:
        """See `Backend`."""
        reply = await self._shop.get("/admin/health")
        return Check(bool(reply["ok"]), "The sandbox answers.")

    async def check_connection(self, connection: Connection) -> Check:
        """Send a signed request that changes nothing to the platform that the sandbox plays."""
        status = await self._shop.signed(connection.slug, "ping", {}, key=f"check-{connection.slug}")
        if status == 204:
            return Check(True, "The sandbox's platform took a signed request.")
        return Check(False, f"The sandbox's platform answered {status} to a signed request.")

    async def perform(self, action: Action, context: Context) -> Receipt:
        """See `Backend`."""
        self._memory.mailboxes.clear()
        shop = self._shop.for_step(context)
        await self._set_clock(context, shop)
        receipt = await self._perform(action, context, shop)
        return receipt.model_copy(update={"exchanges": tuple(shop.exchanges)})

    async def _set_clock(self, context: Context, shop: SandboxShop) -> None:
        """Let the run's time pass in the sandbox too, where it is not the real one."""
        if context.run not in self._clocks:  # it may be a run that another process began
            try:
                self._clocks[context.run] = await asyncio.to_thread(clock_of, self._world, context.run)
            except Unusable as error:
                raise Retriable(str(error)) from error
        before, now = self._clocks[context.run], context.now()
        if now == before or (before is None and abs(now - datetime.now(UTC)) <= REAL_TIME):
            return
        await shop.set_clock(context.run, now)
        self._clocks[context.run] = now

    async def _perform(self, action: Action, context: Context, shop: SandboxShop) -> Receipt:
        match action:
            case GrantAccess(via="hosted"):
                return await self._grant(action, context, shop)
            case RevokeAccess(via="hosted"):
                common = {"name": action.name, "password_protected": action.password_protected}
                order = {"membership": action.target, "levels": action.levels, "create_login": False, **common}
                reply = await shop.order("access/revoke", order)
                ended = f"{', '.join(action.levels)} taken away."
                return Receipt(reference=context.key, detail=ended, proof=reply["pages"])
            case GrantAccess() | RevokeAccess():
                return await self._tell_platform(action, context, shop)
            case IssueDownloadLink():
                return await self._issue_link(action, context, shop)
            case RevokeDownloadLink():
                await shop.order("links/stop", {"file": action.target})
                return Receipt(reference=context.key, detail="Every link to the file is stopped.")
            case RegisterAttendee():
                reply = await shop.order("attendees", {"kind": action.kind, "slug": action.target, "name": action.name})
                registered = f"Registered: {action.name or action.target}."
                return Receipt(reference=context.key, detail=registered, proof={reply["attendees"]: ""})
            case CancelRegistration():
                reply = await shop.order("attendees/take-off", {"kind": action.kind, "slug": action.target})
                return Receipt(reference=context.key, detail="Taken off the list.", proof={reply["attendees"]: ""})
            case SendEmail():
                reply = await shop.order("mails", {"subject": action.subject, "body": action.body})
                return Receipt(reference=reply["message_id"], detail=f"“{action.subject}” was mailed.")
            case ShowPage():
                title = {"product": "Thank you", "calendar": "Your booking", "webinar": "Your webinar"}[action.source]
                reply = await shop.order("pages", {"title": title, "text": action.text, "url": action.url})
                return Receipt(reference=context.key, detail="The page is up.", proof={reply["page"]: action.text})
            case NoteOnBuyer():
                await shop.order("notes", {"kind": action.action, "target": action.target})
                return Receipt(reference=context.key, detail=f"{action.action.replace('_', ' ')}: {action.target}.")
            case CallWebhook():
                return Receipt(reference=context.key, detail=NOT_CALLED)
            case KeepAccess():
                return Receipt(reference=context.key, detail=action.reason, proof=await self._kept(action, shop))
            case TryLink():
                return Receipt(reference=context.key)
            case CleanUp():
                return Receipt(reference=context.key, detail=await self.clean_up(context))
            case _:  # one of a newer version
                raise Rejected(f"The sandbox does not know the action “{action.action}”.")

    async def _grant(self, action: GrantAccess, context: Context, shop: SandboxShop) -> Receipt:
        order = {
            "membership": action.target,
            "name": action.name,
            "levels": action.levels,
            "password_protected": action.password_protected,
            "create_login": action.create_login,
            "until": action.until.isoformat() if action.until else None,
        }
        reply = await shop.order("access", order)
        values = {"login_page": reply["login_page"], "login_email": context.buyer.email}
        detail = f"{', '.join(action.levels)} granted."
        if "login_password" in reply:
            values["login_password"] = reply["login_password"]
            context.secrets.learn(reply["login_password"])
            detail = f"{', '.join(action.levels)} granted, and a login made."
        return Receipt(reference=context.key, detail=detail, values=values, proof=reply["pages"])

    async def _tell_platform(self, action: GrantAccess | RevokeAccess, context: Context, shop: SandboxShop) -> Receipt:
        event = "access.granted" if isinstance(action, GrantAccess) else "access.revoked"
        proof: dict[str, str] = {}
        for level in action.levels:
            until = action.until.timestamp() if isinstance(action, GrantAccess) and action.until else None
            data = {"email": context.buyer.email, "name": context.buyer.name, "level": level, "until": until}
            key = f"{context.key}-{hashlib.sha256(level.encode()).hexdigest()[:8]}"
            status = await shop.signed(action.target, event, {**data, "run": context.run}, key=key)
            if status != 204:
                raise Rejected(f"The platform refused the signed request with {status}.")
            proof |= await shop.platform_pages(action.target, level)
        return Receipt(reference=context.key, detail=f"The platform took a signed “{event}”.", proof=proof)

    async def _issue_link(self, action: IssueDownloadLink, context: Context, shop: SandboxShop) -> Receipt:
        if not await shop.has_file(action.sha256):
            await shop.hand_in(action.sha256, await self._path_of(action.target))
        order = {
            "file": action.target,
            "sha256": action.sha256,
            "filename": action.filename,
            "media_type": action.media_type,
            "download_limit": action.download_limit,
            "link_lifetime": action.link_lifetime,
            "access_until": action.access_until.isoformat() if action.access_until else None,
        }
        reply = await shop.order("links", order)
        context.secrets.learn(reply["download_link"], reply["download_link"].rpartition("/")[2])
        ends = datetime.fromtimestamp(reply["expires_at"], UTC)
        until = f"{day_in_words(ends.date())}, {ends:%H:%M} UTC"
        values = {"download_link": reply["download_link"], "link_expires": until, "file_name": action.filename}
        return Receipt(reference=context.key, detail=f"A link was made; it works until {until}.", values=values)

    async def _path_of(self, file: str) -> Path:
        if self._surroundings.path_of_file is None:
            raise Rejected(f"The file “{file}” cannot be read: there is no library.", FILE)
        try:
            return await asyncio.to_thread(self._surroundings.path_of_file, file)
        except Exception as error:  # the library's own refusals: it says why in words
            raise Rejected(f"The file “{file}” cannot be read from the library: {error}", FILE) from error

    async def _kept(self, action: KeepAccess, shop: SandboxShop) -> dict[str, str]:
        match action.kept:
            case GrantAccess(via="hosted", target=membership, levels=levels):
                return await shop.membership_pages(membership, levels)
            case GrantAccess(target=connection, levels=levels):
                return await shop.platform_pages(connection, levels[0])
            case RegisterAttendee(kind=kind, target=slug):
                return {f"{self._shop.home}/attendees/{kind}/{slug}": ""}
        return {}

    async def verify(self, action: Action, receipt: Receipt, context: Context) -> Evidence:
        """See `Backend`."""
        await self._set_clock(context, self._shop)
        buyer = SandboxBuyer(self._transport, self._shop, context, receipt, self._memory)
        evidence = await self._verify(action, buyer)
        return evidence.model_copy(update={"exchanges": tuple(buyer.exchanges)})

    async def _verify(self, action: Action, buyer: SandboxBuyer) -> Evidence:
        match action:
            case GrantAccess() | RevokeAccess():
                return await (
                    buyer.log_in_and_read(action) if action.via == "hosted" else buyer.sign_in_and_read(action)
                )
            case IssueDownloadLink():
                return await buyer.download(action)
            case RevokeDownloadLink():
                return await buyer.try_old_link()
            case RegisterAttendee() | CancelRegistration():
                return await buyer.find_on_list(action)
            case SendEmail():
                return await buyer.find_mail(action)
            case ShowPage():
                return await buyer.see_page(action)
            case NoteOnBuyer():
                return await buyer.look_at_record(action)
            case CallWebhook():
                return Evidence(allowed=True, proven_by="nobody", detail=f"{action.target}: {NOT_CALLED}")
            case KeepAccess():
                return await self._still_held(action, buyer)
            case TryLink():
                return await buyer.try_link(action)
            case CleanUp():
                return Evidence(allowed=True, proven_by="platform", detail="Cleaned up.")

    async def _still_held(self, action: KeepAccess, buyer: SandboxBuyer) -> Evidence:
        if action.kept is None:
            return Evidence(allowed=True, proven_by="nobody", detail=f"Nothing to do: {action.reason}.")
        if isinstance(action.kept, IssueDownloadLink):
            return await buyer.peek_at_link(action.kept, action.reason)
        evidence = await self._verify(action.kept, buyer)
        return evidence.model_copy(update={"detail": f"Kept: {action.reason}. {evidence.detail}"})

    async def clean_up(self, context: Context) -> str:
        """See `Backend`."""
        left = await self._shop.clean_up(context.run)
        if not left:
            return "Everything this run created was removed."
        return f"The login of {', '.join(left)} was left: another run gave it access too."


def _fault_in(settings: Mapping[str, Any]) -> Fault | None:
    wanted = settings.get("fault")
    if wanted in (None, ""):
        return None
    if wanted not in DRILLS:
        raise Rejected(f"There is no fault “{wanted}”. There are {', '.join(DRILLS)}.")
    return Fault(wanted)
