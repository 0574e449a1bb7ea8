"""Prices, discounts, exchange rates, and re-pricings."""
