"""Single calls: found, listed, and explained."""
