"""The mails to the buyer: what they say, how they are filled, and how they travel."""
