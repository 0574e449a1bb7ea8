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

from store.tables.base import METADATA, WHOSE, tenant

content_policies = Table(
    "content_policies",
    METADATA,
    tenant(),
    Column("is_on", Boolean, nullable=False, doc="Whether any is kept."),
    Column(
        "days",
        SmallInteger,
        nullable=False,
        doc="For how many days (UTC), that of the call included.",
    ),
    Column("kinds", ARRAY(Text), nullable=False, doc="Which kinds: input, output, tools, system."),
    Column(
        "patterns",
        ARRAY(Text),
        nullable=False,
        doc="What is taken out besides, as regular expressions (RE2).",
    ),
    Column("ips", Boolean, nullable=False, doc="Whether addresses of machines are taken out, too."),
    Column("teams", ARRAY(Text), nullable=False, doc="Of whose calls; empty: of everybody's."),
    Column(
        "services", ARRAY(Text), nullable=False, doc="Of calls of which services; empty: of all."
    ),
    Column("changed_at", DateTime(timezone=True), nullable=False, doc="When that was said, UTC."),
    Column("changed_by", Text, nullable=False, doc="Who said it."),
    CheckConstraint("days BETWEEN 1 AND 30", name="days_are_few"),
    info={
        "doc": (
            "On which terms [content](../content.md) is kept, one row a tenant. None: it is off."
        )
    },
)

contents = Table(
    "contents",
    METADATA,
    Column("tenant_id", Integer, nullable=False, doc=WHOSE),
    Column("trace_id", Uuid, nullable=False, doc="Of the span."),
    Column("day", Date, nullable=False, doc="Of `at`, UTC."),
    Column("span_id", BigInteger, nullable=False, doc="Of the span, as a signed number."),
    Column("kind", Text, nullable=False, doc="input, output, tools or system."),
    Column(
        "part_id",
        BigInteger,
        nullable=False,
        doc="0: what the span itself says; else a hash of the log record that says it.",
    ),
    Column(
        "at",
        DateTime(timezone=True),
        nullable=False,
        doc="When the span began, or the record was written, UTC.",
    ),
    Column(
        "body",
        Text,
        nullable=False,
        doc="JSON: a list of name and text. Redacted before it came to any disk.",
    ),
    Column(
        "is_cut",
        Boolean,
        nullable=False,
        doc="Whether something was left out, as there was too much.",
    ),
    PrimaryKeyConstraint("tenant_id", "trace_id", "day", "span_id", "kind", "part_id"),
    postgresql_partition_by="RANGE (day)",
    info={
        "doc": (
            "What was said in calls, redacted, where that is [switched "
            "on](../content.md). Its partitions go after some days."
        )
    },
)
