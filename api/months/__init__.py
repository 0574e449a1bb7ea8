"""Months: how far their books are closed; closing them, and opening them again."""
