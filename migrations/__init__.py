"""How the memory came to have its shape (Alembic)."""
