"""What a product's answers refer to: the seller's things, and the other products that it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from models.account import Account, Membership


@dataclass(frozen=True, slots=True)
class OtherProduct:
    """What a bump needs to know of another product."""

    name: str
    currency: str
    published: bool


@dataclass(frozen=True, slots=True)
class References:
    """What a product's answers refer to."""

    slug: str = ""
    """The product's own."""
    account: Account = field(default_factory=Account)
    products: Mapping[str, OtherProduct] = field(default_factory=dict)
    """The other products that this one names, by slug."""

    def membership(self, slug: str | None) -> Membership | None:
        """The membership with that slug, if the seller has one."""
        return next((m for m in self.account.memberships if m.slug == slug), None)

    def has(self, subject: str, slug: str | None) -> bool:
        """Whether the seller has a thing of that kind with that slug."""
        return any(thing.slug == slug for thing in getattr(self.account, f"{subject}s", ()))
