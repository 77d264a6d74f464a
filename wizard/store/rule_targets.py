"""The memberships that automation rules give or take: what a rule's target names, for whoever must know its uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from models.automations import Automations, Then

CHANGING_MEMBERSHIPS = (Then.GRANT_MEMBERSHIP, Then.REVOKE_MEMBERSHIP)


@dataclass(frozen=True, slots=True)
class RuleTarget:
    """A membership that a rule names, as `yoga-club` or `yoga-club/gold`."""

    number: int
    """Which rule it is, from 0."""
    membership: str
    level: str
    """Empty where the rule leaves it to the membership, which then has only one."""

    @property
    def field(self) -> str:
        """The path of the answer."""
        return f"automations.rules.{self.number}.target"


def rule_targets(automations: Automations) -> Iterator[RuleTarget]:
    """The memberships that the rules of a product name. A target that is not written yet is none."""
    for number, rule in enumerate(automations.rules):
        if rule.then in CHANGING_MEMBERSHIPS and rule.target:
            yield _target(number, rule.target)


def stored_rule_targets(automations: Mapping[str, Any]) -> Iterator[RuleTarget]:
    """The same of a product's stored answers, as plain values."""
    for number, rule in enumerate(automations.get("rules", ())):
        if rule.get("then") in CHANGING_MEMBERSHIPS and rule.get("target"):
            yield _target(number, rule["target"])


def _target(number: int, text: str) -> RuleTarget:
    membership, _, level = text.partition("/")
    return RuleTarget(number, membership.strip(), level.strip())
