"""The ledger: append-only lines that say what usage cost, and the pools whose hours are split."""

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
)
from sqlalchemy.dialects.postgresql import JSONB

from store.tables.base import AMOUNT, METADATA, UNIT_PRICE, no_nan

# A line is never changed or deleted. What a cell costs is the sum of its lines.
charges = Table(
    "charges",
    METADATA,
    Column("tenant_id", Integer, primary_key=True, autoincrement=False),
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("posted_at", DateTime(timezone=True), nullable=False),
    # original | correction | allocation (a pool's hour) | true-up
    Column("kind", Text, nullable=False),
    # The cell that it pays for; for a pool's idle share, the first quarter of the hour.
    Column("slot", DateTime(timezone=True), nullable=False),
    Column("owner_id", BigInteger, nullable=False),
    Column("route_id", BigInteger, nullable=False),
    Column("band", SmallInteger, nullable=False),
    # A meter of spend/meters.py, or 'pool' for a share of a pool-hour, or 'idle'.
    Column("meter", Text, nullable=False),
    # Exactly one of the two says where the price came from.
    Column("price_id", BigInteger),
    Column("pool_id", BigInteger),
    # Tokens, or work units of the pool's method.
    Column("quantity", Numeric(38, 6), nullable=False),
    Column("amount", AMOUNT, nullable=False),
    Column("currency", Text, nullable=False),
    # How the amount came about, with its version: 'price-book/1', 'work-units-v1'.
    Column("method", Text, nullable=False),
    no_nan("amount"),
    no_nan("quantity"),
    CheckConstraint("(price_id IS NULL) <> (pool_id IS NULL)", name="one_source"),
    CheckConstraint(
        "kind IN ('original', 'correction', 'allocation', 'true-up')", name="kind_is_known"
    ),
    Index("ix_charges_slot", "tenant_id", "slot", "owner_id", "route_id"),
)

pools = Table(
    "pools",
    METADATA,
    Column("tenant_id", Integer, primary_key=True, autoincrement=False),
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("name", Text, nullable=False),
    Column("valid_from", DateTime(timezone=True), nullable=False),
    Column("valid_to", DateTime(timezone=True)),
    Column("cost_per_hour", UNIT_PRICE, nullable=False),
    Column("currency", Text, nullable=False),
    # Which calls run on it: dimension of a route or owner -> list of values (spend/pools.py).
    Column("match", JSONB, nullable=False),
    # Work units that it can do in an hour; NULL: busy is the time with a call in flight.
    Column("capacity_per_hour", Numeric(38, 6)),
    Column("method", Text, nullable=False),
    # What the idle line shows as its route.
    Column("provider", Text, nullable=False),
    Column("region", Text),
    # Every hour that began before this is charged; later changes of its cells re-split it.
    Column("charged_to", DateTime(timezone=True)),
    no_nan("cost_per_hour"),
    CheckConstraint("cost_per_hour >= 0", name="cost_not_negative"),
    CheckConstraint("capacity_per_hour > 0", name="capacity_positive"),
    CheckConstraint("valid_to > valid_from", name="valid_is_a_range"),
    Index("uq_pools_name", "tenant_id", "name", unique=True),
)
