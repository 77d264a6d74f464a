"""A membership that the host keeps: buyers log in there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from models.access import AccessKind
from models.account import Account
from models.fulfillment import Action, GrantAccess, RevokeAccess
from models.product import Product
from models.references import References
from wizard.sale.options.option import ACCESS, Delivery, Option, until
from wizard.sale.sold import Held, NotReady, Sale

FIELD = f"{ACCESS}.hosted_membership"


class Hosted(Option):
    """See `Option`."""

    kind = AccessKind.HOSTED_MEMBERSHIP
    warns_of_failed_payments = True

    def ready(self, sold: Sale, now: datetime) -> Delivery:
        """See `Option`."""
        chosen = sold.answers.post_sale.access.hosted_membership
        if not chosen.membership:
            raise NotReady(f"{FIELD}.membership", "Choose the membership that buyers get into.")
        membership = sold.membership(chosen.membership, f"{FIELD}.membership")
        if not chosen.levels:
            raise NotReady(f"{FIELD}.levels", "Choose at least one level.")
        for level in chosen.levels:
            if level not in membership.levels:
                raise NotReady(f"{FIELD}.levels", f"“{membership.name}” has no level “{level}” any more.")
        common = {
            "target": membership.slug,
            "levels": chosen.levels,
            "password_protected": membership.password_protected,
            "name": membership.name,
        }
        login = membership.password_protected or chosen.send_login_details
        return Delivery(
            self,
            membership.slug,
            GrantAccess.model_validate(common | {"create_login": login, "until": until(sold, now)}),
            RevokeAccess.model_validate(common),
        )

    def begin(self, delivery: Delivery, held: Held, now: datetime) -> list[Action]:
        """Only the levels that the buyer does not hold yet; all of them where they last longer now."""
        gives = delivery.gives
        assert isinstance(gives, GrantAccess)
        if not held.levels or held.has_run_out(now) or gives.until is not None:
            return [gives]
        new = tuple(level for level in gives.levels if level not in held.levels)
        if not new:
            return [delivery.keep("the buyer holds every level already")]
        return [gives.model_copy(update={"levels": new})]

    def targets(self, product: Product) -> Mapping[str, str | None]:
        """See `Option`."""
        return {"membership": product.post_sale.access.hosted_membership.membership}

    def mails(self, product: Product, account: Account) -> tuple[str, ...]:
        """A login, where it is asked for or nobody gets in without."""
        chosen = product.post_sale.access.hosted_membership
        is_protected = any(each.slug == chosen.membership and each.password_protected for each in account.memberships)
        return ("membership_welcome",) if chosen.send_login_details or is_protected else ()

    def received(self, product: Product, references: References) -> str:
        """See `Option`."""
        chosen = product.post_sale.access.hosted_membership
        membership = references.membership(chosen.membership)
        if membership is None:
            return ""
        levels = " and ".join(chosen.levels) or "no level yet"
        if membership.password_protected:
            return f"a login mail at once, then {membership.name}: {levels}"
        return f"{membership.name}: {levels}, open to anyone with the address"
