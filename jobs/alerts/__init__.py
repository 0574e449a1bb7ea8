"""Measures what alert rules watch."""
