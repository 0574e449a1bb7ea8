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

from store.tables.base import METADATA, content_key, meters, tenant


def _counter_key() -> Column[int]:
    return Column(
        "counter_id", BigInteger, primary_key=True, autoincrement=False, doc="`counters.id`."
    )


# A cumulative counter that changed its owner in between would be paid for by both.
counters = Table(
    "counters",
    METADATA,
    tenant(),
    content_key(),
    Column("service", BigInteger, nullable=False, doc="Kin of the service (`spend/twins/kin.py`)."),
    Column(
        "session",
        BigInteger,
        nullable=False,
        doc="Kin of the session; 0: sessions are not told apart.",
    ),
    Column("family", Text, nullable=False, doc="Family of metrics."),
    Column(
        "rank",
        SmallInteger,
        nullable=False,
        doc="Of the families that one source can speak, the lowest counts.",
    ),
    Column(
        "teller",
        Text,
        nullable=False,
        doc="The instrumentation: two on one client tell of the same calls.",
    ),
    Column("trust", SmallInteger, nullable=False, doc="Between tellers: the lower, the better."),
    Column("model", Text, nullable=False, doc="What is called, without provider and date."),
    Column("embeddings", Boolean, nullable=False, doc="Whether it tells of embeddings alone."),
    Column(
        "beside_cache",
        Boolean,
        nullable=False,
        doc="Whether its input leaves out what came from or went to the cache.",
    ),
    Column(
        "reasoning_apart", Boolean, nullable=False, doc="Whether its output leaves out reasoning."
    ),
    Column(
        "serves",
        Boolean,
        nullable=False,
        doc=("Whether it is a gateway or a model server: who calls it may tell of the same calls."),
    ),
    Column("owner_id", BigInteger, nullable=False, doc="Who was heard: `owners.id`."),
    Column("route_id", BigInteger, nullable=False, doc="What was called, and where: `routes.id`."),
    Column("emitter_id", BigInteger, nullable=False, doc="`emitters.id`."),
    Index("ix_counters_service", "tenant_id", "service", "serves"),
    info={
        "doc": (
            "Who tells by token metrics: one set of attributes of one family of "
            "metrics. What stands here first stays."
        )
    },
)

readings = Table(
    "readings",
    METADATA,
    tenant(),
    content_key(),
    Column("counter_id", BigInteger, nullable=False, doc="`counters.id`."),
    Column(
        "series",
        BigInteger,
        nullable=False,
        doc="Readings of the same series and start follow each other.",
    ),
    Column(
        "count",
        Text,
        nullable=False,
        doc="Which tokens: a word of `COUNTS` in `spend/readings.py`.",
    ),
    Column("started_at", DateTime(timezone=True), nullable=False, doc="Since when it counts, UTC."),
    Column(
        "read_at", DateTime(timezone=True), nullable=False, doc="When this was said first, UTC."
    ),
    Column(
        "last_read_at",
        DateTime(timezone=True),
        nullable=False,
        doc="Until when it was said again, UTC.",
    ),
    Column(
        "cumulative",
        Boolean,
        nullable=False,
        doc=(
            "Whether it goes up from `started_at` on; else it is of the time between "
            "`started_at` and `read_at`."
        ),
    ),
    Column("value", BigInteger, nullable=False, doc="Tokens since `started_at`."),
    Column(
        "calls", BigInteger, doc="How many calls were measured; null: the metric does not tell."
    ),
    Column(
        "batch_id", BigInteger, nullable=False, doc="With which batch it came first: `batches.id`."
    ),
    Index("ix_readings_counter_id", "tenant_id", "counter_id", "read_at"),
    Index("ix_readings_series", "tenant_id", "series", "started_at", "read_at"),
    info={
        "doc": (
            "What token metrics told at a moment. A cumulative series that says "
            "the same again has one row for it."
        )
    },
)

told_anew = Table(
    "told_anew",
    METADATA,
    tenant(),
    Column("batch_id", BigInteger, primary_key=True, autoincrement=False, doc="`batches.id`."),
    _counter_key(),
    Column(
        "since", DateTime(timezone=True), nullable=False, doc="From when on there is news, UTC."
    ),
    info={
        "doc": (
            "Counters that a batch told something new of: what they told is "
            "metered again with the batch, then the row goes."
        )
    },
)

metered = Table(
    "metered",
    METADATA,
    tenant(),
    _counter_key(),
    Column("read_at", DateTime(timezone=True), primary_key=True, doc="Until when, UTC."),
    Column("since", DateTime(timezone=True), nullable=False, doc="From when on, UTC."),
    Column("service", BigInteger, nullable=False, doc="Kin of the service (`spend/twins/kin.py`)."),
    *meters(BigInteger, "What the counter told; null: nothing of it."),
    Column("calls", BigInteger, doc="How many calls; null: not told."),
    Column(
        "counts",
        Boolean,
        nullable=False,
        doc="Whether it counts: not where the source told the calls by spans or logs.",
    ),
    Column(
        "counts_calls",
        Boolean,
        nullable=False,
        server_default=true(),
        doc="Whether its calls count: not where others told them without their usage.",
    ),
    Index("ix_metered_service", "tenant_id", "service", "read_at"),
    info={
        "doc": (
            "What a counter told between two moments, as disjoint meters. What of"
            " it counts is in the cells."
        )
    },
)

told = Table(
    "told",
    METADATA,
    tenant(),
    Column(
        "service",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        doc="Kin of the service; 0: whoever.",
    ),
    Column("hour", DateTime(timezone=True), primary_key=True, doc="Start of the hour, UTC."),
    Column(
        "session",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        doc=("Kin of the session, 0 for calls that name none; for service 0 that of a model."),
    ),
    Column(
        "usage",
        Boolean,
        nullable=False,
        server_default=true(),
        doc="Whether what the calls used was told, too.",
    ),
    info={
        "doc": (
            "Which services told calls by spans or logs in an hour: there token "
            "metrics do not count."
        )
    },
)
