"""Spend by any grouping, and the calls behind a figure."""
