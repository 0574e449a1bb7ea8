"""Budgets: set, asked about, forecast, and checked before a call."""
