"""Months of a calendar, closed or open, and what proves a closed one."""
