"""Commitments: credits bought in advance and spend that was promised, and what has used them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, ExcludeConstraint

from store.tables.base import AMOUNT, METADATA, no_nan, period, tenant

# A row is closed (known_to) and replaced, its terms are never changed.
commitments = Table(
    "commitments",
    METADATA,
    Column("tenant_id", Integer, primary_key=True, autoincrement=False),
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("name", Text, nullable=False),
    # prepaid (credits) | minimum (of spend)
    Column("kind", Text, nullable=False),
    # What usage is covered up to, in each period; and what is paid for that.
    Column("amount", AMOUNT, nullable=False),
    Column("paid", AMOUNT, nullable=False),
    Column("currency", Text, nullable=False),
    # Which usage counts: dimension of a route -> list of values (spend/commitments.py).
    Column("match", JSONB, nullable=False),
    # month | quarter | year | term (all of it)
    Column("period", Text, nullable=False),
    Column("valid_from", DateTime(timezone=True), nullable=False),
    Column("valid_to", DateTime(timezone=True)),
    Column("known_from", DateTime(timezone=True), nullable=False),
    Column("known_to", DateTime(timezone=True)),
    Column("source", Text, nullable=False),
    Column("reference", Text),
    # Who entered it; NULL: not told.
    Column("entered_by", Text),
    # How far the job is: the last line of the ledger that it has seen, and until when it has
    # looked for periods that begin and end. NULL: from the beginning.
    Column("seen_to", BigInteger),
    Column("settled_at", DateTime(timezone=True)),
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
)

# What of the usage of a quarter hour counts towards a commitment, and what of that it covers. It
# follows from the ledger, and is kept so that nobody has to add that up again.
commitment_slots = Table(
    "commitment_slots",
    METADATA,
    tenant(),
    Column("commitment_id", BigInteger, primary_key=True, autoincrement=False),
    Column("slot", DateTime(timezone=True), primary_key=True),
    # Contracted cost, without what commitments before this one cover.
    Column("eligible", AMOUNT, nullable=False),
    # Of that, what the posted lines cover, and what was paid for it (its effective cost).
    Column("covered", AMOUNT, nullable=False, server_default="0"),
    Column("effective", AMOUNT, nullable=False, server_default="0"),
    # What the posted lines cover of it: nothing | part (the commitment ran out here) | all
    Column("covers", Text, nullable=False, server_default="nothing"),
    # Its lines are to be looked at.
    Column("waits", Boolean, nullable=False, server_default=text("false")),
    no_nan("eligible"),
    CheckConstraint("covers IN ('nothing', 'part', 'all')", name="covers_is_known"),
    Index(
        "ix_commitment_slots_waiting",
        "tenant_id",
        "commitment_id",
        "slot",
        postgresql_where=text("waits"),
    ),
)
