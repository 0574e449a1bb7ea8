"""Prices, discounts, exchange rates, and pricing again."""
