"""Bills of providers in versions, and what the ledger says beside them."""
