"""How long calls are kept, and where those of days that are gone have been put."""

from sqlalchemy import BigInteger, Column, Date, DateTime, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from store.tables.base import METADATA, tenant

retention = Table(
    "retention",
    METADATA,
    tenant(),
    Column(
        "kept_from",
        Date,
        nullable=False,
        doc=("The first day (UTC) that spans, log records and readings are still taken of."),
    ),
    Column(
        "frozen_before",
        Date,
        doc=(
            "What is known of days (UTC) before it never changes any more: no twin is "
            "looked for there. Null: there are none."
        ),
    ),
    info={
        "doc": (
            "[How long calls are kept](../retention.md): one row, which only "
            "moves on. None: all of them."
        )
    },
)

archived_days = Table(
    "archived_days",
    METADATA,
    tenant(),
    Column("day", Date, primary_key=True, doc="Which day it is, UTC."),
    Column(
        "place",
        Text,
        doc=(
            "A folder, or `s3://bucket/prefix?…` without credentials; null: they were "
            "dropped for good."
        ),
    ),
    Column("folder", Text, doc="Beneath the place; null: as above."),
    Column(
        "files",
        JSONB(none_as_null=True),
        nullable=False,
        doc="Of each file: name, rows, bytes, SHA-256, and the sums of its columns.",
    ),
    Column("sightings", BigInteger, nullable=False, doc="How many there were."),
    Column("joined_calls", BigInteger, nullable=False, doc="How many there were."),
    Column("bytes", BigInteger, nullable=False, doc="Of the files together."),
    Column("sha256", Text, doc="Of the manifest, in hex; null: nothing was written."),
    Column(
        "traces",
        LargeBinary,
        doc=("A filter that says whether a trace has a sighting in it (`spend/trace_filters.py`)."),
    ),
    Column("archived_at", DateTime(timezone=True), nullable=False, doc="When that was, UTC."),
    Column(
        "dropped_at",
        DateTime(timezone=True),
        doc="When they left the tables, UTC; null: they are in them still.",
    ),
    info={"doc": ("Days whose calls were [archived](../retention.md), or dropped without.")},
)
