"""What is being answered: a product through its session, or a draft of something that is not stored yet."""

from __future__ import annotations

from typing import Any, Protocol

from wizard import flow
from wizard.session import Session


class Answering(Protocol):
    """Something with questions. A path is a question's id with row numbers."""

    def scope(self, path: str) -> Any:
        """The model that the answer at a path belongs to."""

    def value(self, path: str) -> Any:
        """The answer at a path."""

    def fixed(self, path: str) -> str:
        """Why a switch is on and cannot be turned; empty where it can."""

    def answer(self, path: str, value: Any) -> tuple[str, ...]:
        """Give an answer. What the wizard did on its own comes back in words. Raises Misfits, StoreError."""


class ProductAnswers:
    """The answers of a product: every accepted one is stored at once."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def scope(self, path: str) -> Any:
        """See `Answering`. A group that is not answered yet gives its defaults, so that its questions can be asked."""
        above = path.rpartition(".")[0]
        found = flow.value_at(self.session.answers, above)
        if found is None:
            model = flow.question_at(above).row
            return model() if model else None
        return found

    def value(self, path: str) -> Any:
        """See `Answering`."""
        return getattr(self.scope(path), path.rpartition(".")[2], None) if "." in path else None

    def fixed(self, path: str) -> str:
        """See `Answering`."""
        return self.session.fixed(path)

    def answer(self, path: str, value: Any) -> tuple[str, ...]:
        """See `Answering`."""
        return self.session.answer(path, value).notes
