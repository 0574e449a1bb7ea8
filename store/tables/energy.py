"""What was told of energy (spend/capacity/energy.py)."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from store.tables.base import METADATA, content_key, tenant

energy_counters = Table(
    "energy_counters",
    METADATA,
    tenant(),
    content_key(),
    Column("name", Text, nullable=False, doc="Of the metric."),
    Column(
        "device",
        BigInteger,
        nullable=False,
        doc="What is measured, whoever tells it: the same GPU has the same.",
    ),
    Column("host", BigInteger, nullable=False, doc="The machine that it is in; 0: not told."),
    Column(
        "whole_host", Boolean, nullable=False, doc="Whether it measures the machine, with its GPUs."
    ),
    Column(
        "rank",
        SmallInteger,
        nullable=False,
        doc="Of those that tell of one device equally well the lowest counts.",
    ),
    Column(
        "cumulative",
        Boolean,
        nullable=False,
        doc="Whether what it says is since it began; else since the reading before.",
    ),
    Column(
        "attributes",
        JSONB(none_as_null=True),
        nullable=False,
        doc="Name -> text: what is known of machine and device.",
    ),
    info={
        "doc": ("Who tells of energy: one machine or GPU, as one metric tells it. Written once.")
    },
)

energy_readings = Table(
    "energy_readings",
    METADATA,
    tenant(),
    Column(
        "counter_id", BigInteger, primary_key=True, autoincrement=False, doc="`energy_counters.id`."
    ),
    Column(
        "kept_at",
        DateTime(timezone=True),
        primary_key=True,
        doc="Of readings with the same, one is kept. UTC.",
    ),
    Column(
        "started_at",
        DateTime(timezone=True),
        nullable=False,
        doc="Since when, UTC; of a cumulative counter that of the reading.",
    ),
    Column("read_at", DateTime(timezone=True), nullable=False, doc="When it was read, UTC."),
    Column(
        "millijoules",
        BigInteger,
        nullable=False,
        doc="Used since `started_at`; of a cumulative counter since it began.",
    ),
    info={
        "doc": (
            "What counters of energy said. Of a cumulative one the last reading "
            "of each five minutes (UTC) is kept."
        )
    },
)

# By batch, so that who hears never waits for who works.
energy_told = Table(
    "energy_told",
    METADATA,
    tenant(),
    Column("batch_id", BigInteger, primary_key=True, autoincrement=False, doc="`batches.id`."),
    Column(
        "counter_id", BigInteger, primary_key=True, autoincrement=False, doc="`energy_counters.id`."
    ),
    Column(
        "first_at",
        DateTime(timezone=True),
        nullable=False,
        doc="The first moment that is new, UTC.",
    ),
    Column("last_at", DateTime(timezone=True), nullable=False, doc="The last one, UTC."),
    info={
        "doc": (
            "What a batch told anew of energy: the pool-hours of that time are "
            "settled again, then the row goes."
        )
    },
)
