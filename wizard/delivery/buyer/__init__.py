"""What a buyer does with what was bought, for every backend and platform: goes in, reads, downloads."""
