"""Agreements with providers, and what was used of them."""
