"""What was told of energy (spend/energy.py)."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from store.tables.base import METADATA, content_key, tenant

energy_counters = Table(
    "energy_counters",
    METADATA,
    tenant(),
    content_key(),
    Column("name", Text, nullable=False),
    Column("device", BigInteger, nullable=False),
    Column("host", BigInteger, nullable=False),
    Column("whole_host", Boolean, nullable=False),
    Column("rank", SmallInteger, nullable=False),
    Column("cumulative", Boolean, nullable=False),
    # Name -> text.
    Column("attributes", JSONB(none_as_null=True), nullable=False),
)

energy_readings = Table(
    "energy_readings",
    METADATA,
    tenant(),
    Column("counter_id", BigInteger, primary_key=True, autoincrement=False),
    # Of readings with the same, one is kept.
    Column("kept_at", DateTime(timezone=True), primary_key=True),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("read_at", DateTime(timezone=True), nullable=False),
    Column("millijoules", BigInteger, nullable=False),
)

# What a batch told anew, for whoever works with hours. By batch, so that who hears never waits for
# who works.
energy_told = Table(
    "energy_told",
    METADATA,
    tenant(),
    Column("batch_id", BigInteger, primary_key=True, autoincrement=False),
    Column("counter_id", BigInteger, primary_key=True, autoincrement=False),
    Column("first_at", DateTime(timezone=True), nullable=False),
    Column("last_at", DateTime(timezone=True), nullable=False),
)
