"""Budgets, their crossings, and the messages that wait to be sent."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    Sequence,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from store.tables.base import AMOUNT, METADATA, no_nan

BUDGET_IDS = Sequence("budget_ids", metadata=METADATA)

# One row for each version: a change adds one and closes the one before (replaced_at).
budgets = Table(
    "budgets",
    METADATA,
    Column("tenant_id", Integer, primary_key=True, autoincrement=False),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    # dimension -> list of values (spend/budgets.py); {} is everything.
    Column("filter", JSONB, nullable=False),
    Column("amount", AMOUNT, nullable=False),
    Column("currency", Text, nullable=False),
    Column("period", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    # How its fiscal periods are cut (spend/fiscal.py); NULL: its period is none of them.
    Column("fiscal", JSONB(none_as_null=True)),
    # Percent of the amount, ascending.
    Column("thresholds", ARRAY(Integer), nullable=False),
    # Where to warn; NULL: SPANLEDGER_SLACK_WEBHOOK_URL.
    Column("webhook_url", Text),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("replaced_at", DateTime(timezone=True)),
    no_nan("amount"),
    CheckConstraint("amount >= 0", name="amount_not_negative"),
    Index(
        "uq_budgets_name_in_force",
        "tenant_id",
        "name",
        unique=True,
        postgresql_where=text("replaced_at IS NULL"),
    ),
)

# A threshold that was reached in a period: written once, with its message, in one transaction.
crossings = Table(
    "crossings",
    METADATA,
    Column("tenant_id", Integer, primary_key=True, autoincrement=False),
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("budget_id", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("period_start", DateTime(timezone=True), nullable=False),
    Column("threshold", Integer, nullable=False),
    Column("crossed_at", DateTime(timezone=True), nullable=False),
    Column("spent", AMOUNT, nullable=False),
    Column("amount", AMOUNT, nullable=False),
    no_nan("spent"),
    UniqueConstraint("tenant_id", "budget_id", "version", "period_start", "threshold"),
)

outbox = Table(
    "outbox",
    METADATA,
    Column("tenant_id", Integer, primary_key=True, autoincrement=False),
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("crossing_id", BigInteger),
    # NULL: no destination was set when it was written; it waits until one is.
    Column("destination", Text),
    Column("body", JSONB, nullable=False),
    # pending | sent | dead
    Column("status", Text, nullable=False, server_default="pending"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("next_at", DateTime(timezone=True), nullable=False),
    Column("leased_to", DateTime(timezone=True)),
    Column("sent_at", DateTime(timezone=True)),
    Column("last_error", Text),
    CheckConstraint("status IN ('pending', 'sent', 'dead')", name="status_is_known"),
    Index("ix_outbox_pending", "next_at", postgresql_where=text("status = 'pending'")),
)
