"""What planning looks at: what was sold, and what the buyer holds already."""

from __future__ import annotations

from datetime import datetime

from pydantic import AwareDatetime

from models.account import Membership
from models.fulfillment import Fact
from models.post_sale import Policy
from models.product import Product
from models.saved import SavedAccount, SavedProduct
from wizard.failure import REFUSED, Failure


class NotReady(Failure):
    """The product cannot be sold as it stands. `field` is the question to answer; the message says how."""

    status = REFUSED

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field

    @property
    def told(self) -> str:
        """See `Failure`."""
        return f"{self.field}: {self}"


class Sale(Fact):
    """A product as it stands in the database, with what it refers to, at one of its prices."""

    product: SavedProduct
    account: SavedAccount
    price: int = 1
    """The number of the price point, from 1."""

    @property
    def answers(self) -> Product:
        """The product's answers."""
        return self.product.answers

    @property
    def policy(self) -> Policy:
        """What ends access."""
        return self.answers.post_sale.policy

    def membership(self, slug: str, field: str) -> Membership:
        """The seller's membership. Raises NotReady when it is gone."""
        for membership in self.account.account.memberships:
            if membership.slug == slug:
                return membership
        raise NotReady(field, f"The membership “{slug}” is gone: choose another one.")


class Held(Fact):
    """What the buyer holds before the event."""

    login: bool = False
    """Has a login for the host's memberships."""
    levels: frozenset[str] = frozenset()
    """Levels of the product's membership."""
    registered: bool = False
    """Stands on the linked calendar or webinar."""
    bought_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    """When what is held ends by itself: a link that runs out, access for a number of days."""
    is_out: bool = False
    """Holds nothing: has not bought yet, or access was taken away."""
    cancellation_pending: bool = False
    """Has cancelled, and the paid period is not over."""
    canceled_early: bool = False
    """A cancellation arrived, and the purchase that it belongs to has not arrived yet."""
    failed_payments: int = 0
    """Payments in a row that failed before this event."""
    failing_since: AwareDatetime | None = None
    trial_paid: bool = True
    """Whether the charge at the end of the trial went through."""

    def has_run_out(self, now: datetime) -> bool:
        """Whether what was held has ended by itself."""
        return self.ends_at is not None and self.ends_at <= now

    def days_failing(self, now: datetime, otherwise: int) -> int:
        """Whole days since the first failed payment, or `otherwise` where that time is not known."""
        return (now - self.failing_since).days if self.failing_since else otherwise
