"""Keys that may send, read or administer."""

from sqlalchemy import CheckConstraint, Column, DateTime, Integer, LargeBinary, Table, Text

from store.tables.base import METADATA

keys = Table(
    "keys",
    METADATA,
    Column("tenant_id", Integer, primary_key=True, autoincrement=False),
    # The readable part of the key, by which it is found.
    Column("id", Text, primary_key=True),
    # ingest | read | admin
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    # The team that spans sent with this key belong to unless they say otherwise; for a read key,
    # the only team it may see.
    Column("team", Text),
    # HMAC-SHA256 of the secret: it is 256 random bits, so a slow hash would add nothing.
    Column("digest", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("revoked_at", DateTime(timezone=True)),
    CheckConstraint("kind IN ('ingest', 'read', 'admin')", name="kind_is_known"),
)
