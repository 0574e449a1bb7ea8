"""Which shapes the database has had, and which code can go on with each (migrations/shapes.py)."""

from sqlalchemy import Column, DateTime, Table, Text

from store.tables.base import METADATA

shapes = Table(
    "shapes",
    METADATA,
    Column("revision", Text, primary_key=True, doc="Of the migration."),
    Column(
        "works_from",
        Text,
        nullable=False,
        doc="The oldest shape whose code still works with this one.",
    ),
    Column("applied_at", DateTime(timezone=True), nullable=False, doc="When it was applied, UTC."),
    info={
        "doc": (
            "Which migrations stand applied, and which code can go on with each: "
            "[upgrades](../upgrades.md)."
        )
    },
)
