"""Months of the calendar, open or closed, and what proves a closed one."""
