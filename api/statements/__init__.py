"""Statements, and months as FOCUS."""
