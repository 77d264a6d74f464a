"""What can be set: by flags, then by the environment, then in a `config.toml` in the user's configuration folder.

Read before the first frame is painted, so this is plain pydantic: pydantic-settings alone takes 50 ms to import
(measured), a fifth of the time to that frame.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from platformdirs import user_config_path, user_data_path
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from models.text import Name
from wizard.failure import Failure
from wizard.mail.address import smtp_address
from wizard.text_files import NotUtf8, decoded

APP = "product-wizard"
"""The name of our folders inside the user's own."""

PREFIX = "WIZARD_"


FERNET_KEY = re.compile(r"[A-Za-z0-9_-]{43}=")
"""How a Fernet key is written: 32 bytes in the base64 of URLs (https://github.com/fernet/spec)."""


class BadSettings(Failure):
    """A setting is wrong. The message names where it came from and what would be right."""


def _is_sender(text: str) -> str:
    from wizard.mail.address import sender_of

    return str(sender_of(text))


def _is_named(given: Any) -> Any:
    if given == "":
        raise ValueError("name a folder; write . for the one you are in")
    return given


def _is_folder_path(path: Path) -> Path:
    path = path.expanduser().absolute()
    if path.exists() and not path.is_dir():
        raise ValueError(f"{path} is a file, and a folder is needed")
    return path


def _is_database_url(url: SecretStr) -> SecretStr:
    scheme, colon, rest = url.get_secret_value().partition("://")
    if scheme in ("postgres", "postgresql"):
        return SecretStr(f"postgresql+psycopg{colon}{rest}")
    if scheme not in ("postgresql+psycopg", "sqlite") or not colon:
        raise ValueError("write postgresql://user:password@host:5432/database, or leave it out for the embedded one")
    return url


def _is_smtp_url(url: SecretStr) -> SecretStr:
    smtp_address(url.get_secret_value())
    return url


def _are_fernet_keys(keys: SecretStr) -> SecretStr:
    if not all(FERNET_KEY.fullmatch(key.strip()) for key in keys.get_secret_value().split(",")):
        raise ValueError(
            "write one or more Fernet keys with commas between them, the newest first; "
            "`openssl rand -base64 32 | tr +/ -_` makes one"
        )
    return keys


class Settings(BaseModel):
    """Everything that can be set. What is not passed in is looked up in the environment, then in `config.toml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_dir: Annotated[Path, BeforeValidator(_is_named), AfterValidator(_is_folder_path)] = Field(
        default_factory=lambda: user_data_path(APP, appauthor=False)
    )
    """The folder of the embedded database, the file library and the sandbox. It is made when it is missing."""

    database_url: Annotated[SecretStr, AfterValidator(_is_database_url)] | None = None
    """A PostgreSQL database in place of the embedded one. A secret, since it may hold a password."""

    backend: Name = "sandbox"
    """Who carries out deliveries in a test-fire, by the name of an installed backend."""

    smtp_url: Annotated[SecretStr, AfterValidator(_is_smtp_url)] | None = None
    """The server that mails go through, in place of the sandbox's mailbox. A secret, since it may hold a password.
    `smtp://` goes over to TLS by STARTTLS; `?ca=/path` names certificates to trust, and `?tls=none` is for a server on
    this machine."""

    mail_from: Annotated[str, AfterValidator(_is_sender)] = "shop@example.com"
    """Who mails through that server come from: an address that it sends for, alone or behind a name, as in
    `My Shop <shop@example.com>`."""

    secret_keys: Annotated[SecretStr, AfterValidator(_are_fernet_keys)] | None = None
    """The keys that seal connections' secrets, in place of the file `keys` in the data folder: Fernet keys with commas
    between them. The first seals, each of them opens."""

    allow_private_hosts: bool = False
    """Whether a connection may lead to this machine or its own network. Off, since an address that somebody else wrote
    could reach what only this machine may."""

    # Written `host_name = ""` or absent, the brand is the default one.
    host_name: Annotated[Name, BeforeValidator(lambda given: given or "Kartra")] = "Kartra"
    """Whose memberships "hosted" means: the brand in "Kartra-hosted membership"."""

    backends: dict[Name, dict[str, Any]] = Field(default_factory=dict, repr=False, exclude=True)
    """The settings of each backend, in tables `[backends.NAME]` of `config.toml`; its manifest says which there are.
    Not shown, since they may hold secrets."""

    @model_validator(mode="before")
    @classmethod
    def _look_up(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        found: dict[str, Any] = {}
        for _, values in reversed(list(_sources(given))):
            found |= values
        return found

    @property
    def database_address(self) -> str | None:
        """The database's address with its password, for whoever opens it; None for the embedded one."""
        return self.database_url.get_secret_value() if self.database_url else None


def config_file() -> Path:
    """Where the configuration file is looked for."""
    return user_config_path(APP, appauthor=False) / "config.toml"


def load(**flags: Any) -> Settings:
    """Read the settings; flags that are None were not given. Raises `BadSettings`."""
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        raise BadSettings(_sentence(error, given)) from None


def _sources(given: Mapping[str, Any]) -> Iterator[tuple[Callable[[str], str], Mapping[str, Any]]]:
    """Where settings come from, the strongest first: what a source calls a setting, and the values it gives."""
    yield lambda name: f"--{name.replace('_', '-')}", given
    # An empty variable is an unset one, as everywhere in a shell.
    variables = {name: os.environ.get(_variable(name)) for name in Settings.model_fields}
    yield _variable, {name: value for name, value in variables.items() if value}
    yield lambda name: f"{name} in {config_file()}", _read_config(config_file())


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def _read_config(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(decoded(path.read_bytes()))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BadSettings(f"{path} cannot be read: {error.strerror}.") from None
    except NotUtf8 as error:
        raise BadSettings(f"{path} is not TOML: in line {error.line} {error}. Save it as UTF-8.") from None
    except ValueError as error:
        raise BadSettings(f"{path} is not TOML: {error}.") from None


def _sentence(error: ValidationError, given: Mapping[str, Any]) -> str:
    """The first mistake in a sentence that says where the setting came from."""
    path, wrong = first_mistake(error, Settings)
    name = path.partition(".")[0]
    origin = next(called(path) for called, values in _sources(given) if name in values)
    return f"{origin}: {wrong}"


def first_mistake(error: ValidationError, model: type[BaseModel]) -> tuple[str, str]:
    """The path of the first setting that is wrong, and what is wrong with it.

    The value itself is not repeated: it may hold a password.
    """
    first = error.errors(include_input=False, include_context=False)[0]
    path = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = f"There are {', '.join(model.model_fields)}" if model.model_fields else "There are none"
        return path, f"there is no such setting. {known}."
    message = first["msg"].removeprefix("Value error, ")
    return path, f"{message[0].lower()}{message[1:].rstrip('.')}."
