"""Closing months and opening them."""
