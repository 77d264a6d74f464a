"""What a test-fire is made of: events, actions, receipts, evidence, verdicts (`docs/spec.md` 4 and 5)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from models.events import Event, Status, Verdict


class Fact(BaseModel):
    """Something that was planned or that happened: it never changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Buyer(Fact):
    """The test person of a run. The address stays in a reserved domain unless the seller names another."""

    email: str = "ada.example@example.com"
    name: str = "Ada Example"


class GrantAccess(Fact):
    """Let the buyer into a membership, hosted or on another platform."""

    action: Literal["grant_access"] = "grant_access"
    target: str
    """The membership's slug, or the connection's."""
    levels: tuple[str, ...]
    via: Literal["hosted", "connection"] = "hosted"
    password_protected: bool = True
    create_login: bool = True
    """Whether a login is made for a buyer who has none. A buyer who has one keeps it."""
    name: str = ""
    """What the membership or the connection is called."""
    platform: str = ""
    """The kind of the connection; empty for a hosted membership."""
    until: AwareDatetime | None = None
    """When access ends in any case."""


class RevokeAccess(Fact):
    """Shut the buyer out of those levels."""

    action: Literal["revoke_access"] = "revoke_access"
    target: str
    levels: tuple[str, ...]
    via: Literal["hosted", "connection"] = "hosted"
    password_protected: bool = True
    name: str = ""
    platform: str = ""
    """The kind of the connection; empty for a hosted membership."""


class IssueDownloadLink(Fact):
    """Make a signed link to a file. A new link starts the count of downloads anew."""

    action: Literal["issue_download_link"] = "issue_download_link"
    target: str
    """The file's slug."""
    sha256: str
    size: int
    """Bytes."""
    filename: str
    media_type: str
    download_limit: int | None
    link_lifetime: int
    """Seconds."""
    access_until: AwareDatetime | None = None


class RevokeDownloadLink(Fact):
    """Stop every link of this buyer to the file."""

    action: Literal["revoke_download_link"] = "revoke_download_link"
    target: str


class RegisterAttendee(Fact):
    """Register the buyer on a calendar or for a webinar."""

    action: Literal["register_attendee"] = "register_attendee"
    target: str
    kind: Literal["calendar", "webinar"]
    name: str = ""
    """What the calendar or webinar is called."""


class CancelRegistration(Fact):
    """Take the buyer off a calendar or webinar."""

    action: Literal["cancel_registration"] = "cancel_registration"
    target: str
    kind: Literal["calendar", "webinar"]
    name: str = ""


class SendEmail(Fact):
    """Send a notification. Its variables are filled from `values` and from earlier receipts of the run."""

    action: Literal["send_email"] = "send_email"
    target: str
    """The notification's name, such as `membership_welcome`."""
    subject: str
    body: str
    values: dict[str, str] = {}
    only_with: str | None = None
    """Sent only when an earlier receipt of this run gave this variable: no second login mail without a new login."""


class ShowPage(Fact):
    """Show the buyer a page after paying: the product's own, or a linked calendar's or webinar's confirmation."""

    action: Literal["show_page"] = "show_page"
    target: str
    source: Literal["product", "calendar", "webinar"]
    text: str = ""
    url: str | None = None


class NoteOnBuyer(Fact):
    """Put a tag on the buyer's record or take it off, subscribe to a list, start a sequence."""

    action: Literal["assign_tag", "unassign_tag", "subscribe_list", "subscribe_sequence"]
    target: str


class CallWebhook(Fact):
    """Tell an address that the event happened."""

    action: Literal["call_webhook"] = "call_webhook"
    target: str
    event: Event


class KeepAccess(Fact):
    """Nothing to do, said aloud, with the reason."""

    action: Literal["keep_access"] = "keep_access"
    target: str
    reason: str
    kept: GrantAccess | IssueDownloadLink | RegisterAttendee | None = None
    """What the buyer is expected to hold still; it is used again as the buyer. None where nothing is held."""


class TryLink(Fact):
    """Try a download link that must be refused: one that was tampered with, that is used up, or that has expired."""

    action: Literal["try_link"] = "try_link"
    target: str
    """The file's slug."""
    how: Literal["tampered", "used_up", "expired"]
    downloads: int = 0
    """How many downloads to make before the one that must be refused."""


