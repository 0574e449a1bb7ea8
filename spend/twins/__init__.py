"""Which spans are one call, and whose word counts for what it used."""
