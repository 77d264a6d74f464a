"""What a buyer does with what was bought, for every backend and platform: a browser, and links in hand."""
