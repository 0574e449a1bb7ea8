"""Currencies, and the exchange rates between them."""
