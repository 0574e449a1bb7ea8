"""Which sightings are one call: evidence asked for in SQL."""
