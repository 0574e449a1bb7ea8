"""Commitments: credits bought in advance and spend that was promised, and what has used them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, ExcludeConstraint

from store.tables.base import AMOUNT, METADATA, known, no_nan, period, tenant, valid

commitments = Table(
    "commitments",
    METADATA,
    tenant(),
    Column("id", BigInteger, Identity(), primary_key=True, doc="Number of the row."),
    Column(
        "name",
        Text,
        nullable=False,
        doc="What people call it; of those in force at a time no two the same.",
    ),
    Column("kind", Text, nullable=False, doc="prepaid (credits) or minimum (of spend)."),
    Column("amount", AMOUNT, nullable=False, doc="What usage is covered up to, in each period."),
    Column("paid", AMOUNT, nullable=False, doc="What is paid for that."),
    Column("currency", Text, nullable=False, doc="ISO 4217 code."),
    Column(
        "match",
        JSONB,
        nullable=False,
        doc="Which usage counts: dimension of a route -> list of values.",
    ),
    Column("period", Text, nullable=False, doc="month, quarter, year or term (all of it)."),
    *valid(),
    *known(),
    Column(
        "source",
        Text,
        nullable=False,
        doc="What it was entered from: a file's name, `POST /v1/commitments`.",
    ),
    Column("reference", Text, doc="A document or an address that says so."),
    Column("entered_by", Text, doc="Who entered it; null: not told."),
    Column(
        "seen_to",
        BigInteger,
        doc=(
            "The last line of the ledger that the job has seen: `charges.id`; null: "
            "from the beginning."
        ),
    ),
    Column(
        "settled_at",
        DateTime(timezone=True),
        doc=(
            "Until when the job has looked for periods that begin and end, UTC; null: "
            "from the beginning."
        ),
    ),
    no_nan("amount"),
    no_nan("paid"),
    CheckConstraint("amount > 0", name="amount_positive"),
    CheckConstraint("paid BETWEEN 0 AND amount", name="paid_at_most_the_amount"),
    CheckConstraint("kind IN ('prepaid', 'minimum')", name="kind_is_known"),
    CheckConstraint("period IN ('month', 'quarter', 'year', 'term')", name="period_is_known"),
    CheckConstraint("valid_to > valid_from", name="valid_is_a_range"),
    ExcludeConstraint(
        ("tenant_id", "="),
        ("name", "="),
        (period("valid"), "&&"),
        (period("known"), "&&"),
        name="ex_commitments_one_of_a_name_at_a_time",
        using="gist",
    ),
    info={
        "doc": (
            "[Credits bought in advance and minimums of "
            "spend](../commitments.md). A row is closed (`known_to`) and "
            "replaced, its terms are never changed."
        )
    },
)

commitment_slots = Table(
    "commitment_slots",
    METADATA,
    tenant(),
    Column(
        "commitment_id", BigInteger, primary_key=True, autoincrement=False, doc="`commitments.id`."
    ),
    Column(
        "slot", DateTime(timezone=True), primary_key=True, doc="Start of the quarter hour, UTC."
    ),
    Column(
        "eligible",
        AMOUNT,
        nullable=False,
        doc="Contracted cost, without what commitments before this one cover.",
    ),
    Column(
        "covered",
        AMOUNT,
        nullable=False,
        server_default="0",
        doc="Of that, what the posted lines cover.",
    ),
    Column(
        "effective",
        AMOUNT,
        nullable=False,
        server_default="0",
        doc="What was paid for that: its effective cost.",
    ),
    Column(
        "covers",
        Text,
        nullable=False,
        server_default="nothing",
        doc=(
            "What the posted lines cover of it: nothing, part (the commitment ran out here) or all."
        ),
    ),
    Column(
        "waits",
        Boolean,
        nullable=False,
        server_default=text("false"),
        doc="Whether its lines are to be looked at.",
    ),
    no_nan("eligible"),
    CheckConstraint("covers IN ('nothing', 'part', 'all')", name="covers_is_known"),
    Index(
        "ix_commitment_slots_waiting",
        "tenant_id",
        "commitment_id",
        "slot",
        postgresql_where=text("waits"),
    ),
    info={
        "doc": (
            "What of the usage of a quarter hour counts towards a commitment, and"
            " what of that it covers. Follows from the ledger."
        )
    },
)
