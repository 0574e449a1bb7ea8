"""Single calls and traces: found, listed, and explained."""
