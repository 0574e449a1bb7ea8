"""Tells how the last week was."""
