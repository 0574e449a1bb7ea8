"""Watches alert rules."""
