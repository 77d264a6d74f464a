"""What belongs to the seller and not to one product: memberships, connections, files, calendars, webinars."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated, ClassVar, Self

from pydantic import AwareDatetime, Field, SecretStr, field_validator, model_validator

from models.ask import Answers, Ask, always, misfit
from models.choice import Choice
from models.text import ForeignName, HttpsAddress, LevelName, Name, Slug, Text, WebAddress, slug_of


class Owned(Answers):
    """A thing of the seller's, known by its slug."""

    about: ClassVar[str] = ""
    """What a seller may look for in its form and find elsewhere."""

    slug: Slug = ""
    name: Annotated[Name, Ask("Name", "What you call it.", required=always)] = ""

    @model_validator(mode="before")
    @classmethod
    def _slug_from_name(cls, data: object) -> object:
        if isinstance(data, dict) and not data.get("slug") and isinstance(data.get("name"), str):
            return {
                **data,
                "slug": slug_of(data["name"], otherwise=cls.__name__.lower()),
            }
        return data


MOST_LEVELS = 10
"""How many levels a membership may have."""


class Membership(Owned):
    """A place with gated content and up to 10 levels inside it [K]."""

    levels: Annotated[
        Annotated[tuple[LevelName, ...], Field(min_length=1, max_length=MOST_LEVELS)],
        Ask(
            "Levels",
            "One to ten, commas between them: silver, gold.",
            kind="words",
            required=always,
        ),
    ] = ("member",)
    password_protected: Annotated[
        bool,
        Ask("Needs a login", "Password-protected: buyers get a login by mail. Off, anyone may read it.",
            kind="switch"),
    ] = True  # fmt: skip
    login_page: Annotated[
        WebAddress | None,
        Ask(
            "Login page",
            "Its address, if it is not the host's own.",
            placeholder="https://example.com/login",
        ),
    ] = None

    @field_validator("levels", mode="before")
    @classmethod
    def _as_tuple(cls, levels: object) -> object:
        # The rule that makes the slug has turned a document's JSON into Python, which is strict about tuples.
        return tuple(levels) if isinstance(levels, list) else levels

    @model_validator(mode="after")
    def _names_each_level_once(self) -> Self:
        seen: set[str] = set()
        for level in self.levels:
            if level.casefold() in seen:
                raise misfit("levels", f"two levels have the same name, {level}")
            seen.add(level.casefold())
        return self


class ConnectionKind(Choice):
    """The platforms that can be connected."""

    SANDBOX = "sandbox", "Sandbox", "played by the wizard, to try"
    WEBHOOK = "webhook", "Webhook", "any that takes signed requests"
    WORDPRESS = "wordpress", "WordPress", "users and roles of a site"
    GHOST = "ghost", "Ghost", "members and tiers of a site"
    DAP = "dap", "Digital Access Pass", "by Kartra's address"
    S2MEMBER = (
        "s2member",
        "s2Member",
        "one connection for each level",
    )


Secret = Annotated[SecretStr, Field(max_length=500)]


class Connection(Owned):
    """A configured account on a third-party membership platform [K: "integration"]."""

    kind: Annotated[ConnectionKind, Ask("Platform", "Who hosts the content.", kind="choice")] = ConnectionKind.SANDBOX
    url: Annotated[
        WebAddress | None,
        Ask("Address", "Of the site, or where the signed requests go.", required=always,
            when=lambda c: c.kind in ("webhook", "wordpress", "ghost"), placeholder="https://members.example.com"),
    ] = None  # fmt: skip
    user: Annotated[
        ForeignName, Ask("User", "The user whose application password it is.", required=always,
                  when=lambda c: c.kind == "wordpress"),
    ] = ""  # fmt: skip
    application_password: Annotated[
        Secret | None, Ask("Application password", "From the user's profile in WordPress.", kind="secret",
                           required=always, when=lambda c: c.kind == "wordpress"),
    ] = None  # fmt: skip
    role: Annotated[
        ForeignName, Ask("Role", "The role that opens the content.", when=lambda c: c.kind == "wordpress"),
    ] = "subscriber"  # fmt: skip
    admin_api_key: Annotated[
        Secret | None, Ask("Admin API key", "From Integrations in Ghost.", kind="secret", required=always,
                           when=lambda c: c.kind == "ghost"),
    ] = None  # fmt: skip
    tier: Annotated[
        ForeignName, Ask("Tier", "The tier that opens the content.", when=lambda c: c.kind == "ghost"),
    ] = ""  # fmt: skip
    label: Annotated[
        ForeignName, Ask("Label", "A label instead of a tier.", when=lambda c: c.kind == "ghost"),
    ] = ""  # fmt: skip
    secret: Annotated[
        Secret | None, Ask("Signing secret", "whsec_ and 24 bytes or more in base64. As in Standard Webhooks.",
                           kind="secret", required=always, when=lambda c: c.kind == "webhook"),
    ] = None  # fmt: skip
    grant_event: Annotated[
        ForeignName, Ask("Event: let in", "The name of the event that lets a buyer in.",
                         when=lambda c: c.kind == "webhook"),
    ] = "access.granted"  # fmt: skip
    revoke_event: Annotated[
        ForeignName, Ask("Event: shut out", "The name of the event that shuts a buyer out.",
                  when=lambda c: c.kind == "webhook"),
    ] = "access.revoked"  # fmt: skip
    login_url: Annotated[
        HttpsAddress | None, Ask("Login URL", "Where members log in.", required=always,
                                 when=lambda c: c.kind in ("dap", "s2member")),
    ] = None  # fmt: skip
    notification_url: Annotated[
        HttpsAddress | None, Ask("Notification URL", "The bridge file on your server.", required=always,
                                 when=lambda c: c.kind == "dap"),
    ] = None  # fmt: skip
    product_or_level: Annotated[
        ForeignName, Ask("DAP product/level", "As it is called in DAP.", required=always,
                         when=lambda c: c.kind == "dap"),
    ] = ""  # fmt: skip
    secret_key: Annotated[
        Secret | None, Ask("Secret key", "As set in the bridge file.", kind="secret", required=always,
                           when=lambda c: c.kind == "dap"),
    ] = None  # fmt: skip
    integration_url: Annotated[
        HttpsAddress | None, Ask("Integration URL", "The endpoint of the integration.", required=always,
                                 when=lambda c: c.kind == "s2member"),
    ] = None  # fmt: skip
    api_key: Annotated[
        Secret | None, Ask("API key", "From s2Member.", kind="secret", required=always,
                           when=lambda c: c.kind == "s2member"),
    ] = None  # fmt: skip
    level_id: Annotated[
        Annotated[int, Field(ge=0, le=99)] | None,
        Ask("Level ID", "The number of the level, from 0.", kind="number", required=always,
            when=lambda c: c.kind == "s2member"),
    ] = None  # fmt: skip
    proof_url: Annotated[
        WebAddress | None,
        Ask("Proof page", "A page that only members can read. A test-fire opens it as the buyer.",
            when=lambda c: c.kind != "sandbox", placeholder="https://example.com/members"),
    ] = None  # fmt: skip

    @model_validator(mode="after")
    def _opens_by_one_of_the_two(self) -> Self:
        if self.kind is ConnectionKind.GHOST and self.tier and self.label:
            raise misfit("label", "a tier or a label, not both; empty one of them")
        return self


