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

from store.tables.base import METADATA, WHOSE, content_key, meters, tenant

TEN_SECONDS: Final = (
    "date_bin('00:00:10'::interval, start_at, '1970-01-01 00:00:00+00'::timestamptz)"
)
"""The ten seconds (UTC) in which a sighting began."""

owners = Table(
    "owners",
    METADATA,
    tenant(),
    content_key(),
    Column(
        "team",
        Text,
        nullable=False,
        doc=(
            "Who it belongs to; `unallocated` where nobody claims it, `idle`, `unused` "
            "and `commitments` for what is of no call."
        ),
    ),
    Column("project", Text, doc="Of the span or its resource; null: not told."),
    Column("service", Text, doc="`service.name` of the resource; null: not told."),
    Column("environment", Text, doc="Such as production; null: not told."),
    Column("feature", Text, doc="What the call was for; null: not told."),
    Column("customer", Text, doc="For whom the call was; null: not told."),
    Column(
        "rule", Text, nullable=False, doc="What chose the team: the resource's `team`, the key, …"
    ),
    info={
        "doc": (
            "Who was heard, and pays unless an ownership rule says otherwise. One"
            " row for each combination, written once."
        )
    },
)

routes = Table(
    "routes",
    METADATA,
    tenant(),
    content_key(),
    Column("provider", Text, doc="Who bills: an id of `spend/providers.py`; null: not known."),
    Column("model", Text, doc="The model that answered, else the one asked for."),
    Column("request_model", Text, doc="The model that was asked for; null: not told."),
    Column(
        "operation", Text, doc="chat, text_completion, embeddings, rerank, image, audio or other."
    ),
    Column("deployment", Text, doc="api, hosted-open (open weights at a host) or self-hosted."),
    Column("region", Text, doc="Of the cloud or the provider; null: not told."),
    Column(
        "server",
        Text,
        doc=("Host that was called, with its port unless that is 443 or 80; null: not told."),
    ),
    Column("service_tier", Text, doc="Such as batch, flex or priority; null: not told."),
    info={
        "doc": (
            "What was called, and where: everything of a call that a price or a "
            "pool can depend on. One row for each combination, written once."
        )
    },
)

emitters = Table(
    "emitters",
    METADATA,
    tenant(),
    content_key(),
    Column("scope", Text, nullable=False, doc="Name of the instrumentation scope."),
    Column("version", Text, doc="Of the scope; null: not told."),
    Column(
        "dialect", Text, nullable=False, doc="By which [dialect](../dialects.md) it is understood."
    ),
    Column("signal", Text, nullable=False, server_default="span", doc="span, log or metric."),
    info={
        "doc": (
            "Who reports: an instrumentation at a version, on a signal, speaking "
            "a dialect. Written once."
        )
    },
)

heard_from = Table(
    "heard_from",
    METADATA,
    tenant(),
    # First, as it is asked by days.
    Column("day", Date, primary_key=True, doc="Which day it is, UTC."),
    Column("service", Text, primary_key=True, doc="Name of the service."),
    Column("emitter_id", BigInteger, primary_key=True, autoincrement=False, doc="`emitters.id`."),
    info={
        "doc": (
            "Who told calls of which service on a day: where it was one emitter "
            "alone, no two saw one call."
        )
    },
)

BATCH_IDS = Sequence("batch_ids", metadata=METADATA)

batches = Table(
    "batches",
    METADATA,
    tenant(),
    # From BATCH_IDS, taken before the rows are copied, as they carry it.
    Column(
        "id",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        doc="Number of the batch, from the sequence `batch_ids`: its rows carry it.",
    ),
    Column(
        "received_at", DateTime(timezone=True), nullable=False, doc="When it was put down, UTC."
    ),
    Column(
        "heard",
        BigInteger,
        nullable=False,
        doc=(
            "Spans, log records and data points. Heard = stored + duplicate + "
            "not_a_call + refused, always."
        ),
    ),
    Column("stored", BigInteger, nullable=False, doc="Of these, how many were stored."),
    Column("duplicate", BigInteger, nullable=False, doc="Of these, how many were there already."),
    Column("not_a_call", BigInteger, nullable=False, doc="Of these, how many are no calls."),
    Column("refused", BigInteger, nullable=False, doc="Of these, how many were refused."),
    Column("refused_for", JSONB(none_as_null=True), doc="Reason -> count, of what was refused."),
    Column(
        "usage_refused_for",
        JSONB(none_as_null=True),
        doc="Reason -> count, of calls that are kept without their usage.",
    ),
    Column(
        "usage_conflicts_for",
        JSONB(none_as_null=True),
        doc=("Emitter and its version -> calls whose counts contradict the dialect's table."),
    ),
    Column(
        "details",
        JSON(none_as_null=True),
        doc=("What else its sightings told: an array, to which `sightings.details_no` points."),
    ),
    Column(
        "rolled_at",
        DateTime(timezone=True),
        doc="When it was taken into the rollups, UTC; null: it waits.",
    ),
    Index("ix_batches_waiting", "id", postgresql_where=text("rolled_at IS NULL")),
    # What was heard and refused lately is asked by time.
    Index("ix_batches_received_at", "tenant_id", "received_at"),
    info={
        "doc": (
            "What a collector put down in one transaction, written in it: a batch"
            " that can be seen is whole. It is taken into the rollups once."
        )
    },
)


