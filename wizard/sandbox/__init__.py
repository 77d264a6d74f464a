"""The buyer's world, played by a real small web application: logins, gated pages, downloads, bookings, a mailbox."""

PORT = 8025
"""Where `wizard sandbox` serves unless it is told otherwise."""
