"""Views of spend that somebody gave a name."""

from sqlalchemy import BigInteger, Column, DateTime, Identity, Table, Text, UniqueConstraint

from store.tables.base import METADATA, tenant

saved_views = Table(
    "saved_views",
    METADATA,
    tenant(),
    Column("id", BigInteger, Identity(), primary_key=True, doc="Number of the view."),
    Column("name", Text, nullable=False, doc="What people call it; no two the same."),
    Column(
        "asked", Text, nullable=False, doc="What stands behind the question mark of its address."
    ),
    Column("saved_at", DateTime(timezone=True), nullable=False, doc="When it was saved, UTC."),
    Column("saved_by", Text, nullable=False, doc="Who saved it."),
    UniqueConstraint("tenant_id", "name"),
    info={"doc": "Questions of spend that somebody [gave a name](../pages.md)."},
)
