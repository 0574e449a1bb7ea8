"""Works out what usage is to cost, and posts to the ledger what it lacks."""
