"""The buyer's world, played by a real small web application: logins, gated pages, downloads, bookings, a mailbox."""

from __future__ import annotations

from wizard.failure import OUTSIDE, Failure

PORT = 8025
"""Where `wizard sandbox` serves unless it is told otherwise."""


class CannotServe(Failure):
    """The sandbox cannot be served. The message says why and what to do."""

    status = OUTSIDE
