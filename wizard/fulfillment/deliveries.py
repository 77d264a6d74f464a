"""The four access options as deliveries: how each begins, is kept, and ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from models.access import AccessKind, DownloadableFile, HostedMembership, IntegratedMembership
from models.account import Bookable, Membership
from models.fulfillment import (
    Action,
    CancelRegistration,
    GrantAccess,
    IssueDownloadLink,
    KeepAccess,
    RegisterAttendee,
    RevokeAccess,
    RevokeDownloadLink,
)
from wizard.fulfillment.sold import Held, NotReady, Sold

ACCESS = "post_sale.access"


@dataclass(frozen=True, slots=True)
class Delivery:
    """The chosen access option, made ready. Both `gives` and `takes` are None where nothing is delivered."""

    kind: AccessKind
    target: str
    gives: GrantAccess | IssueDownloadLink | RegisterAttendee | None
    takes: RevokeAccess | RevokeDownloadLink | CancelRegistration | None

    def begin(self, held: Held, now: datetime) -> list[Action]:
        """What a purchase gives to a buyer who may hold some of it already."""
        gives = self.gives
        if gives is None:
            return [KeepAccess(target=self.target, reason="the product has no access page")]
        if isinstance(gives, RegisterAttendee) and held.registered:
            return [self.keep("already registered")]
        if isinstance(gives, GrantAccess) and gives.via == "hosted" and held.levels and not held.has_run_out(now):
            if gives.until is not None:
                return [gives]  # bought again, it lasts longer
            new = tuple(level for level in gives.levels if level not in held.levels)
            if not new:
                return [self.keep("the buyer holds every level already")]
            return [gives.model_copy(update={"levels": new})]
        return [gives]

    def keep(self, reason: str, *, used: bool = True) -> KeepAccess:
        """Nothing changes, and why. `used`: whether the access is to be tried again as the buyer."""
        return KeepAccess(target=self.target, reason=reason, kept=self.gives if used else None)

    def end(self, reason: str) -> list[Action]:
        """What takes the access away."""
        if self.takes is None:
            return [KeepAccess(target=self.target, reason=f"{reason}; nothing was delivered that could be taken back")]
        return [self.takes]


def delivery(sold: Sold, now: datetime) -> Delivery:
    """Make the chosen option ready. Raises NotReady when none is chosen or its target is gone."""
    access = sold.answers.post_sale.access
    if access.kind is None:
        raise NotReady(f"{ACCESS}.kind", "Choose how buyers receive what they bought: one of four options.")
    if access.kind is AccessKind.HOSTED_MEMBERSHIP:
        return _hosted(sold, access.hosted_membership, now)
    if access.kind is AccessKind.INTEGRATED_MEMBERSHIP:
        return _integrated(sold, access.integrated_membership, now)
    if access.kind is AccessKind.DOWNLOADABLE_FILE:
        return _file(sold, access.downloadable_file, now)
    linked = booked(sold)
    if linked is None:
        return Delivery(access.kind, sold.product.slug, None, None)
    kind, bookable = linked
    return Delivery(
        access.kind,
        bookable.slug,
        RegisterAttendee(target=bookable.slug, kind=kind, name=bookable.name),
        CancelRegistration(target=bookable.slug, kind=kind, name=bookable.name),
    )


def _until(sold: Sold, now: datetime, *days: int | None) -> datetime | None:
    limits = [limit for limit in (sold.policy.expires_after_days, *days) if limit is not None]
    try:
        return now + timedelta(days=min(limits)) if limits else None
    except OverflowError:  # a hundred years from a far future: as good as never
        return None


def _hosted(sold: Sold, chosen: HostedMembership, now: datetime) -> Delivery:
    field = f"{ACCESS}.hosted_membership"
    if not chosen.membership:
        raise NotReady(f"{field}.membership", "Choose the membership that buyers get into.")
    membership = membership_of(sold, chosen.membership, f"{field}.membership")
    if not chosen.levels:
        raise NotReady(f"{field}.levels", "Choose at least one level.")
    for level in chosen.levels:
        if level not in membership.levels:
            raise NotReady(f"{field}.levels", f"“{membership.name}” has no level “{level}” any more.")
    common = {
        "target": membership.slug,
        "levels": chosen.levels,
        "password_protected": membership.password_protected,
        "name": membership.name,
    }
    login = membership.password_protected or chosen.send_login_details
    return Delivery(
        AccessKind.HOSTED_MEMBERSHIP,
        membership.slug,
        GrantAccess.model_validate(common | {"create_login": login, "until": _until(sold, now)}),
        RevokeAccess.model_validate(common),
    )


def _integrated(sold: Sold, chosen: IntegratedMembership, now: datetime) -> Delivery:
    field = f"{ACCESS}.integrated_membership"
    connection = next((c for c in sold.account.account.connections if c.slug == chosen.connection), None)
    if connection is None:
        gone = f"The connection “{chosen.connection}” is gone: choose another one."
        raise NotReady(f"{field}.connection", gone if chosen.connection else "Choose a connection.")
    if why := sold.account.unreadable.get(connection.slug):
        raise NotReady(f"{field}.connection", f"“{connection.name}” cannot be asked. {why}")
    if not chosen.level:
        raise NotReady(f"{field}.level", f"Say which level on “{connection.name}” buyers get.")
    common = {
        "target": connection.slug,
        "levels": (chosen.level,),
        "via": "connection",
        "name": connection.name,
        "platform": connection.kind.value,
    }
    return Delivery(
        AccessKind.INTEGRATED_MEMBERSHIP,
        connection.slug,
        GrantAccess.model_validate(common | {"create_login": False, "until": _until(sold, now)}),
        RevokeAccess.model_validate(common),
    )


def _file(sold: Sold, chosen: DownloadableFile, now: datetime) -> Delivery:
    field = f"{ACCESS}.downloadable_file.file"
    if not chosen.file:
        raise NotReady(field, "Choose the file that buyers download.")
    stored = sold.account.files.get(chosen.file)
    if stored is None:
        raise NotReady(field, f"The file “{chosen.file}” is not in your file library: add it again or choose another.")
    return Delivery(
        AccessKind.DOWNLOADABLE_FILE,
        stored.slug,
        IssueDownloadLink(
            target=stored.slug,
            sha256=stored.sha256,
            size=stored.size,
            filename=stored.filename,
            media_type=stored.media_type,
            download_limit=chosen.download_limit,
            link_lifetime=chosen.link_lifetime,
            access_until=_until(sold, now, chosen.access_days),
        ),
        RevokeDownloadLink(target=stored.slug),
    )


def link_ends(action: IssueDownloadLink, now: datetime) -> datetime:
    """When a link that is made now stops to work."""
    ends = now + timedelta(seconds=action.link_lifetime)
    return min(ends, action.access_until) if action.access_until else ends


def booked(sold: Sold) -> tuple[Literal["calendar", "webinar"], Bookable] | None:
    """The linked calendar or webinar, if the option wants one. Raises NotReady when it is not chosen or gone."""
    access = sold.answers.post_sale.access
    if access.kind is not AccessKind.NO_ACCESS_PAGE:
        return None
    chosen = access.no_access_page
    field = f"{ACCESS}.no_access_page"
    if chosen.reason is None:
        raise NotReady(f"{field}.reason", "Choose what is sold: goods, a service, an event, a calendar or a webinar.")
    if chosen.reason == "calendar":
        return "calendar", _bookable(chosen.calendar, sold.account.account.calendars, f"{field}.calendar")
    if chosen.reason == "webinar":
        return "webinar", _bookable(chosen.webinar, sold.account.account.webinars, f"{field}.webinar")
    return None


def _bookable(slug: str | None, among: tuple[Bookable, ...], field: str) -> Bookable:
    kind = field.rpartition(".")[2]
    for bookable in among:
        if bookable.slug == slug:
            return bookable
    raise NotReady(field, f"The {kind} “{slug}” is gone: choose another." if slug else f"Choose the linked {kind}.")


def membership_of(sold: Sold, slug: str, field: str) -> Membership:
    """The seller's membership. Raises NotReady when it is gone."""
    for membership in sold.account.account.memberships:
        if membership.slug == slug:
            return membership
    raise NotReady(field, f"The membership “{slug}” is gone: choose another one.")


def rule_level(sold: Sold, target: str, field: str) -> tuple[Membership, str]:
    """What a rule's `membership/level` means. Without a level it is the membership's only one."""
    slug, _, level = target.partition("/")
    membership = membership_of(sold, slug.strip(), field)
    level = level.strip() or (membership.levels[0] if len(membership.levels) == 1 else "")
    if level not in membership.levels:
        names = ", ".join(f"{membership.slug}/{name}" for name in membership.levels)
        raise NotReady(field, f"Write the membership and its level: {names}.")
    return membership, level
