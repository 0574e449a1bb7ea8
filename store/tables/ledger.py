"""The ledger: append-only lines that say what usage cost."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Numeric,
    SmallInteger,
    Table,
    Text,
    text,
)

from store.tables.base import AMOUNT, METADATA, UNIT_PRICE, meters, no_nan, tenant

charges = Table(
    "charges",
    METADATA,
    tenant(),
    Column(
        "id",
        BigInteger,
        Identity(),
        primary_key=True,
        doc="Number of the line, in the order in which lines were posted.",
    ),
    Column(
        "posted_at",
        DateTime(timezone=True),
        nullable=False,
        doc="When it was posted, UTC; in the order of ids.",
    ),
    Column(
        "kind",
        Text,
        nullable=False,
        doc=("original, correction, allocation (a pool's hour, a split), true-up, credit or tax."),
    ),
    Column(
        "slot",
        DateTime(timezone=True),
        nullable=False,
        doc=(
            "The quarter hour (UTC) of the cell that it pays for. A line of no call is "
            "in the first one of its pool-hour, day or commitment's period; what is "
            "unused, in the last one."
        ),
    ),
    Column(
        "booked_slot",
        DateTime(timezone=True),
        doc=(
            "In whose books it is, where its slot was closed when it was posted: the "
            "first slot that was open. Null: in those of its slot."
        ),
    ),
    Column("owner_id", BigInteger, nullable=False, doc="Who was heard: `owners.id`."),
    Column(
        "payer_id", BigInteger, nullable=False, doc="Who pays, by the ownership rules: `owners.id`."
    ),
    Column("route_id", BigInteger, nullable=False, doc="What was called, and where: `routes.id`."),
    Column(
        "band",
        SmallInteger,
        nullable=False,
        doc=(
            "How large the prompts were, as far as a price can depend on it: a number "
            "from 0 (`spend/prices/bands.py`)."
        ),
    ),
    Column(
        "meter",
        Text,
        nullable=False,
        doc=(
            "One of the [meters](#meters); of a pool-hour `pool` or `idle`, of a "
            "commitment `covered`, `commitment` (what was paid) or `unused`, of a split"
            " `split`."
        ),
    ),
    Column(
        "price_id",
        BigInteger,
        doc=(
            "The price line that it came from: `prices.id`. Of the five sources exactly one is set."
        ),
    ),
    Column("pool_id", BigInteger, doc="Or a pool: `pools.id`."),
    Column("commitment_id", BigInteger, doc="Or a commitment: `commitments.id`."),
    Column("rule_id", BigInteger, doc="Or a split: `splits.id`."),
    Column("bill_id", BigInteger, doc="Or a bill, of a true-up: `bills.id`."),
    Column(
        "uplift_id",
        BigInteger,
        doc="The region's surcharge that changed the list price: `discounts.id`.",
    ),
    Column(
        "discount_id", BigInteger, doc="The discount that changed the list price: `discounts.id`."
    ),
    Column(
        "quantity",
        Numeric(38, 6),
        nullable=False,
        doc=(
            "Units of the meter, or what the method of a pool or split weighed; 0 of a "
            "commitment's lines."
        ),
    ),
    Column(
        "list_unit_price",
        UNIT_PRICE,
        doc=(
            "For 1,000,000 units, by the list with its uplift; null: not priced by the "
            "book, or the list has none."
        ),
    ),
    Column(
        "unit_price",
        UNIT_PRICE,
        doc="For 1,000,000 units, as contracted; null: not priced by the book.",
    ),
    # NULL is unknown.
    Column("list_amount", AMOUNT, doc="At list prices; null: not known."),
    Column("contracted_amount", AMOUNT, nullable=False, doc="As contracted."),
    Column(
        "amount",
        AMOUNT,
        nullable=False,
        doc="Effective: what was paid for commitments is spread over what they cover.",
    ),
    Column("billed_amount", AMOUNT, nullable=False, doc="What is on somebody's bill."),
    Column("currency", Text, nullable=False, doc="ISO 4217 code."),
    Column(
        "method",
        Text,
        nullable=False,
        doc=("How the amount came about, with its version: `price-book/2`, `work-units-v1`."),
    ),
    Column(
        "engine",
        Text,
        nullable=False,
        server_default="0.1.0",
        doc="The version of spanledger that posted it.",
    ),
    Column(
        "repricing_id",
        BigInteger,
        doc="The re-pricing that booked it, if one did: `repricings.id`.",
    ),
    no_nan("amount"),
    no_nan("list_amount"),
    no_nan("contracted_amount"),
    no_nan("billed_amount"),
    no_nan("quantity"),
    CheckConstraint(
        "num_nonnulls(price_id, pool_id, commitment_id, rule_id, bill_id) = 1", name="one_source"
    ),
    CheckConstraint(
        "kind IN ('original', 'correction', 'allocation', 'true-up', 'credit', 'tax')",
        name="kind_is_known",
    ),
    Index("ix_charges_slot", "tenant_id", "slot", "owner_id", "route_id"),
    Index(
        "ix_charges_booked_slot",
        "tenant_id",
        "booked_slot",
        postgresql_where=text("booked_slot IS NOT NULL"),
    ),
    info={
        "doc": (
            "The ledger: lines that say what usage cost. A line is never changed "
            "or deleted, a trigger refuses it; what a cell costs is the sum of "
            "its lines, in each of four bases."
        )
    },
)

usage_lines = Table(
    "usage_lines",
    METADATA,
    tenant(),
    Column(
        "id",
        BigInteger,
        Identity(),
        primary_key=True,
        doc="Number of the line, in the order in which lines were posted.",
    ),
    Column(
        "posted_at",
        DateTime(timezone=True),
        nullable=False,
        doc="When it was posted, UTC; in the order of ids.",
    ),
    Column(
        "slot", DateTime(timezone=True), nullable=False, doc="The quarter hour of the cell, UTC."
    ),
    Column(
        "booked_slot",
        DateTime(timezone=True),
        doc=("In whose books it is, where its slot was closed; null: in those of its slot."),
    ),
    Column("owner_id", BigInteger, nullable=False, doc="Who was heard: `owners.id`."),
    Column(
        "payer_id", BigInteger, nullable=False, doc="Who pays, by the ownership rules: `owners.id`."
    ),
    Column("route_id", BigInteger, nullable=False, doc="What was called, and where: `routes.id`."),
    Column(
        "outcome",
        SmallInteger,
        nullable=False,
        doc="How the calls ended: a number of `Outcome` (`spend/calls.py`), 0 is well.",
    ),
    Column(
        "band",
        SmallInteger,
        nullable=False,
        doc=(
            "How large the prompts were, as far as a price can depend on it: a number "
            "from 0 (`spend/prices/bands.py`)."
        ),
    ),
    Column("calls", BigInteger, nullable=False, doc="By how many calls it is more."),
    Column(
        "unmetered_calls",
        BigInteger,
        nullable=False,
        doc="Likewise of calls that did not say what they used.",
    ),
    Column(
        "unpriced_calls",
        BigInteger,
        nullable=False,
        doc="Likewise of calls whose cost is not known.",
    ),
    Column(
        "unpriced_tokens",
        BigInteger,
        nullable=False,
        doc="Likewise of tokens whose cost is not known.",
    ),
    *meters(BigInteger, "By how much it is more.", nullable=False),
    Index("ix_usage_lines_slot", "tenant_id", "slot", "owner_id", "route_id"),
    Index(
        "ix_usage_lines_booked_slot",
        "tenant_id",
        "booked_slot",
        postgresql_where=text("booked_slot IS NOT NULL"),
    ),
    info={
        "doc": (
            "The journal of usage: by how much a cell was more, when the charge "
            "job looked at it, than the lines before say. Lines are added, never "
            "changed; up to a moment they are the usage that was known then."
        )
    },
)
