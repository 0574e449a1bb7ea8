"""Compares budgets with spend, and forecasts them."""
