"""Sample data: what an empty account can be filled with, to look around and to try a test-fire at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wizard.documents import ObjectChange, apply

if TYPE_CHECKING:
    from wizard.store import Store

DOCUMENT = Path(__file__).with_name("sample.yaml")


def fill(store: Store) -> list[ObjectChange]:
    """Create the sample's products and what they need. Doing it twice changes nothing.

    Raises DocumentError where something of the seller's is in the way, and what the store raises.
    """
    return apply([DOCUMENT], store, who="sample data")
