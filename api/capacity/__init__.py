"""Pools, what their tokens cost, and what calls would have cost elsewhere."""
