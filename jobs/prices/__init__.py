"""Keeps the price book filled."""
