"""Views of spend that somebody gave a name."""

from sqlalchemy import BigInteger, Column, DateTime, Identity, Table, Text, UniqueConstraint

from store.tables.base import METADATA, tenant

saved_views = Table(
    "saved_views",
    METADATA,
    tenant(),
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("name", Text, nullable=False),
    # What stands behind the question mark of its address: checked by the page that shows it.
    Column("asked", Text, nullable=False),
    Column("saved_at", DateTime(timezone=True), nullable=False),
    Column("saved_by", Text, nullable=False),
    UniqueConstraint("tenant_id", "name"),
)
