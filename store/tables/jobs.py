"""What the jobs did: one row for each period that a job has been run for."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    Table,
    Text,
    UniqueConstraint,
)

from store.tables.base import METADATA

job_runs = Table(
    "job_runs",
    METADATA,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("job", Text, nullable=False),
    # The tick of the clock it was run for; a run by hand has the moment it was started.
    Column("period", DateTime(timezone=True), nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("finished_at", DateTime(timezone=True), nullable=False),
    # Everything heard before this is dealt with: store/completeness.py.
    Column("complete_until", DateTime(timezone=True)),
    # What it did, for people: "2 batches, 1024 calls"; or why it failed.
    Column("note", Text, nullable=False),
    # A failed tick is tried again: a success takes its place.
    Column("failed", Boolean, nullable=False),
    UniqueConstraint("job", "period"),
    Index("ix_job_runs_latest", "job", "finished_at"),
)