sightings = Table(
    "sightings",
    METADATA,
    # The widest columns come first, so that none is padded.
    Column("trace_id", Uuid, nullable=False, doc="Of the span."),
    Column("span_id", BigInteger, nullable=False, doc="Of the span, as a signed number."),
    Column("start_at", DateTime(timezone=True), nullable=False, doc="When the call began, UTC."),
    Column("owner_id", BigInteger, nullable=False, doc="Who was heard: `owners.id`."),
    Column("route_id", BigInteger, nullable=False, doc="What was called, and where: `routes.id`."),
    Column("batch_id", BigInteger, nullable=False, doc="With which batch it came: `batches.id`."),
    Column(
        "answer_id",
        BigInteger,
        doc=(
            "The first 8 bytes of the SHA-256 of the provider's id of its answer; null:"
            " it has none that is valid."
        ),
    ),
    Column(
        "parent_span_id",
        BigInteger,
        doc=(
            "The nearest ancestor that is itself a sighting, where that is known; else "
            "the span's parent."
        ),
    ),
    Column(
        "kin_id",
        BigInteger,
        doc=(
            "What sightings of one call have in common whose ids do not meet: a "
            "session, a service, a stream (`spend/twins/kin.py`)."
        ),
    ),
    Column("ttft_us", BigInteger, doc="Time to the first token, in microseconds; null: not told."),
    Column(
        "overlong_us",
        BigInteger,
        doc=(
            "By how many microseconds it took longer than `duration_us` can hold (35 "
            "minutes); null: by none."
        ),
    ),
    Column(
        "call_trace_id", Uuid, doc="Key of the joined call that it is a part of; null: of none."
    ),
    Column("call_span_id", BigInteger, doc="As above."),
    Column("tenant_id", Integer, nullable=False, doc=WHOSE),
    # A pure function of the span's own start (UTC), never of its arrival: a retry has the same
    # key.
    Column("day", Date, nullable=False, doc="Of `start_at`, UTC: a retry has the same key."),
    Column("emitter_id", Integer, nullable=False, doc="`emitters.id`."),
    Column("duration_us", Integer, doc="How long the call took, in microseconds; null: not told."),
    *meters(Integer, "What the call used; null: not told, never 0."),
    Column(
        "details_no",
        Integer,
        doc="Its place in `batches.details`, from 0; null: it told nothing else.",
    ),
    Column("call_day", Date, doc="As above."),
    Column(
        "role",
        SmallInteger,
        doc=(
            "A number of `Role` (`spend/calls.py`): 2 a server's side, 3 an aggregate; "
            "null: 1, a call."
        ),
    ),
    Column(
        "failure",
        SmallInteger,
        doc="A number of `Outcome` (`spend/calls.py`); null: 0, it ended well.",
    ),
    Column(
        "standing",
        SmallInteger,
        doc=(
            "A number of `Standing` (`spend/calls.py`): 1 merged into a joined call, 2 "
            "held back; null: 0, it counts."
        ),
    ),
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
    info={
        "doc": (
            "What one emitter reported of a call: one span, or one log record. "
            "The largest table. What nearly all of them are is null, which takes "
            "no room. Kept for `RETENTION_DAYS`."
        )
    },
)

joined_calls = Table(
    "joined_calls",
    METADATA,
    tenant(),
    Column("trace_id", Uuid, primary_key=True, doc="Of the sighting that began first."),
    Column(
        "span_id",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        doc="Of the sighting that began first, as a signed number.",
    ),
    Column("day", Date, primary_key=True, doc="Of that sighting, UTC."),
    Column("start_at", DateTime(timezone=True), nullable=False, doc="When the call began, UTC."),
    Column("duration_us", BigInteger, doc="How long it took, in microseconds; null: not told."),
    Column("ttft_us", BigInteger, doc="Time to the first token, in microseconds; null: not told."),
    Column("owner_id", BigInteger, nullable=False, doc="Who was heard: `owners.id`."),
    Column("route_id", BigInteger, nullable=False, doc="What was called, and where: `routes.id`."),
    Column(
        "outcome",
        SmallInteger,
        nullable=False,
        doc="How it ended: a number of `Outcome` (`spend/calls.py`), 0 is well.",
    ),
    *meters(BigInteger, "What the call used; null: not told, never 0."),
    Column(
        "details",
        JSONB(none_as_null=True),
        doc=(
            "What else was told of it: finish reason, error type, whether it streamed, "
            "and the like; null: nothing."
        ),
    ),
    Column(
        "version", Integer, nullable=False, doc="Goes up with each late sighting that changes it."
    ),
    Column(
        "evidence",
        JSONB(none_as_null=True),
        nullable=False,
        doc=(
            "Why these sightings are one call: a list of rule, trace id and span id, "
            "the best witness first."
        ),
    ),
    Column(
        "usage_conflict", Boolean, nullable=False, doc="Whether two of them told different usage."
    ),
    postgresql_partition_by="RANGE (day)",
    info={
        "doc": (
            "A call that was sighted more than once, or an aggregate that nothing"
            " beneath explains: what counts, taken from the best witness and "
            "filled from the others. Its key is that of the sighting which began "
            "first."
        )
    },
)
