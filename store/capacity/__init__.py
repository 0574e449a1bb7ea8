"""Pools: what they are, what their hours cost, who used them, and what if."""
