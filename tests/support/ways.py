"""Ways that sellers go at the keyboard, and what is stored afterwards."""

from __future__ import annotations

from models.access import AccessKind
from models.saved import SavedProduct
from tests.support.seller import Seller


async def creates(seller: Seller, name: str) -> None:
    """Create a product from the list and arrive in the wizard."""
    await seller.press("n")
    await seller.sees("A new product")
    await seller.write(name)
    await seller.press("enter")
    await seller.sees("What do you sell?")
    await seller.settled()


def stored(seller: Seller, slug: str) -> SavedProduct:
    """The product as another process would find it."""
    assert seller.app.store is not None
    return seller.app.store.load(slug)


async def adds_a_price(seller: Seller, amount: str) -> None:
    """Add a one-time price in its dialogue."""
    await seller.goes_to("pricing: product")
    await seller.press("enter")
    await seller.sees("A new price point")
    await seller.press("tab")
    await seller.write(amount)
    await seller.saves("A new price point")


async def chooses_access(seller: Seller, kind: AccessKind) -> None:
    """Choose an access option and go to its first field."""
    await seller.goes_to("accessing")
    await seller.press("home", *["down"] * list(AccessKind).index(kind), "enter")
    await seller.settled()


async def fires(seller: Seller) -> None:
    """Fire a purchase and see it pass."""
    await seller.press("f5")
    await seller.sees("F5 carries out the event")
    await seller.press("f5")
    await seller.until(lambda: "Passed:" in seller.screen or "✗" in seller.screen, "a verdict", 30)
    assert "✓ Passed" in seller.screen, seller.screen
