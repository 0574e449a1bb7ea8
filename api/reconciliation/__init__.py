"""Bills, and why the ledger differs from them."""
