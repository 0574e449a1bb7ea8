"""Which shapes the database has had, and which code can go on with each (migrations/shapes.py)."""

from sqlalchemy import Column, DateTime, Table, Text

from store.tables.base import METADATA

# One row for each migration that stands applied: written with it, by migrations/env.py alone.
shapes = Table(
    "shapes",
    METADATA,
    Column("revision", Text, primary_key=True),
    # The oldest shape whose code still works with this one.
    Column("works_from", Text, nullable=False),
    Column("applied_at", DateTime(timezone=True), nullable=False),
)
