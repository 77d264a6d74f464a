"""What is being answered: a product through its session, or a thing of the seller's that is not stored yet."""

from __future__ import annotations

from typing import Any, Protocol

from models.ask import Answers
from wizard import flow
from wizard.session import Session


class Form(Protocol):
    """Something with questions. A path is a question's id with row numbers."""

    def scope(self, path: str) -> Any:
        """The model that the answer at a path belongs to."""

    def value(self, path: str) -> Any:
        """The answer at a path."""

    def fixed(self, path: str) -> str:
        """Why a switch is on and cannot be turned; empty where it can."""

    def answer(self, path: str, value: Any) -> tuple[str, ...]:
        """Give an answer. What the wizard did on its own comes back in words. Raises Misfits, StoreError."""


class ProductForm:
    """The answers of a product: every accepted one is stored at once."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def scope(self, path: str) -> Any:
        """See `Form`. A group that is not answered yet gives its defaults, so that its questions can be asked."""
        above = path.rpartition(".")[0]
        found = flow.value_at(self.session.answers, above)
        if found is None:
            model = flow.question_at(above).row
            return model() if model else None
        return found

    def value(self, path: str) -> Any:
        """See `Form`."""
        return getattr(self.scope(path), path.rpartition(".")[2], None) if "." in path else None

    def fixed(self, path: str) -> str:
        """See `Form`."""
        return self.session.fixed(path)

    def answer(self, path: str, value: Any) -> tuple[str, ...]:
        """See `Form`."""
        return self.session.answer(path, value).notes


class Draft:
    """One of the seller's things while it is being written. It is stored by whoever asked for it."""

    def __init__(self, thing: Answers) -> None:
        self.thing = thing

    def scope(self, path: str) -> Any:
        """See `Form`."""
        above = path.rpartition(".")[0]
        return flow.value_at(self.thing, above) if above else self.thing

    def value(self, path: str) -> Any:
        """See `Form`."""
        return flow.value_at(self.thing, path)

    def fixed(self, path: str) -> str:
        """See `Form`. Nothing of a thing is."""
        return ""

    def answer(self, path: str, value: Any) -> tuple[str, ...]:
        """See `Form`."""
        self.thing = flow.with_value(self.thing, path, value)
        return ()