class File(Owned):
    """A file of the file library. `path` is where the seller's file was; the library keeps a copy of its own. Without a
    name of its own it is called as that file is."""

    name: Annotated[
        Name,
        Ask("Name", "Left empty, it is called as the file is.", required=lambda file: not file.path),
    ] = ""
    path: Annotated[
        str,
        Ask(
            "File",
            "Enter opens your folders; or write its path. F4 opens them too.",
            kind="path",
            required=always,
        ),
    ] = ""

    @model_validator(mode="before")
    @classmethod
    def _named_after_its_file(cls, data: object) -> object:
        if isinstance(data, dict) and not data.get("name") and isinstance(data.get("path"), str):
            return {**data, "name": PurePath(data["path"]).stem[:120]}
        return data


class CalendarKind(Choice):
    """What is booked [K]."""

    EVENT = "event", "Event"
    CLASS = "class", "Class"
    INDIVIDUAL_SESSION = "individual_session", "Individual session"


class Registration(Choice):
    """Whether registering costs something [K]. A paid one is linked to a product."""

    FREE = "free", "Free"
    PAID = "paid", "Paid", "by buying a product that is linked to it"


class Bookable(Owned):
    """Something a buyer is registered for. Its confirmation replaces the product's Thank You page [K]."""

    registration: Annotated[Registration, Ask("Registration", "Whether it costs something.", kind="choice")] = (
        Registration.PAID
    )
    confirmation: Annotated[
        Text,
        Ask("Confirmation", "What a buyer reads once registered.", kind="text",
            required=lambda bookable: not bookable.confirmation_url),
    ] = ""  # fmt: skip
    confirmation_url: Annotated[
        WebAddress | None,
        Ask("Confirmation page", "A page of your own, in place of the message.",
            placeholder="https://example.com/booked"),
    ] = None  # fmt: skip

    @property
    def shown(self) -> str:
        """What the buyer sees: the message, or the address of the page."""
        return self.confirmation_url or self.confirmation


class Calendar(Bookable):
    """A calendar: an event, a class or individual sessions."""

    about: ClassVar[str] = (
        "Its hours and bookings stay in the calendar itself. Here: who is registered, and what they read."
    )

    kind: Annotated[CalendarKind, Ask("Kind", "What is booked.", kind="choice")] = CalendarKind.EVENT


class Webinar(Bookable):
    """A webinar."""

    about: ClassVar[str] = (
        "Its date, hour and join link stay where you run it: write into the confirmation what buyers need of them."
    )


class ConnectionCheck(Answers):
    """The result of the last check of a connection."""

    ok: bool
    at: AwareDatetime
    detail: str = ""
    levels: dict[str, str] | None = None
    """What stands in the way of each level that products gave when it was checked; empty where nothing does. None
    where the platform cannot tell."""

    @property
    def works(self) -> bool:
        """Whether it works for every product that gives access by it."""
        return self.ok and not any((self.levels or {}).values())


class StoredFile(Answers):
    """What the library knows of a file: enough to tell later whether it is still the same."""

    slug: Slug
    filename: str
    size: int
    sha256: str
    media_type: str


class Account(Answers):
    """Everything a seller owns, each kind in the order of its names."""

    memberships: tuple[Membership, ...] = ()
    connections: tuple[Connection, ...] = ()
    files: tuple[File, ...] = ()
    calendars: tuple[Calendar, ...] = ()
    webinars: tuple[Webinar, ...] = ()
