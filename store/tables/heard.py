"""What was heard: batches, sightings, the calls that several sightings share, and dictionaries.

``sightings`` and ``joined_calls`` are the big tables: partitioned by day, keyed by tenant and
trace first, without foreign keys or triggers, so that Citus can distribute them.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Sequence,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSON, JSONB

from spend.meters import METER_NAMES
from store.tables.base import METADATA, content_key, tenant

TEN_SECONDS: Final = (
    "date_bin('00:00:10'::interval, start_at, '1970-01-01 00:00:00+00'::timestamptz)"
)
"""The ten seconds (UTC) in which a sighting began."""

owners = Table(
    "owners",
    METADATA,
    tenant(),
    content_key(),
    Column("team", Text, nullable=False),
    Column("project", Text),
    Column("service", Text),
    Column("environment", Text),
    Column("feature", Text),
    Column("customer", Text),
    Column("rule", Text, nullable=False),
)

routes = Table(
    "routes",
    METADATA,
    tenant(),
    content_key(),
    Column("provider", Text),
    Column("model", Text),
    Column("request_model", Text),
    Column("operation", Text),
    Column("deployment", Text),
    Column("region", Text),
    Column("server", Text),
    Column("service_tier", Text),
)

emitters = Table(
    "emitters",
    METADATA,
    tenant(),
    content_key(),
    Column("scope", Text, nullable=False),
    Column("version", Text),
    Column("dialect", Text, nullable=False),
    # span, log or metric
    Column("signal", Text, nullable=False, server_default="span"),
)

# Who told calls of which service on a day (UTC): where it was one emitter, no two saw one call.
heard_from = Table(
    "heard_from",
    METADATA,
    tenant(),
    # First, as it is asked by days.
    Column("day", Date, primary_key=True),
    Column("service", Text, primary_key=True),
    Column("emitter_id", BigInteger, primary_key=True, autoincrement=False),
)

BATCH_IDS = Sequence("batch_ids", metadata=METADATA)

# One row for each transaction of the collector, in that transaction. A batch that can be seen is
# whole, and a batch is rolled up once: rolled_at is set in the transaction that adds it to cells.
batches = Table(
    "batches",
    METADATA,
    Column("tenant_id", Integer, primary_key=True, autoincrement=False),
    # From BATCH_IDS, taken before the rows are copied, as they carry it.
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    # heard = stored + duplicate + not_a_call + refused, always.
    Column("heard", BigInteger, nullable=False),
    Column("stored", BigInteger, nullable=False),
    Column("duplicate", BigInteger, nullable=False),
    Column("not_a_call", BigInteger, nullable=False),
    Column("refused", BigInteger, nullable=False),
    # reason -> count, for refused spans and for calls kept without their usage.
    Column("refused_for", JSONB(none_as_null=True)),
    Column("usage_refused_for", JSONB(none_as_null=True)),
    # emitter and its version -> calls whose counts contradict the dialect's table
    Column("usage_conflicts_for", JSONB(none_as_null=True)),
    # What else was told of its sightings: an array, to which their details_no points.
    Column("details", JSON(none_as_null=True)),
    Column("rolled_at", DateTime(timezone=True)),
    Index("ix_batches_waiting", "id", postgresql_where=text("rolled_at IS NULL")),
    # What was heard and refused lately is asked by time.
    Index("ix_batches_received_at", "tenant_id", "received_at"),
)


# What nearly all sightings are is NULL, which takes no room; the widest columns come first, so that
# none is padded. store/narrow.py says what each means.
sightings = Table(
    "sightings",
    METADATA,
    Column("trace_id", Uuid, nullable=False),
    Column("span_id", BigInteger, nullable=False),
    Column("start_at", DateTime(timezone=True), nullable=False),
    Column("owner_id", BigInteger, nullable=False),
    Column("route_id", BigInteger, nullable=False),
    Column("batch_id", BigInteger, nullable=False),
    # The first 8 bytes of the SHA-256 of the provider's id of its answer.
    Column("answer_id", BigInteger),
    Column("parent_span_id", BigInteger),
    # What sightings have in common whose ids do not meet: spend/kin.py.
    Column("kin_id", BigInteger),
    Column("ttft_us", BigInteger),
    # What it took beyond what duration_us can hold.
    Column("overlong_us", BigInteger),
    # The key of the joined call that this sighting is a part of, if any.
    Column("call_trace_id", Uuid),
    Column("call_span_id", BigInteger),
    Column("tenant_id", Integer, nullable=False),
    # A pure function of the span's own start (UTC), never of its arrival: a retry has the same
    # key.
    Column("day", Date, nullable=False),
    Column("emitter_id", Integer, nullable=False),
    Column("duration_us", Integer),
    # NULL is unknown, never 0.
    *(Column(name, Integer) for name in METER_NAMES),
    # Its place among the details of its batch, from 0.
    Column("details_no", Integer),
    Column("call_day", Date),
    # spend.calls.Role; NULL: CALL.
    Column("role", SmallInteger),
    # spend.calls.Outcome; NULL: OK.
    Column("failure", SmallInteger),
    # spend.calls.Standing; NULL: COUNTS.
    Column("standing", SmallInteger),
    # In this order an entry of the index has no padding.
    PrimaryKeyConstraint("tenant_id", "trace_id", "day", "span_id"),
    Index("ix_sightings_batch_id", "batch_id"),
    Index("ix_sightings_answer_id", "answer_id", postgresql_where=text("answer_id IS NOT NULL")),
    # Two failed sightings of one call share no id: they are found by time.
    Index(
        "ix_sightings_failed",
        "tenant_id",
        "start_at",
        postgresql_where=text("failure IS NOT NULL AND answer_id IS NULL"),
    ),
    # Two sightings of one call that share nothing but service and usage are found by time. By ten
    # seconds of it: entries that are equal are kept as one.
    Index("ix_sightings_slot", "tenant_id", text(TEN_SECONDS)),
    Index(
        "ix_sightings_kin",
        "tenant_id",
        "kin_id",
        "start_at",
        postgresql_where=text("kin_id IS NOT NULL"),
    ),
    postgresql_partition_by="RANGE (day)",
)

# A call that was sighted more than once, or an aggregate that nothing beneath explains: what
# counts, taken from the best witness and filled from the others. Its key is that of the sighting
# which began first.
joined_calls = Table(
    "joined_calls",
    METADATA,
    tenant(),
    Column("trace_id", Uuid, primary_key=True),
    Column("span_id", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Date, primary_key=True),
    Column("start_at", DateTime(timezone=True), nullable=False),
    Column("duration_us", BigInteger),
    Column("ttft_us", BigInteger),
    Column("owner_id", BigInteger, nullable=False),
    Column("route_id", BigInteger, nullable=False),
    Column("outcome", SmallInteger, nullable=False),
    # NULL is unknown, never 0.
    *(Column(name, BigInteger) for name in METER_NAMES),
    Column("details", JSONB(none_as_null=True)),
    Column("version", Integer, nullable=False),
    # Why these sightings are one call: [{"rule", "span_id", "trace_id"} ...], best witness first.
    Column("evidence", JSONB(none_as_null=True), nullable=False),
    Column("usage_conflict", Boolean, nullable=False),
    postgresql_partition_by="RANGE (day)",
)
