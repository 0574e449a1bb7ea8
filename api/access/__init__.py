"""People and their roles, and the record of changes."""
