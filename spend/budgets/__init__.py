"""Budgets: their terms and periods, where they stand, what is expected of them."""
