"""Secrets and files in a document: each stands for something that is kept elsewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from models.text import as_written

_PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", re.ASCII)


WRITTEN_OUT = (
    "a secret never stands in a document: write ${NAME_OF_A_VARIABLE} here and set that variable in the environment"
)


def is_placeholder(text: str) -> str:
    """Refuse a secret that is written out. The message never repeats it."""
    if not _PLACEHOLDER.fullmatch(text):
        raise ValueError(WRITTEN_OUT)
    return text


def secret_of(placeholder: str, environment: Mapping[str, str]) -> SecretStr:
    """The secret that a placeholder stands for. Raises ValueError, naming the variable, when it is not set."""
    name = placeholder[2:-1]
    if not environment.get(name):
        raise ValueError(f"the environment variable {name} is not set; set it and apply again")
    return SecretStr(environment[name])


def placeholder_of(slug: str, field: str) -> str:
    """The placeholder of a connection's secret: `${MY_BLOG_ADMIN_API_KEY}`."""
    name = f"{slug}_{field}".upper().replace("-", "_")
    return f"${{{name if not name[0].isdigit() else f'CONNECTION_{name}'}}}"


def is_place(text: str) -> str:
    """Refuse a path that is not below the document's own folder, on any system."""
    text = as_written(text)
    windows, posix = PureWindowsPath(text), PurePosixPath(text)
    if not text:
        raise ValueError("name the file, relative to this document")
    if posix.is_absolute() or windows.drive or windows.root or text.startswith("~"):
        raise ValueError("write the path relative to this document, as in files/workbook.pdf")
    if ".." in windows.parts or ".." in posix.parts:
        raise ValueError("the file must be in the document's folder or below it; copy it there")
    return text


def file_at(place: str, folder: Path) -> Path:
    """The file that a place names. Raises ValueError when it is not there, or a link leads out of the folder."""
    path = folder / place
    try:
        real, home = path.resolve(strict=True), folder.resolve(strict=True)
    except FileNotFoundError:
        raise ValueError(f"there is no file {place}; check the path, it counts from this document's folder") from None
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "the path leads nowhere"
        raise ValueError(f"{place} cannot be read: {reason}") from None
    if not real.is_relative_to(home):
        raise ValueError(f"{place} is a link to a place outside the document's folder; copy the file there")
    if not real.is_file():
        raise ValueError(f"{place} is not a file; name one file, or make a ZIP of the folder")
    if real.stat().st_size == 0:
        raise ValueError(f"{place} is empty; choose a file with contents")
    return real


Placeholder = Annotated[str, AfterValidator(is_placeholder), Field(json_schema_extra={"pattern": _PLACEHOLDER.pattern})]
"""Where a secret is read from: `${NAME}`."""
Place = Annotated[str, AfterValidator(is_place), Field(min_length=1)]
"""A path relative to the document."""
