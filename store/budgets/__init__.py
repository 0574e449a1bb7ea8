"""Budgets in versions, what is spent of them, and where they stand."""
