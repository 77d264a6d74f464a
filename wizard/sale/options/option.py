"""What an access option is to the rest of the house, and the option made ready for one sale."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from models.access import AccessKind
from models.account import Account
from models.fulfillment import (
    Action,
    CancelRegistration,
    GrantAccess,
    IssueDownloadLink,
    KeepAccess,
    RegisterAttendee,
    RevokeAccess,
    RevokeDownloadLink,
)
from models.post_sale import Afterwards
from models.pricing import Cancellation, is_repeated
from models.product import Product
from models.references import References
from wizard.sale.sold import Held, Sale

ACCESS = "post_sale.access"
"""The path of the module that asks for the option."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """The chosen access option, made ready. Both `gives` and `takes` are None where nothing is delivered."""

    option: Option
    target: str
    gives: GrantAccess | IssueDownloadLink | RegisterAttendee | None
    takes: RevokeAccess | RevokeDownloadLink | CancelRegistration | None

    def begin(self, held: Held, now: datetime) -> list[Action]:
        """What a purchase gives to a buyer who may hold some of it already."""
        return self.option.begin(self, held, now)

    def keep(self, reason: str, *, used: bool = True) -> KeepAccess:
        """Nothing changes, and why. `used`: whether the access is to be tried again as the buyer."""
        return KeepAccess(target=self.target, reason=reason, kept=self.gives if used else None)

    def end(self, reason: str) -> list[Action]:
        """What takes the access away."""
        if self.takes is None:
            return [KeepAccess(target=self.target, reason=f"{reason}; nothing was delivered that could be taken back")]
        return [self.takes]

    def lapse(self) -> list[Action]:
        """What follows when the payment has failed for good."""
        return self.option.lapse(self)


class Option(ABC):
    """One way in which buyers receive what they bought. Each has a module of its own, which says all there is to say
    about it: what it needs, gives and takes, and what a seller reads of it."""

    kind: ClassVar[AccessKind]
    is_held: ClassVar[bool] = True
    """Whether it gives access that lasts, and that a failed payment, a partial refund or time can end."""
    warns_of_failed_payments: ClassVar[bool] = False
    """Whether a mail tells the buyer of a payment that failed."""

    @abstractmethod
    def ready(self, sold: Sale, now: datetime) -> Delivery:
        """Make it ready for a sale. Raises NotReady when something is not chosen or gone."""

    @abstractmethod
    def targets(self, product: Product) -> Mapping[str, str | None]:
        """The seller's things that it leads to, by the names of their questions: a slug, or None where none is chosen
        yet."""

    @abstractmethod
    def received(self, product: Product, references: References) -> str:
        """What a buyer gets after paying, in the seller's words; empty while it is not chosen yet."""

    def begin(self, delivery: Delivery, held: Held, now: datetime) -> list[Action]:
        """What a purchase gives to a buyer who may hold some of it already."""
        return [delivery.gives] if delivery.gives else []

    def lapse(self, delivery: Delivery) -> list[Action]:
        """What follows when the payment has failed for good."""
        return delivery.end("the payment failed for good")

    def mails(self, product: Product, account: Account) -> tuple[str, ...]:
        """The notifications that a purchase sends because of it, by name."""
        return ()

    def ends_by_itself(self, product: Product) -> bool:
        """Whether what it gives ends after some days."""
        return product.post_sale.policy.expires_after_days is not None

    def consequence(self, product: Product, references: References) -> str:
        """What the answers lead to, in two lines: what buyers get, and what ends it. Empty while nothing is chosen."""
        what = self.received(product, references)
        if not what:
            return ""
        prices = [price for price in product.pricing.prices if is_repeated(price)]
        instant = any(price.cancellation is Cancellation.INSTANT for price in prices)
        refund = "after a refund" if product.post_sale.policy.on_refund is Afterwards.REVOKE else ""
        cancel = ("at once on cancel" if instant else "with the paid period on cancel") if prices else ""
        ends = " and ".join(reason for reason in (cancel, refund) if reason)
        return f"Buyers get   {what}\n" + (f"Access ends  {ends}" if ends else "Access ends  never: it stays for good")


def until(sold: Sale, now: datetime, *days: int | None) -> datetime | None:
    """When access that is given now ends in any case: after the policy's days, or these, whatever is sooner."""
    limits = [limit for limit in (sold.policy.expires_after_days, *days) if limit is not None]
    try:
        return now + timedelta(days=min(limits)) if limits else None
    except OverflowError:  # a hundred years from a far future: as good as never
        return None
