"""How calls went: latency, errors, cost against latency, APIs beside our own machines."""
