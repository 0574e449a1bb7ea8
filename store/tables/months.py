"""Months: the periods of the ledger's calendar whose books are closed, and who closed them."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, ExcludeConstraint

from store.tables.base import METADATA, tenant

# A period has a row once somebody has closed it, softly or for good.
months = Table(
    "months",
    METADATA,
    tenant(),
    # spend/fiscal.py: '2026-10', 'FY2027-P02'.
    Column("name", Text, primary_key=True),
    # UTC, half-open, quarter hours: as of the calendar when it was closed, whatever that is now.
    Column("starts", DateTime(timezone=True), nullable=False),
    Column("ends", DateTime(timezone=True), nullable=False),
    # zone, kind, starts_in, week_starts_on, ends
    Column("calendar", JSONB, nullable=False),
    # One of: open (again), soft-closed, closed.
    Column("state", Text, nullable=False),
    # Of a closed one: what it was closed with, as canonical JSON, and its SHA-256 in hex.
    Column("record", Text),
    Column("hash", Text),
    CheckConstraint("ends > starts", name="time_is_a_range"),
    CheckConstraint("state IN ('open', 'soft-closed', 'closed')", name="state_is_known"),
    CheckConstraint(
        "(state = 'closed') = (record IS NOT NULL) AND (record IS NULL) = (hash IS NULL)",
        name="closed_has_a_record",
    ),
    ExcludeConstraint(
        ("tenant_id", "="),
        (text("tstzrange(starts, ends)"), "&&"),
        name="ex_months_one_at_a_time",
        using="gist",
        where=text("state <> 'open'"),
    ),
)

# What was done with them: added, never changed.
month_acts = Table(
    "month_acts",
    METADATA,
    Column("tenant_id", Integer, primary_key=True, autoincrement=False),
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("month", Text, nullable=False),
    # soft-close | reopen | close
    Column("act", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("by", Text, nullable=False),
    Column("note", Text),
    # Warnings that were accepted: list of name, said.
    Column("accepted", JSONB, nullable=False),
    CheckConstraint("act IN ('soft-close', 'reopen', 'close')", name="act_is_known"),
    CheckConstraint("act <> 'reopen' OR note IS NOT NULL", name="reopened_for_a_reason"),
    Index("ix_month_acts_month", "tenant_id", "month", "id"),
)
