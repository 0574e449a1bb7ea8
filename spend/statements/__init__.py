"""A period's statement: its lines, and why they changed."""
