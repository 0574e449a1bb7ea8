"""Shows: statements, tables, charts and FOCUS, as text, pages and files. Knows no database."""
