"""Months: the periods of the ledger's calendar whose books are closed, and who closed them."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, ExcludeConstraint

from store.tables.base import METADATA, tenant

months = Table(
    "months",
    METADATA,
    tenant(),
    Column("name", Text, primary_key=True, doc="2026-10, FY2027-P02."),
    Column(
        "starts",
        DateTime(timezone=True),
        nullable=False,
        doc="When it begins, UTC, as of the calendar when it was closed.",
    ),
    Column("ends", DateTime(timezone=True), nullable=False, doc="When it ends, UTC, exclusive."),
    Column(
        "calendar",
        JSONB,
        nullable=False,
        doc="By which calendar: zone, kind and how a year is cut.",
    ),
    Column("state", Text, nullable=False, doc="open (again), soft-closed or closed."),
    Column(
        "record", Text, doc="What it was closed with, as canonical JSON; null: it is not closed."
    ),
    Column("hash", Text, doc="SHA-256 of the record, in hex. The next month's record has it."),
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
    info={
        "doc": (
            "Periods of the ledger's calendar whose books somebody [has "
            "closed](../months.md), softly or for good."
        )
    },
)

month_acts = Table(
    "month_acts",
    METADATA,
    tenant(),
    Column("id", BigInteger, Identity(), primary_key=True, doc="Number of the act."),
    Column("month", Text, nullable=False, doc="`months.name`."),
    Column("act", Text, nullable=False, doc="soft-close, reopen or close."),
    Column("at", DateTime(timezone=True), nullable=False, doc="When it was done, UTC."),
    Column("by", Text, nullable=False, doc="Who did it."),
    Column("note", Text, doc="What there was to say of it; of a reopening, why."),
    Column(
        "accepted",
        JSONB,
        nullable=False,
        doc="Warnings that were accepted: what they are called, and what they said.",
    ),
    CheckConstraint("act IN ('soft-close', 'reopen', 'close')", name="act_is_known"),
    CheckConstraint("act <> 'reopen' OR note IS NOT NULL", name="reopened_for_a_reason"),
    Index("ix_month_acts_month", "tenant_id", "month", "id"),
    info={"doc": "What was done with months. Added, never changed."},
)
