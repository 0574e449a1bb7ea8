"""Statements, drawn up from the books."""
