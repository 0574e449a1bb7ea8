"""Tells how the last week was, and that a month's books were closed or opened again."""
