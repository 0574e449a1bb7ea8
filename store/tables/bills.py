"""Bills: what providers invoiced, line by line, as it was read."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    Numeric,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from store.tables.base import AMOUNT, METADATA, no_nan, tenant

# What a bill says is never changed; a newer version supersedes it.
bills = Table(
    "bills",
    METADATA,
    Column("tenant_id", Integer, primary_key=True, autoincrement=False),
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("provider", Text, nullable=False),
    Column("account", Text),
    Column("invoice", Text),
    Column("starts", DateTime(timezone=True), nullable=False),
    Column("ends", DateTime(timezone=True), nullable=False),
    Column("currency", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("imported_at", DateTime(timezone=True), nullable=False),
    Column("imported_by", Text),
    Column("lines", Integer, nullable=False),
    Column("total", AMOUNT, nullable=False),
    # NULL: it holds.
    Column("superseded_at", DateTime(timezone=True)),
    no_nan("total"),
    CheckConstraint("ends > starts", name="time_is_a_range"),
    Index(
        "uq_bills_one_holds",
        "tenant_id",
        "provider",
        "account",
        "starts",
        "ends",
        "invoice",
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=text("superseded_at IS NULL"),
    ),
)

# Written once, with its bill.
bill_lines = Table(
    "bill_lines",
    METADATA,
    tenant(),
    Column("bill_id", BigInteger, primary_key=True, autoincrement=False),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("starts", DateTime(timezone=True), nullable=False),
    Column("ends", DateTime(timezone=True), nullable=False),
    Column("account", Text),
    Column("provider", Text, nullable=False),
    Column("model", Text),
    Column("meter", Text),
    Column("region", Text),
    Column("service_tier", Text),
    Column("description", Text),
    Column("kind", Text, nullable=False),
    # As finely as the issuer tells them.
    Column("quantity", Numeric),
    Column("unit", Text),
    Column("unit_price", Numeric),
    Column("amount", AMOUNT, nullable=False),
    Column("currency", Text, nullable=False),
    Column("raw", JSONB, nullable=False),
    no_nan("quantity"),
    no_nan("unit_price"),
    no_nan("amount"),
    CheckConstraint(
        "kind IN ('usage', 'credit', 'tax', 'fee', 'adjustment')", name="kind_is_known"
    ),
)
