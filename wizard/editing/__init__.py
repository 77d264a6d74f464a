"""What every front end does with a seller's answers, written once."""
