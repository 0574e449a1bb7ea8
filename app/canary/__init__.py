"""``spanledger canary``: known calls through the public doors, and what became of them."""
