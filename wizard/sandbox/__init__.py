"""The buyer's world, played by a real small web application: logins, gated pages, downloads, bookings, a mailbox."""
