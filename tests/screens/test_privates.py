"""What is overridden of Textual's private parts is known, stands in one room, and is as the installed version has it.

A version in which one of them is gone or takes other things is refused here, and not found out by a seller.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any

import screens

# Where it is overridden, whose it is, and what that one takes.
KNOWN = {
    "choices.Dropdown._setup_variables_for_options": ("Select", ["options"]),
    "choices.Dropdown._watch_prompt": ("Select", ["prompt"]),
    "choices.Rows._on_key": ("Widget", ["event"]),
    "controls.LineControl._on_paste": ("Input", ["event"]),
    "controls.LineControl._value": ("Input", []),
    "lasting.LastingApp._handle_exception": ("App", ["error"]),
    "lasting.Unbroken._dispatch_message": ("MessagePump", ["message"]),
    "lines.Lines._move_page": ("OptionList", ["direction"]),
    "painter.CellDiff._build_driver": ("App", ["headless", "inline", "mouse", "size"]),
    "painter.CellDiff._display": ("App", ["screen", "renderable"]),
}


def is_private(name: str, value: Any) -> bool:
    return name.startswith("_") and not name.startswith("__") and (callable(value) or isinstance(value, property))


def takes(base: Any) -> list[str]:
    """What a part takes beside itself."""
    return [] if isinstance(base, property) else list(inspect.signature(base).parameters)[1:]


def overridden() -> Iterator[tuple[str, tuple[str, list[str]]]]:
    """Every private part of Textual's that a class of ours overrides."""
    for found in pkgutil.walk_packages(screens.__path__, "screens."):
        for kind in vars(importlib.import_module(found.name)).values():
            if not inspect.isclass(kind) or kind.__module__ != found.name:
                continue
            for name in (name for name, value in vars(kind).items() if is_private(name, value)):
                base = next(
                    (b for b in kind.__mro__[1:] if name in vars(b) and b.__module__.startswith("textual")), None
                )
                if base is not None:
                    where = f"{found.name.removeprefix('screens.widgets.')}.{kind.__name__}.{name}"
                    yield where, (base.__name__, takes(vars(base)[name]))


def test_what_is_overridden_of_textual_is_known_and_as_it_was() -> None:
    assert dict(overridden()) == KNOWN
