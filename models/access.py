"""The module Accessing your product contents: how buyers receive what they bought, one of four options [K]."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

from models.ask import Answers, Ask, Suggestion, always
from models.choice import Choice
from models.general import ProductKind
from models.text import ForeignName, Slug, Text, is_level

if TYPE_CHECKING:
    from models.references import References


class AccessKind(Choice):
    """The four access options [K]: what each does, and what it is best for."""

    HOSTED_MEMBERSHIP = (
        "hosted_membership",
        "{host}-hosted membership",
        "they log in: courses, gated content, hubs",
        "Best for courses, memberships and resource hubs.",
    )
    INTEGRATED_MEMBERSHIP = (
        "integrated_membership",
        "Integrated membership",
        "your site on another platform lets them in",
        "Best where you already run a site elsewhere.",
    )
    DOWNLOADABLE_FILE = (
        "downloadable_file",
        "Downloadable file",
        "a secure link by mail: PDF, audio, video, ZIP",
        "Best for worksheets, recordings and bundles.",
    )
    NO_ACCESS_PAGE = (
        "no_access_page",
        "No access page",
        "you ship, meet or host: goods, coaching, events",
        "Best for goods, coaching, tickets and webinars.",
    )


class Reason(Choice):
    """Why a product needs no access page [K: the examples]."""

    PHYSICAL = "physical", "Physical goods", "you ship it"
    SERVICE = "service", "Service", "you get in touch"
    EVENT_TICKET = "event_ticket", "Event ticket", "they come to your event"
    CALENDAR = "calendar", "Linked calendar", "they are registered on a calendar"
    WEBINAR = "webinar", "Linked webinar", "they are registered for a webinar"
    EXTERNAL = "external", "Something else", "you deliver it yourself"


KIND_SUITS: dict[ProductKind, tuple[AccessKind, Reason | None]] = {
    ProductKind.DIGITAL: (AccessKind.DOWNLOADABLE_FILE, None),
    ProductKind.MEMBERSHIP: (AccessKind.HOSTED_MEMBERSHIP, None),
    ProductKind.PHYSICAL: (AccessKind.NO_ACCESS_PAGE, Reason.PHYSICAL),
    ProductKind.SERVICE: (AccessKind.NO_ACCESS_PAGE, Reason.SERVICE),
    ProductKind.EVENT: (AccessKind.NO_ACCESS_PAGE, Reason.WEBINAR),
}
"""The option, and the reason for having no access page, that each kind of product suggests."""


def _option_for(product: Any) -> Suggestion | None:
    kind = product.general.kind
    return Suggestion(KIND_SUITS[kind][0], kind.label)


def _reason_for(product: Any) -> Suggestion | None:
    kind = product.general.kind
    reason = KIND_SUITS[kind][1]
    return Suggestion(reason, kind.label) if reason else None


def _as_level(text: str) -> str:
    """A level by the name that its membership knows it by; `club/Gold` is one of another membership."""
    membership, slash, level = text.rpartition("/")
    try:
        return f"{membership}{slash}{is_level(level)}"
    except ValueError:
        return text  # that there is no such level, the membership says


def _levels_of_another_membership(before: Any, after: Any, references: References) -> Any:
    """Keep the levels when the membership changes: those it lacks are named with the old membership. Where none was
    chosen and the membership has only one, it is that one."""
    old, chosen = _hosted(before), references.membership(_hosted(after).membership)
    if chosen is not None and not old.levels and len(chosen.levels) == 1:
        return _with_levels(after, chosen.levels)
    if chosen is None or old.membership is None:
        return after
    kept = []
    for level in old.levels:
        name = level if "/" in level else f"{old.membership}/{level}"
        owner, _, bare = name.partition("/")
        kept.append(bare if owner == chosen.slug or bare in chosen.levels else name)
    return _with_levels(after, tuple(dict.fromkeys(kept)))


def _hosted(product: Any) -> HostedMembership:
    hosted: HostedMembership = product.post_sale.access.hosted_membership
    return hosted


def _with_levels(product: Any, levels: tuple[str, ...]) -> Any:
    access = product.post_sale.access
    hosted = access.hosted_membership.model_copy(update={"levels": levels})
    sale = product.post_sale.model_copy(update={"access": access.model_copy(update={"hosted_membership": hosted})})
    return product.model_copy(update={"post_sale": sale})


def _levels_that_are_none(product: Any, references: References) -> Iterator[tuple[str, str]]:
    membership = references.membership(_hosted(product).membership)
    if membership is None:
        return
    for level in _hosted(product).levels:
        if level not in membership.levels:
            yield "", f"{level} is not a level of {membership.name}: choose among {', '.join(membership.levels)}"


def _login_is_always_mailed(product: Any, references: References) -> str:
    membership = references.membership(_hosted(product).membership)
    return "always, since it is password-protected" if membership and membership.password_protected else ""


class HostedMembership(Answers):
    """They log in to a membership that the host keeps."""

    membership: Annotated[
        Slug | None,
        Ask("Membership", "The place with your gated content.", kind="reference", subject="membership",
            required=always, follows=_levels_of_another_membership),
    ] = None  # fmt: skip
    levels: Annotated[
        Annotated[tuple[Annotated[str, AfterValidator(_as_level)], ...], Field(max_length=10)],
        Ask(
            "Levels",
            "What the buyer may see. One or more.",
            kind="references",
            subject="level",
            required=always,
            conflicts=_levels_that_are_none,
        ),
    ] = ()
    send_login_details: Annotated[
        bool,
        Ask("Login mail", "Mails the buyer a login. Always on for a password-protected membership.",
            kind="switch", fixed=_login_is_always_mailed),
    ] = False  # fmt: skip


class IntegratedMembership(Answers):
    """Another platform hosts the content and controls who may see it."""

    connection: Annotated[
        Slug | None,
        Ask("Connection", "Your account on the other platform. It must be checked before you go live.",
            kind="reference", subject="connection", required=always),
    ] = None  # fmt: skip
    level: Annotated[
        ForeignName,
        Ask(
            "Level",
            "The level, tier or role on that platform.",
            required=always,
            placeholder="gold",
        ),
    ] = ""


UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
"""The letters of a length of time, in seconds."""


SHORTEST, LONGEST = 60, 604_800
"""The lifetimes of a link, in seconds: a minute, and seven days."""


def _as_seconds(value: object) -> object:
    """Read 30m, 24h or 7d as seconds; leave everything else to the rule that follows."""
    if isinstance(value, str):
        number, unit = value.strip()[:-1].strip(), value.strip()[-1:].lower()
        if unit in UNITS and number.isdecimal() and number.isascii():
            return int(number) * UNITS[unit]
        if not value.strip().isdecimal():
            raise ValueError("write a number with s, m, h or d: 30m, 24h, 7d")
    return value


def _as_lifetime(value: object) -> object:
    """Read a length of time; refuse one that is too short or too long in the units in which it is written."""
    seconds = _as_seconds(value)
    plain = seconds.strip() if isinstance(seconds, str) else seconds
    number = int(plain) if isinstance(plain, int) or (isinstance(plain, str) and plain.isdecimal()) else None
    if number is not None and not SHORTEST <= number <= LONGEST:
        raise ValueError("from 1m to 7d, such as 30m, 24h or 3d")
    return seconds


def duration(seconds: int) -> str:
    """Write seconds as a person would: 24h, 90m, 45s. Days only from two on: 24h says more than 1d."""
    for unit, least in (("d", 2 * 86_400), ("h", 3600), ("m", 60)):
        if seconds >= least and seconds % UNITS[unit] == 0:
            return f"{seconds // UNITS[unit]}{unit}"
    return f"{seconds}s"


def _unlimited_is_none(value: object) -> object:
    return None if value == "unlimited" else value


DownloadLimit = Annotated[
    Annotated[int, Field(ge=1, le=1000)] | None,
    BeforeValidator(
        _unlimited_is_none,
        json_schema_input_type=Literal["unlimited"] | Annotated[int, Field(ge=1, le=1000)] | None,
    ),
    PlainSerializer(lambda limit: "unlimited" if limit is None else limit, when_used="json"),
]
"""A number of downloads, or None for unlimited; documents write `unlimited`."""


class DownloadableFile(Answers):
    """A secure link to a file, mailed at once."""

    file: Annotated[
        Slug | None,
        Ask("File", "The file buyers download, from your file library.", kind="reference", subject="file",
            required=always),
    ] = None  # fmt: skip
    download_limit: Annotated[
        DownloadLimit,
        Ask(
            "Download limit",
            "How often one buyer may download it: 1 to 1000. Empty is unlimited.",
            kind="number",
            placeholder="unlimited",
        ),
    ] = 5
    link_lifetime: Annotated[
        Annotated[
            Annotated[int, Field(ge=SHORTEST, le=LONGEST)],
            BeforeValidator(
                _as_lifetime,
                json_schema_input_type=Annotated[int, Field(ge=SHORTEST, le=LONGEST)]
                | Annotated[str, Field(pattern=r"^\s*[0-9]+\s*[smhdSMHD]?\s*$")],
            ),
        ],
        Ask("Link lifetime", "How long a mailed link works: 30m, 24h or 7d. From 1 minute to 7 days.", kind="duration"),
    ] = 86_400  # fmt: skip
    access_days: Annotated[
        Annotated[int, Field(ge=1, le=36_500)] | None,
        Ask("Access ends after", "Days after the purchase until no new link is given. Empty is never.",
            kind="number", unit="days", placeholder="never"),
    ] = None  # fmt: skip


class NoAccessPage(Answers):
    """The product delivers nothing itself. A linked calendar or webinar registers the buyer."""

    reason: Annotated[
        Reason | None,
        Ask(
            "What is sold",
            "What you deliver yourself. It decides what buyers are told.",
            kind="choice",
            required=always,
            suggested=_reason_for,
        ),
    ] = None
    calendar: Annotated[
        Slug | None,
        Ask("Calendar", "Buyers are registered on it. Its confirmation replaces the Thank You page.",
            kind="reference", subject="calendar", when=lambda answers: answers.reason is Reason.CALENDAR,
            required=always),
    ] = None  # fmt: skip
    webinar: Annotated[
        Slug | None,
        Ask("Webinar", "Buyers are registered for it. Its confirmation replaces the Thank You page.",
            kind="reference", subject="webinar", when=lambda answers: answers.reason is Reason.WEBINAR,
            required=always),
    ] = None  # fmt: skip
    instructions: Annotated[
        Text,
        Ask("Instructions", "What the buyer should do or expect next. It stands in the order confirmation.",
            kind="text"),
    ] = ""  # fmt: skip


class Access(Answers):
    """The chosen option, and the answers of all four: switching back loses nothing (`docs/spec.md` 3)."""

    kind: Annotated[
        AccessKind | None,
        Ask("How do buyers receive what they bought?", "One of four. You can switch: what you answered is kept.",
            kind="choice", required=always, suggested=_option_for),
    ] = None  # fmt: skip
    hosted_membership: Annotated[
        HostedMembership,
        Ask(
            "Membership",
            "",
            kind="group",
            when=lambda access: access.kind is AccessKind.HOSTED_MEMBERSHIP,
        ),
    ] = HostedMembership()
    integrated_membership: Annotated[
        IntegratedMembership,
        Ask(
            "Integration",
            "",
            kind="group",
            when=lambda access: access.kind is AccessKind.INTEGRATED_MEMBERSHIP,
        ),
    ] = IntegratedMembership()
    downloadable_file: Annotated[
        DownloadableFile,
        Ask(
            "Download",
            "",
            kind="group",
            when=lambda access: access.kind is AccessKind.DOWNLOADABLE_FILE,
        ),
    ] = DownloadableFile()
    no_access_page: Annotated[
        NoAccessPage,
        Ask(
            "Delivery",
            "",
            kind="group",
            when=lambda access: access.kind is AccessKind.NO_ACCESS_PAGE,
        ),
    ] = NoAccessPage()

    @property
    def chosen(
        self,
    ) -> HostedMembership | IntegratedMembership | DownloadableFile | NoAccessPage | None:
        """The answers of the chosen option."""
        return None if self.kind is None else getattr(self, self.kind.value)

    @property
    def linked(self) -> tuple[str, str] | None:
        """The linked calendar or webinar, as (`calendar` or `webinar`, slug)."""
        if self.kind is not AccessKind.NO_ACCESS_PAGE:
            return None
        answers = self.no_access_page
        if answers.reason is Reason.CALENDAR and answers.calendar:
            return "calendar", answers.calendar
        if answers.reason is Reason.WEBINAR and answers.webinar:
            return "webinar", answers.webinar
        return None
