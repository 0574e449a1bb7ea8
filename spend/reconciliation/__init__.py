"""Bills of providers: read, compared with the ledger, each difference with its reason."""
