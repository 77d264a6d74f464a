"""A file that buyers download by a link that is mailed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from models.access import AccessKind, duration
from models.account import Account
from models.fulfillment import Action, IssueDownloadLink, RevokeDownloadLink
from models.product import Product
from models.references import References
from wizard.sale.options.option import ACCESS, Delivery, Option, until
from wizard.sale.sold import NotReady, Sale

FIELD = f"{ACCESS}.downloadable_file.file"


class Download(Option):
    """See `Option`."""

    kind = AccessKind.DOWNLOADABLE_FILE

    def ready(self, sold: Sale, now: datetime) -> Delivery:
        """See `Option`."""
        chosen = sold.answers.post_sale.access.downloadable_file
        if not chosen.file:
            raise NotReady(FIELD, "Choose the file that buyers download.")
        stored = sold.account.files.get(chosen.file)
        if stored is None:
            gone = f"The file “{chosen.file}” is not in your file library"
            raise NotReady(FIELD, f"{gone}: add it again or choose another.")
        return Delivery(
            self,
            stored.slug,
            IssueDownloadLink(
                target=stored.slug,
                sha256=stored.sha256,
                size=stored.size,
                filename=stored.filename,
                media_type=stored.media_type,
                download_limit=chosen.download_limit,
                link_lifetime=chosen.link_lifetime,
                access_until=until(sold, now, chosen.access_days),
            ),
            RevokeDownloadLink(target=stored.slug),
        )

    def lapse(self, delivery: Delivery) -> list[Action]:
        """See `Option`."""
        return [delivery.keep("no new link is given; a link that was mailed runs out by itself", used=False)]

    def targets(self, product: Product) -> Mapping[str, str | None]:
        """See `Option`."""
        return {"file": product.post_sale.access.downloadable_file.file}

    def mails(self, product: Product, account: Account) -> tuple[str, ...]:
        """See `Option`."""
        return ("download_link_to_buyer",)

    def ends_by_itself(self, product: Product) -> bool:
        """See `Option`."""
        days = product.post_sale.access.downloadable_file.access_days
        return days is not None or super().ends_by_itself(product)

    def received(self, product: Product, references: References) -> str:
        """See `Option`."""
        chosen = product.post_sale.access.downloadable_file
        if chosen.file is None:
            return ""
        often = f"{chosen.download_limit} downloads" if chosen.download_limit else "any number of downloads"
        return f"a mail at once with a link: {often}, for {duration(chosen.link_lifetime)}"


def link_ends(action: IssueDownloadLink, now: datetime) -> datetime:
    """When a link that is made now stops to work."""
    ends = now + timedelta(seconds=action.link_lifetime)
    return min(ends, action.access_until) if action.access_until else ends
