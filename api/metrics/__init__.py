"""What monitoring asks for: health, and metrics of the process, the ledger and spend."""