class CleanUp(Fact):
    """Remove what the run created, and nothing else."""

    action: Literal["clean_up"] = "clean_up"
    target: str
    """The product."""
    only_platforms: bool = False
    """Only on real platforms: what the sandbox holds is left to be looked at."""


Action = Annotated[
    GrantAccess
    | RevokeAccess
    | IssueDownloadLink
    | RevokeDownloadLink
    | RegisterAttendee
    | CancelRegistration
    | SendEmail
    | ShowPage
    | NoteOnBuyer
    | CallWebhook
    | KeepAccess
    | TryLink
    | CleanUp,
    Field(discriminator="action"),
]
"""One thing a backend is asked to do."""


class Exchange(Fact):
    """A request and its reply as they went over the wire, secrets masked."""

    request: str
    """Method and address."""
    sent: str = ""
    status: int | None = None
    received: str = ""
    ms: float = 0.0


class Receipt(Fact):
    """What a backend answered to an action."""

    reference: str
    """The backend's own name for what it did; the same again when the same key is used again."""
    detail: str = ""
    values: dict[str, str] = {}
    """Variables for mails, such as `login_page` or `download_link`. They may hold secrets: never log them."""
    proof: dict[str, str] = {}
    """Where the buyer must find what: an address or a name, and the text or sum that is expected there."""
    exchanges: tuple[Exchange, ...] = ()


class Evidence(Fact):
    """What was seen when a receipt was checked as the buyer."""

    allowed: bool
    """Whether the buyer got in (or got the file, the seat, the mail)."""
    proven_by: Literal["buyer", "platform", "nobody"]
    detail: str
    """One sentence a seller understands."""
    facts: dict[str, str] = {}
    """What it rests on: address, status, SHA-256, size, …"""
    exchanges: tuple[Exchange, ...] = ()


class Charge(Fact):
    """A payment of a sale, as the price's schedule has it."""

    number: int
    """Counted from the purchase, which is 1."""
    amount: str
    """A decimal number in the currency's own precision. Of a refund or chargeback, what it is about."""
    currency: str
    is_trial: bool = False
    """Whether it is the first, other payment that a price may begin with."""
    is_paid: bool = True
    """Whether it went through."""


class Moment(Fact):
    """A moment in the life of a sale: something happens, and afterwards the buyer's access is used."""

    title: str
    """What happens, as a seller says it."""
    at: AwareDatetime
    """When, by the simulated clock."""
    event: Event | None = None
    """None where nothing happens to the sale itself: a request that arrives twice, a link that is tried."""
    charge: Charge | None = None
    """The payment that the event is about; None where it is about none."""


class RunStep(Fact):
    """One step of a run."""

    position: int
    action: Action
    moment: int = 1
    """The number of the moment it belongs to, from 1."""
    repeats: int | None = None
    """The position of the step that this one does over again, with the same key: nothing may happen twice."""
    status: Status = Status.PENDING
    attempts: int = 0
    ms: float = 0.0
    detail: str = ""
    """What happened, or why it failed and what to do."""
    receipt: Receipt | None = None
    evidence: Evidence | None = None


class ShownPage(Fact):
    """What the buyer saw after paying."""

    source: Literal["product", "calendar", "webinar"]
    text: str


class Run(Fact):
    """One event, or a whole life of a sale, carried out against a backend for a saved product."""

    id: str
    product: str
    revision: int
    event: Event
    """What it is about; of a life, the event that it begins with."""
    life: str = ""
    """The name of the life that is carried out: `prove` or a scenario. Empty for a single event."""
    fault: str = ""
    """The fault that the sandbox was asked for."""
    backend: str
    buyer: Buyer
    price: int | None = None
    """The number of the price point, from 1."""
    started_at: AwareDatetime
    finished_at: AwareDatetime | None = None
    verdict: Verdict | None = None
    """None while it runs."""
    reason: str = ""
    moments: tuple[Moment, ...] = ()
    steps: tuple[RunStep, ...] = ()
    page: ShownPage | None = None


Settings = dict[str, Any]
"""A backend's own settings, checked by its manifest's schema."""
