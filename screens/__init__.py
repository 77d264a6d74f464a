"""What the seller sees: the Textual app, one file for each screen with its stylesheet beside it."""
