"""Pools, commitments, and what calls would have cost elsewhere."""
