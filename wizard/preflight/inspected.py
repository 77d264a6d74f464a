"""What the rules of the preflight look at, what they find, and how they are numbered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from models.account import Connection
from models.ask import Answers
from models.product import Product
from models.references import OtherProduct, References
from models.saved import RunRow, SavedAccount, SavedProduct
from wizard.sale.options.integrated import connection_of

ACCESS = "post_sale.access"

Level = Literal["error", "warning"]


class Finding(Answers):
    """What a rule found: Live is refused while one of level `error` stands."""

    rule: str
    level: Level
    field: str
    """The question to go to, by its path."""
    message: str
    """A sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """Everything the rules look at."""

    product: SavedProduct
    account: SavedAccount
    now: datetime
    file_states: Mapping[str, str] = field(default_factory=dict)
    """Of the file that buyers get: `ready`, `missing`, `empty` or `changed`, by slug."""
    last_try: RunRow | None = None
    """The last run in which somebody bought the product with these answers, if anybody has."""
    others: Mapping[str, OtherProduct] = field(default_factory=dict)
    """The products offered as bumps, by slug."""
    levels_elsewhere: Mapping[str, str] = field(default_factory=dict)
    """The level that every other product takes on the same connection, by the product's slug."""

    @property
    def answers(self) -> Product:
        """The answers that are looked at."""
        return self.product.answers

    @property
    def around(self) -> References:
        """What the answers refer to."""
        return References(self.product.slug, self.account.account, self.others)

    @property
    def connection(self) -> Connection | None:
        """The connection that grants access, if that is the chosen option and it is there."""
        return connection_of(self.answers, self.account.account)


Found = Iterator[tuple[Level, str, str]]
"""What a rule yields: level, field and message."""
Rule = Callable[[Inspected], Found]
RULES: dict[str, Rule] = {}


def rule(number: int) -> Callable[[Rule], Rule]:
    """Give a rule its id."""

    def numbered(function: Rule) -> Rule:
        name = f"PF-{number:02}"
        assert name not in RULES, f"there is a rule {name} already"
        RULES[name] = function
        return function

    return numbered
