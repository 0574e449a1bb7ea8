"""Currencies, and what one is in another on a day."""
