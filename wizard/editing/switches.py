"""The two switches of a product in words: what turning one changes, and what is true afterwards.

The app, `--plain` and the command line say these sentences: whoever goes live must know it before, and see it after.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from models.product import Mode
from wizard.preflight import Finding

LISTED = 4
"""How many findings are named before a switch is turned; the page below shows all."""


class Switched(Protocol):
    """Whatever has the two switches: a saved product, or a row of the list."""

    @property
    def mode(self) -> Mode: ...
    @property
    def published(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Turn:
    """One way of turning a switch."""

    mode: Mode | None = None
    published: bool | None = None

    @property
    def is_on(self) -> bool:
        """Whether it brings the product closer to buyers' money."""
        return self.mode is Mode.LIVE or bool(self.published)


GO_LIVE = Turn(mode=Mode.LIVE)
GO_BACK = Turn(mode=Mode.DEMO)
PUBLISH = Turn(published=True)
UNPUBLISH = Turn(published=False)

QUESTIONS = {
    GO_LIVE: "Go live with {name}?",
    GO_BACK: "Take {name} back to Demo?",
    PUBLISH: "Publish {name}?",
    UNPUBLISH: "Unpublish {name}?",
}

CHANGES = {
    (GO_LIVE, False): "Orders become real: once you publish it, real cards will be charged.",
    (GO_LIVE, True): "Buyers see it already: real cards will be charged from now on.",
    (GO_BACK, False): "Orders become tests again.",
    (GO_BACK, True): "Selling stops: buyers still see it, but no card is charged any more.",
    (PUBLISH, False): "Buyers will see it, but every order is a test until you go live.",
    (PUBLISH, True): "Buyers will see it, and real cards will be charged from now on.",
    (UNPUBLISH, False): "Buyers no longer see it.",
    (UNPUBLISH, True): "Selling stops: buyers no longer see it.",
}
"""What a turn changes, by how the other switch stands: whether the product is published, or live."""

STANDS = {
    (Mode.DEMO, False): ("In Demo, unpublished", "orders are tests, and no buyer sees it."),
    (Mode.DEMO, True): ("Published in Demo", "buyers see it, but every order is a test and no card is charged."),
    (Mode.LIVE, False): ("Live, but unpublished", "orders are real, and no buyer sees it until you publish it."),
    (Mode.LIVE, True): ("You are live", "buyers see it, and their cards are charged."),
}


def turn_of_mode(product: Switched) -> Turn:
    """Where the switch Demo/Live can be turned from here."""
    return GO_BACK if product.mode is Mode.LIVE else GO_LIVE


def turn_of_visibility(product: Switched) -> Turn:
    """Where the switch Published/Unpublished can be turned from here."""
    return UNPUBLISH if product.published else PUBLISH


def needs_asking(turn: Turn, product: Switched) -> bool:
    """Whether a turn is asked about first: one towards buyers, or one that stops a sale that runs."""
    return turn.is_on or is_selling(product)


def is_selling(product: Switched) -> bool:
    """Whether buyers see it and pay."""
    return product.mode is Mode.LIVE and product.published


def change_of(turn: Turn, product: Switched) -> str:
    """What a turn changes for buyers, in a sentence."""
    other = product.published if turn.mode is not None else product.mode is Mode.LIVE
    return CHANGES[turn, other]


def standing(product: Switched) -> tuple[str, str]:
    """What is true as the switches stand: in three words, and what that means for buyers."""
    return STANDS[product.mode, product.published]


def counted(findings: Sequence[Finding]) -> str:
    """How much was found: `1 error and 2 warnings`; empty where there is nothing."""
    errors = sum(finding.level == "error" for finding in findings)
    found = ((errors, "error"), (len(findings) - errors, "warning"))
    return " and ".join(f"{n} {word}{'' if n == 1 else 's'}" for n, word in found if n)


def warned(turn: Turn, findings: Sequence[Finding]) -> str:
    """What the preflight has found, to be read before a turn towards buyers; empty for one away from them."""
    if not findings or not turn.is_on:
        return ""
    told = [f"{'✗' if finding.level == 'error' else '!'} {finding.message}" for finding in findings[:LISTED]]
    more = [f"and {len(findings) - LISTED} more"] if len(findings) > LISTED else []
    return "\n".join([f"{counted(findings)}:", *told, *more])
