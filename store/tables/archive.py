"""How long calls are kept, and where those of days that are gone have been put."""

from sqlalchemy import BigInteger, Column, Date, DateTime, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from store.tables.base import METADATA, tenant

# One row, which only moves on: what was refused once is refused for good.
retention = Table(
    "retention",
    METADATA,
    tenant(),
    # The first day (UTC) that spans, records and readings are still taken of.
    Column("kept_from", Date, nullable=False),
    # What is known of days before it never changes any more: no twin is looked for there. NULL:
    # there are none.
    Column("frozen_before", Date),
)

# Days (UTC) whose calls were archived, or dropped without.
archived_days = Table(
    "archived_days",
    METADATA,
    tenant(),
    Column("day", Date, primary_key=True),
    # A folder of this machine, or s3://bucket/prefix?region=...; without credentials. NULL: they
    # were dropped for good, as somebody had said.
    Column("place", Text),
    # Beneath the place.
    Column("folder", Text),
    # [{"name", "rows", "bytes", "sha256", "sums": {column: sum}} ...]
    Column("files", JSONB(none_as_null=True), nullable=False),
    Column("sightings", BigInteger, nullable=False),
    Column("joined_calls", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    # Of the manifest.
    Column("sha256", Text),
    # Whether a trace has a sighting in it (spend/trace_filters.py).
    Column("traces", LargeBinary),
    Column("archived_at", DateTime(timezone=True), nullable=False),
    # NULL: they are in the tables still.
    Column("dropped_at", DateTime(timezone=True)),
)
