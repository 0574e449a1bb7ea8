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
    Column("id", BigInteger, Identity(), primary_key=True, doc="Number of the run."),
    Column("job", Text, nullable=False, doc="Its name."),
    Column(
        "period",
        DateTime(timezone=True),
        nullable=False,
        doc="The tick that it was run for, UTC; by hand the moment it was started.",
    ),
    Column("started_at", DateTime(timezone=True), nullable=False, doc="When it began, UTC."),
    Column("finished_at", DateTime(timezone=True), nullable=False, doc="When it ended, UTC."),
    Column(
        "complete_until",
        DateTime(timezone=True),
        doc=("Everything heard before is dealt with, UTC; null: the job says nothing of that."),
    ),
    Column("note", Text, nullable=False, doc="What it did, for people; or why it failed."),
    Column(
        "failed",
        Boolean,
        nullable=False,
        doc="A failed tick is tried again: a success takes its place.",
    ),
    UniqueConstraint("job", "period"),
    Index("ix_job_runs_latest", "job", "finished_at"),
    info={"doc": ("What the jobs did: one row for each tick of the clock that a job was run for.")},
)
