"""Going live: the preflight and the switch as one piece of work, so that nothing comes between them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from models.product import Mode
from wizard import preflight
from wizard.editing.switches import GO_LIVE, Turn
from wizard.preflight import Finding
from wizard.session import Session

if TYPE_CHECKING:
    from wizard.store import Store


def go_live(store: Store, session: Session, now: datetime) -> Sequence[Finding]:
    """Switch a product to Live unless the preflight finds an error; give back the errors that refuse it.

    Raises `ChangedElsewhere` when somebody changed the product after the session saw it last: what goes live is what
    was inspected.
    """
    findings = preflight.check(preflight.inspect(store, session.saved.slug, now))
    if preflight.may_go_live(findings):
        session.switch(mode=Mode.LIVE)
        return ()
    return [finding for finding in findings if finding.level == "error"]


def turn_switch(store: Store, session: Session, turn: Turn, now: datetime) -> Sequence[Finding]:
    """Turn a switch of a product. Gives back the errors for which going live is refused; nothing was turned then.

    Raises what the session raises.
    """
    if turn == GO_LIVE:
        return go_live(store, session, now)
    session.switch(turn.mode, turn.published)
    return ()
