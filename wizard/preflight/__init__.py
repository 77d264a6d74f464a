"""What stands between a product and its buyers: the rules of `docs/spec.md` 6, each a small function.

The rules are pure: they see an `Inspected` and nothing else. `inspect` gathers one from the store.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from models.references import OtherProduct
from models.saved import SavedProduct
from wizard.preflight import delivery, sale
from wizard.preflight.inspected import RULES, Finding, Inspected
from wizard.sale.options import targets
from wizard.sale.options.integrated import granted_on
from wizard.store.errors import NotFound

if TYPE_CHECKING:
    from wizard.store import Store


def check(inspected: Inspected) -> list[Finding]:
    """Every finding about a product, rule by rule."""
    return [
        Finding(rule=name, level=level, field=path, message=message)
        for name, look in sorted(RULES.items())
        for level, path, message in look(inspected)
    ]


def may_go_live(findings: list[Finding]) -> bool:
    """Whether no error stands."""
    return not any(finding.level == "error" for finding in findings)


def inspect(store: Store, slug: str, now: datetime) -> Inspected:
    """Gather what the rules look at. Raises the store's NotFound."""
    product, account = store.load(slug), store.account()
    states: dict[str, str] = {}
    file = targets(product.answers).get("file")
    if file and any(each.slug == file for each in account.account.files):
        states[file] = store.file_state(file)
    elsewhere: dict[str, str] = {}
    if connection := granted_on(product.answers):
        for other in store.used_by("connection", connection):
            found = _load(store, other) if other != slug else None
            if found and granted_on(found.answers) == connection:
                elsewhere[other] = found.answers.post_sale.access.integrated_membership.level
    return Inspected(
        product,
        account,
        now,
        states,
        store.last_try(slug, product.revision),
        {s: _as_other(found) for s in product.answers.checkout.bumps if s != slug and (found := _load(store, s))},
        elsewhere,
    )


def _load(store: Store, slug: str) -> SavedProduct | None:
    try:
        return store.load(slug)
    except NotFound:
        return None


def _as_other(product: SavedProduct) -> OtherProduct:
    return OtherProduct(
        product.answers.general.name or product.slug, product.answers.pricing.currency, product.published
    )


__all__ = ["RULES", "Finding", "Inspected", "check", "delivery", "inspect", "may_go_live", "sale"]
