"""What the conformance test sells: products that lead to every action that a backend can be asked for."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from models.account import Account, StoredFile
from models.product import Product
from models.saved import SavedAccount, SavedProduct
from wizard.sale.sold import Sale

WORKBOOK = b"%PDF-1.7 the workbook of the conformance test\n" * 20
FILENAME = "workbook.pdf"

HERE = "127.0.0.1"
"""Where the address is that a rule calls."""

MONTHLY = {
    "type": "recurring", "amount": "29.00", "period": "monthly", "initial_payment": {"amount": "1.00", "days": 14},
}  # fmt: skip

ACCOUNT = {
    "memberships": [
        {"slug": "yoga-club", "name": "Yoga Club", "levels": ["silver", "gold"]},
    ],
    "connections": [{"slug": "my-site", "name": "My site"}],
    "files": [{"slug": "workbook", "name": "Workbook", "path": FILENAME}],
    "calendars": [{"slug": "coaching", "name": "Coaching call", "confirmation": "You are booked."}],
    "webinars": [{"slug": "intro", "name": "Introduction", "confirmation": "See you on Friday."}],
}

PRODUCTS: Mapping[str, dict[str, Any]] = {
    "hosted": {
        "kind": "hosted_membership", "hosted_membership": {"membership": "yoga-club", "levels": ["silver", "gold"]},
    },
    "integrated": {
        "kind": "integrated_membership", "integrated_membership": {"connection": "my-site", "level": "gold"},
    },
    "file": {"kind": "downloadable_file", "downloadable_file": {"file": "workbook", "download_limit": 3}},
    "unlimited": {"kind": "downloadable_file", "downloadable_file": {"file": "workbook", "download_limit": None}},
    "calendar": {"kind": "no_access_page", "no_access_page": {"reason": "calendar", "calendar": "coaching"}},
    "webinar": {"kind": "no_access_page", "no_access_page": {"reason": "webinar", "webinar": "intro"}},
    "physical": {"kind": "no_access_page", "no_access_page": {"reason": "physical", "instructions": "It ships soon."}},
    "noted": {"kind": "no_access_page", "no_access_page": {"reason": "service", "instructions": "We meet on Monday."}},
}  # fmt: skip
"""The access option of each, by a name of its own. `noted` is what its automations make of it."""


def account(file: bytes) -> SavedAccount:
    """The seller's things, with a file that holds these bytes."""
    sha256 = hashlib.sha256(file).hexdigest()
    kept = StoredFile(slug="workbook", filename=FILENAME, size=len(file), sha256=sha256, media_type="application/pdf")
    return SavedAccount(account=Account.model_validate(ACCOUNT), files={"workbook": kept})


def product_of(name: str, file: bytes, address: str) -> Sale:
    """One of the products. `address`: one that a rule may call."""
    automations = {
        "tags": ["customer"],
        "lists": ["newsletter"],
        "sequences": ["welcome"],
        "rules": [
            {"when": "buys", "then": "call_webhook", "target": address},
            {"when": "buys", "then": "grant_membership", "target": "yoga-club/silver"},
            {"when": "refunds", "then": "unassign_tag", "target": "customer"},
            {"when": "refunds", "then": "revoke_membership", "target": "yoga-club/silver"},
        ],
    }
    answers = Product.model_validate(
        {
            "general": {"name": "Conformance", "support_email": "help@example.com"},
            "pricing": {"currency": "USD", "prices": [MONTHLY]},
            "post_sale": {"access": PRODUCTS[name]},
            **({"automations": automations} if name == "noted" else {}),
        }
    )
    saved = SavedProduct(slug="conformance", answers=answers, updated_at=datetime(2026, 11, 23, tzinfo=UTC))
    return Sale(product=saved, account=account(file))


class _Yes(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """In silence: what pytest shows is the backend's."""


@contextmanager
def receiver() -> Iterator[str]:
    """An address on this machine that says yes to everybody, as a rule may call it."""
    server = ThreadingHTTPServer((HERE, 0), _Yes)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{HERE}:{server.server_port}/hook"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
