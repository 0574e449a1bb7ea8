"""The ledger: append-only lines that say what usage cost."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    Table,
    Text,
    text,
)

from spend.meters import METER_NAMES
from store.tables.base import AMOUNT, METADATA, UNIT_PRICE, no_nan

# A line is never changed or deleted: a trigger refuses it. What a cell costs is the sum of its
# lines, in each of four bases: at list prices, as contracted, effective (commitments spread over
# what they were for) and as billed.
charges = Table(
    "charges",
    METADATA,
    Column("tenant_id", Integer, primary_key=True, autoincrement=False),
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("posted_at", DateTime(timezone=True), nullable=False),
    # original | correction | allocation (a pool's hour, a split) | true-up | credit | tax
    Column("kind", Text, nullable=False),
    # The cell that it pays for. A line of no call is in the first quarter of its pool-hour, day or
    # commitment's period; what is unused, in the last one.
    Column("slot", DateTime(timezone=True), nullable=False),
    # In whose books it is, where its slot was closed when it was posted: the first slot that was
    # open. NULL: in those of its slot.
    Column("booked_slot", DateTime(timezone=True)),
    Column("owner_id", BigInteger, nullable=False),
    # Who pays, by the ownership rules; the cell's owner where none says otherwise.
    Column("payer_id", BigInteger, nullable=False),
    Column("route_id", BigInteger, nullable=False),
    Column("band", SmallInteger, nullable=False),
    # A meter of spend/meters.py; of a pool-hour 'pool' or 'idle'; of a commitment 'covered',
    # 'commitment' (what was paid) or 'unused'; of a split 'split'.
    Column("meter", Text, nullable=False),
    # Exactly one of the five says where the amount came from.
    Column("price_id", BigInteger),
    Column("pool_id", BigInteger),
    Column("commitment_id", BigInteger),
    Column("rule_id", BigInteger),
    Column("bill_id", BigInteger),
    # What of the price book's list was changed by, before it was a unit price.
    Column("uplift_id", BigInteger),
    Column("discount_id", BigInteger),
    # Units of the meter, or what the method of a pool or split weighed; 0 of a commitment's lines.
    Column("quantity", Numeric(38, 6), nullable=False),
    # For 1,000,000 units: by the list, and as contracted. NULL: not priced by the book, or the
    # list has none.
    Column("list_unit_price", UNIT_PRICE),
    Column("unit_price", UNIT_PRICE),
    # NULL is unknown.
    Column("list_amount", AMOUNT),
    Column("contracted_amount", AMOUNT, nullable=False),
    # Effective.
    Column("amount", AMOUNT, nullable=False),
    Column("billed_amount", AMOUNT, nullable=False),
    Column("currency", Text, nullable=False),
    # How the amount came about, with its version: 'price-book/2', 'work-units-v1'.
    Column("method", Text, nullable=False),
    # The version of spanledger that posted it.
    Column("engine", Text, nullable=False, server_default="0.1.0"),
    # The re-pricing that booked it, if one did.
    Column("repricing_id", BigInteger),
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
)

# What the charge job has taken in of the usage of cells: added, never changed, as charges are. The
# lines of a cell add up to it as it was looked at last; those up to a moment, as it was known then.
usage_lines = Table(
    "usage_lines",
    METADATA,
    Column("tenant_id", Integer, primary_key=True, autoincrement=False),
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("posted_at", DateTime(timezone=True), nullable=False),
    # The cell, in whose books the line is, and who pays: as of charges.
    Column("slot", DateTime(timezone=True), nullable=False),
    Column("booked_slot", DateTime(timezone=True)),
    Column("owner_id", BigInteger, nullable=False),
    Column("payer_id", BigInteger, nullable=False),
    Column("route_id", BigInteger, nullable=False),
    Column("outcome", SmallInteger, nullable=False),
    Column("band", SmallInteger, nullable=False),
    # By how much each is more than the lines before say.
    Column("calls", BigInteger, nullable=False),
    Column("unmetered_calls", BigInteger, nullable=False),
    Column("unpriced_calls", BigInteger, nullable=False),
    Column("unpriced_tokens", BigInteger, nullable=False),
    *(Column(name, BigInteger, nullable=False) for name in METER_NAMES),
    Index("ix_usage_lines_slot", "tenant_id", "slot", "owner_id", "route_id"),
    Index(
        "ix_usage_lines_booked_slot",
        "tenant_id",
        "booked_slot",
        postgresql_where=text("booked_slot IS NOT NULL"),
    ),
)
