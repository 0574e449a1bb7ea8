"""The ledger and the journal of usage, which only grow, and what posts to them."""
