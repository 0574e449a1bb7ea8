"""Pools, their economics, and what if."""
