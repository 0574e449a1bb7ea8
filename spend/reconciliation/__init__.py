"""Bills of providers: read, compared with the ledger, and told apart by reason."""
