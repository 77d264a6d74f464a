"""Where deliveries go and how: the contract of a backend, the ways out, and the buyer who uses what was given."""
