"""The contract of a backend. The errors that it may answer with stand in `wizard.delivery.errors`.

A backend carries out deliveries. It never retries and never sleeps: the runner does. `verify` uses the access as the
buyer would and says what was seen, also after a revoke, when being turned away is what is hoped for. A mail arrives at
`perform` with every variable filled in.

The record of a run holds no secret, so a run that is resumed performs its steps again, with the same keys, to learn
what it needs. A backend that makes up a password or a token therefore derives it from a secret of its own and the key:
then the same key gives the same receipt, and neither side has to store the password.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict

from models.account import Account
from models.fulfillment import (
    Action,
    Buyer,
    Evidence,
    GrantAccess,
    KeepAccess,
    Moment,
    Receipt,
    RevokeAccess,
    SendEmail,
    Settings,
)
from models.saved import SavedAccount
from wizard.delivery.errors import BackendError
from wizard.delivery.secrecy import Secrets

if TYPE_CHECKING:  # a backend's manifest is read before any network code is loaded
    import httpx

    from wizard.delivery.browser import Browser


class BackendSettings(BaseModel):
    """A backend's own settings: the table `[backends.NAME]` of config.toml."""

    # A backend that has any names a subclass in its manifest. Its fields are the keys of the table, what is written
    # below each is shown in forms, a secret is a SecretStr, and a key that is no field is an error.
    # What was given is not repeated in errors: it may be a secret.
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, hide_input_in_errors=True)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backend is, readable before any of its network code is imported.

    It stands in a module of its own that imports no more than this one and pydantic, and the entry point names it.
    """

    name: str
    """The same as the entry point's."""
    label: str
    can: frozenset[str]
    """The actions it can carry out, by name."""
    backend: str = ""
    """Where its class is: `package.module:Class`. That module is imported when the backend is chosen."""
    settings: type[BackendSettings] = BackendSettings
    """What can be set for it. A request may go to the host of every address that stands in it, and to no other."""
    leaves_out: frozenset[Literal["hosted_membership", "integrated_membership"]] = frozenset()
    """The access options that it grants and revokes nothing for. A run that asks for one is refused before it begins,
    as for any action that does not stand in `can`."""
    is_real: bool = False
    """Whether it delivers where others see it: then every run ends with a clean-up, as on a real platform."""

    @property
    def needs_settings(self) -> bool:
        """Whether it cannot work before something is set."""
        return any(field.is_required() for field in self.settings.model_fields.values())

    def can_do(self, action: Action) -> bool:
        """Whether it carries out this action."""
        if action.action not in self.can:
            return False
        access = action.kept if isinstance(action, KeepAccess) else action
        if not isinstance(access, GrantAccess | RevokeAccess):
            return True
        option = "hosted_membership" if access.via == "hosted" else "integrated_membership"
        return option not in self.leaves_out

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of its settings, for forms and editors."""
        return self.settings.model_json_schema()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a backend is given when it is made. A backend is a class that is called with this and nothing else."""

    data_dir: Path
    client: Callable[[], httpx.AsyncClient]
    """The one HTTP client of the run, made on the first call: its TLS context is expensive. It reaches only hosts that
    the seller named."""
    browser: Callable[[], Browser] | None = None
    """A new browser for somebody who knows nothing yet: cookies of its own, on the client's connections."""
    account: SavedAccount = field(default_factory=lambda: SavedAccount(account=Account()))
    path_of_file: Callable[[str], Path] | None = None
    """Where the library keeps its copy of a file, by slug."""
    settings: Settings = field(default_factory=dict)
    """The backend's own, as they are written; the model in its manifest takes them, and has been asked already."""
    secrets: Secrets = field(default_factory=Secrets)
    """Tell it every key, and whatever a key becomes on its way, before anything is sent: others repeat in their answers
    what they were sent, and it keeps that out of the record and off the screen."""

    def new_browser(self) -> Browser:
        """A browser to act as somebody with. Raises BackendError where there is none."""
        if self.browser is None:
            raise BackendError("There is no browser to act as the buyer with.")
        return self.browser()


@dataclass(frozen=True, slots=True)
class Occasion:
    """What happened in the sale that an action belongs to. It is planned: the same on every try and after a restart."""

    moment: Moment
    number: int
    """The number of the moment in its run, from 1."""
    moments: int
    """How many there are."""
    price: int | None
    """The number of the price point, from 1."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a backend may know of the run it works for."""

    run: str
    product: str
    buyer: Buyer
    now: Callable[[], datetime]
    """The clock: simulated in a scenario."""
    key: str
    """The idempotency key of this action in this run: the same on every try."""
    occasion: Occasion | None = None
    """What happened in the sale; None where nothing is known of it."""
    values: Mapping[str, str] = field(default_factory=dict)
    """Variables from earlier receipts of this run. They may hold secrets."""
    earlier: Receipt | None = None
    """What this key was answered before, where that is known: a request that is repeated on purpose, or a run that
    goes on. Of a run that goes on it is as it was recorded, without secrets."""
    is_again: bool = False
    """Whether the run was stopped while this was carried out: nobody knows how far it came."""
    was_stopped: bool = False
    """Whether the run was stopped midway and goes on: what was used then may have been used once more than planned."""
    password: str = ""
    """The password of a login that this run makes: the same on every try and after a restart. Written down nowhere."""
    letters: tuple[SendEmail, ...] = ()
    """The mails of this run that went through a real server, filled in: all that the buyer can be asked to know of
    them. They may hold secrets."""
    unsent: str = ""
    """Of a check: which mail of the same moment was not sent, and why; empty where all were."""
    secrets: Secrets = field(default_factory=Secrets)
    """Tell it every password, token and key that is met on the way: it keeps them out of the record."""


@dataclass(frozen=True, slots=True)
class Check:
    """Whether a backend or a connection works, and what was found."""

    ok: bool
    detail: str
    levels: Mapping[str, str] | None = None
    """Of a connection: what stands in the way of each level that products give, as a sentence; empty where nothing
    does. None where the platform cannot tell."""


@runtime_checkable
class Backend(Protocol):
    """One protocol for every place that delivers."""

    manifest: Manifest

    async def check(self) -> Check:
        """Say whether it works, without changing anything."""

    async def perform(self, action: Action, context: Context) -> Receipt:
        """Carry out one action. The same key again gives the same receipt and does nothing twice."""

    async def verify(self, action: Action, receipt: Receipt, context: Context) -> Evidence:
        """Use the access as the buyer, and say what was seen."""

    async def clean_up(self, context: Context) -> str:
        """Remove what this run created and nothing else; say in a sentence what was left and why."""
