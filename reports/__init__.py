"""Shows: statements and tables, as text and as CSV. Knows no database."""
