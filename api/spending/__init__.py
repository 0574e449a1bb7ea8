"""Spend, charges and performance, by any breakdown."""
