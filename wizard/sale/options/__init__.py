"""The four access options, a module each. Nobody else asks which one it is: they ask the option."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import assert_never

from models.access import AccessKind
from models.product import Product
from models.references import References
from wizard.sale.options.download import Download
from wizard.sale.options.hosted import Hosted
from wizard.sale.options.integrated import Integrated
from wizard.sale.options.nothing import Nothing
from wizard.sale.options.option import ACCESS, Delivery, Option
from wizard.sale.sold import NotReady, Sale

_HOSTED, _INTEGRATED, _DOWNLOAD, _NOTHING = Hosted(), Integrated(), Download(), Nothing()


def option_of(kind: AccessKind) -> Option:
    """The option of that kind. A kind without one does not pass mypy."""
    match kind:
        case AccessKind.HOSTED_MEMBERSHIP:
            return _HOSTED
        case AccessKind.INTEGRATED_MEMBERSHIP:
            return _INTEGRATED
        case AccessKind.DOWNLOADABLE_FILE:
            return _DOWNLOAD
        case AccessKind.NO_ACCESS_PAGE:
            return _NOTHING
        case _:
            assert_never(kind)


def chosen(product: Product) -> Option | None:
    """The option that a product has; None before one is chosen."""
    kind = product.post_sale.access.kind
    return None if kind is None else option_of(kind)


def targets(product: Product) -> Mapping[str, str | None]:
    """The seller's things that a product leads to, by the names of their questions."""
    option = chosen(product)
    return {} if option is None else option.targets(product)


def received(product: Product, references: References) -> str:
    """What a buyer gets after paying, in the seller's words; empty while it is not chosen yet."""
    option = chosen(product)
    return option.received(product, references) if option else ""


def delivery(sold: Sale, now: datetime) -> Delivery:
    """Make the chosen option ready. Raises NotReady when none is chosen or its target is gone."""
    option = chosen(sold.answers)
    if option is None:
        raise NotReady(f"{ACCESS}.kind", "Choose how buyers receive what they bought: one of four options.")
    return option.ready(sold, now)


__all__ = ["Delivery", "Option", "chosen", "delivery", "option_of", "received", "targets"]
