"""What metrics told of tokens, and how much of it counts (spend/readings.py)."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    SmallInteger,
    Table,
    Text,
    true,
)

from spend.meters import METER_NAMES
from store.tables.base import METADATA, content_key, tenant


def _counter_key() -> Column[int]:
    return Column("counter_id", BigInteger, primary_key=True, autoincrement=False)


# Who tells: one set of attributes of one family of metrics. What stands here first stays: a
# cumulative counter that changed its owner in between would be paid for by both.
counters = Table(
    "counters",
    METADATA,
    tenant(),
    content_key(),
    # spend/kin.py; session 0 where sessions are not told apart.
    Column("service", BigInteger, nullable=False),
    Column("session", BigInteger, nullable=False),
    Column("family", Text, nullable=False),
    Column("rank", SmallInteger, nullable=False),
    Column("teller", Text, nullable=False),
    Column("trust", SmallInteger, nullable=False),
    Column("model", Text, nullable=False),
    Column("embeddings", Boolean, nullable=False),
    Column("beside_cache", Boolean, nullable=False),
    Column("reasoning_apart", Boolean, nullable=False),
    Column("serves", Boolean, nullable=False),
    Column("owner_id", BigInteger, nullable=False),
    Column("route_id", BigInteger, nullable=False),
    Column("emitter_id", BigInteger, nullable=False),
    Index("ix_counters_service", "tenant_id", "service", "serves"),
)

# What was read. A cumulative series that says the same again and again has one row for it.
readings = Table(
    "readings",
    METADATA,
    tenant(),
    content_key(),
    Column("counter_id", BigInteger, nullable=False),
    Column("series", BigInteger, nullable=False),
    # A kind of token: spend/readings.py, COUNTS.
    Column("count", Text, nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("read_at", DateTime(timezone=True), nullable=False),
    Column("last_read_at", DateTime(timezone=True), nullable=False),
    Column("cumulative", Boolean, nullable=False),
    Column("value", BigInteger, nullable=False),
    # NULL where the metric does not tell how many calls it is of.
    Column("calls", BigInteger),
    # The batch that it came with first.
    Column("batch_id", BigInteger, nullable=False),
    Index("ix_readings_counter_id", "tenant_id", "counter_id", "read_at"),
    Index("ix_readings_series", "tenant_id", "series", "started_at", "read_at"),
)

# Counters that a batch told something new of, from when on: to be metered with the batch.
told_anew = Table(
    "told_anew",
    METADATA,
    tenant(),
    Column("batch_id", BigInteger, primary_key=True, autoincrement=False),
    _counter_key(),
    Column("since", DateTime(timezone=True), nullable=False),
)

# What a counter told between two moments, as disjoint meters; what counts is in the rollups.
metered = Table(
    "metered",
    METADATA,
    tenant(),
    _counter_key(),
    Column("read_at", DateTime(timezone=True), primary_key=True),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("service", BigInteger, nullable=False),
    *(Column(name, BigInteger) for name in METER_NAMES),
    Column("calls", BigInteger),
    Column("counts", Boolean, nullable=False),
    # Not where others told the calls, without their usage.
    Column("counts_calls", Boolean, nullable=False, server_default=true()),
    Index("ix_metered_service", "tenant_id", "service", "read_at"),
)

# Who told calls by spans or logs, by the hour.
told = Table(
    "told",
    METADATA,
    tenant(),
    Column("service", BigInteger, primary_key=True, autoincrement=False),
    Column("hour", DateTime(timezone=True), primary_key=True),
    # 0 for calls that name no session. For service 0, whoever: the kin of a model.
    Column("session", BigInteger, primary_key=True, autoincrement=False),
    # Whether what a call used is told, too: there metrics do not count.
    Column("usage", Boolean, nullable=False, server_default=true()),
)
