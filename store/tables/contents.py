"""What was said in calls, where somebody switched that on, and the terms on which it is kept.

``contents`` is a big table: partitioned by day, keyed by tenant and trace first, without foreign
keys or triggers, so that Citus can distribute it. Its partitions go long before those of sightings.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY

from store.tables.base import METADATA, tenant

# One row a tenant; none: content is off. spend/contents.py says what each means.
content_policies = Table(
    "content_policies",
    METADATA,
    tenant(),
    Column("is_on", Boolean, nullable=False),
    Column("days", SmallInteger, nullable=False),
    Column("kinds", ARRAY(Text), nullable=False),
    Column("patterns", ARRAY(Text), nullable=False),
    Column("ips", Boolean, nullable=False),
    Column("teams", ARRAY(Text), nullable=False),
    Column("services", ARRAY(Text), nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    Column("changed_by", Text, nullable=False),
    CheckConstraint("days BETWEEN 1 AND 30", name="days_are_few"),
)

contents = Table(
    "contents",
    METADATA,
    Column("tenant_id", Integer, nullable=False),
    Column("trace_id", Uuid, nullable=False),
    # Of at, UTC.
    Column("day", Date, nullable=False),
    Column("span_id", BigInteger, nullable=False),
    # spend.contents.KINDS
    Column("kind", Text, nullable=False),
    # 0: what the span itself says; else that of a log record.
    Column("part_id", BigInteger, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    # Redacted, before it came to any disk.
    Column("body", Text, nullable=False),
    Column("is_cut", Boolean, nullable=False),
    PrimaryKeyConstraint("tenant_id", "trace_id", "day", "span_id", "kind", "part_id"),
    postgresql_partition_by="RANGE (day)",
)
