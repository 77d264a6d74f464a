"""Somebody else changed the product meanwhile: what differs, in words, and going on from there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from wizard import flow
from wizard.session import ChangedElsewhere, Session
from wizard.wording import in_words, place_of, row_in_words


@dataclass(frozen=True, slots=True)
class Difference:
    """One answer that differs, as both sellers gave it."""

    path: str
    label: str
    mine: str
    theirs: str
    who: str
    """Whose the other answer is."""
    is_given: bool
    """Whether this seller was giving this answer when the change was noticed: only that is theirs to keep at first."""


def differences(changed: ChangedElsewhere, host: str) -> list[Difference]:
    """What differs, in the order of the flow."""
    found = []
    for each in changed.differences:
        question = flow.question_at(each.path)
        mine, theirs = (flow.value_at(side, each.path) for side in (changed.mine, changed.stored.answers))
        sides = _sides(question, mine, theirs, host)
        found.append(Difference(each.path, place_of(each.path), *sides, each.who, each.given))
    return found


def _sides(question: flow.Question, mine: Any, theirs: Any, host: str) -> tuple[str, str]:
    """Both sides in words. Of rows, those that only one side has are told: their number may be the same."""
    if question.ask.kind != "rows":
        return in_words(question, mine, host), in_words(question, theirs, host)
    sides = []
    for rows, others in ((mine, theirs), (theirs, mine)):
        own = "; ".join(row_in_words(question, row, host) for row in rows if row not in others)
        sides.append(in_words(question, rows, host) + (f": {own}" if own else ""))
    return sides[0], sides[1]


def go_on(session: Session, changed: ChangedElsewhere, keep: Collection[str]) -> ChangedElsewhere | None:
    """Go on from what the other one stored, with those of this seller's answers whose paths are kept. Gives back the
    next change where somebody made one meanwhile; that is to be settled in turn.

    Raises what the session raises; then nothing was stored, and the same can be settled again.
    """
    try:
        session.take(changed.stored, changed.mine, set(keep))
    except ChangedElsewhere as again:
        return again
    return None
