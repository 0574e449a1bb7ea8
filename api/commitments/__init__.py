"""Agreements with providers."""
