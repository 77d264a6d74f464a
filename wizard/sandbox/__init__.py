"""The buyer's world, played by a real small web application: logins, gated pages, downloads, bookings, a mailbox."""

from __future__ import annotations

PORT = 8025
"""Where `wizard sandbox` serves unless it is told otherwise."""


class CannotServe(Exception):
    """The sandbox cannot be served. The message says why and what to do."""
