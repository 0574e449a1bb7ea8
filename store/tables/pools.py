"""Pools, whose hours are split, and what each settled hour was made of."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    Numeric,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

from store.tables.base import AMOUNT, METADATA, UNIT_PRICE, no_nan, tenant

pools = Table(
    "pools",
    METADATA,
    Column("tenant_id", Integer, primary_key=True, autoincrement=False),
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("name", Text, nullable=False),
    # rented | owned | provisioned | subscription
    Column("kind", Text, nullable=False, server_default="rented"),
    Column("valid_from", DateTime(timezone=True), nullable=False),
    Column("valid_to", DateTime(timezone=True)),
    # All of it, where no components are named; else NULL.
    Column("cost_per_hour", UNIT_PRICE),
    # What it costs, and what energy costs: lists as people declare them (spend/component_files.py).
    Column("components", JSONB, nullable=False, server_default="[]"),
    Column("tariffs", JSONB, nullable=False, server_default="[]"),
    # Whose wall clock its months, days and times without an offset are.
    Column("zone", Text, nullable=False, server_default="UTC"),
    Column("currency", Text, nullable=False),
    # Which calls run on it: dimension of a route or owner -> list of values (spend/pools.py).
    Column("match", JSONB, nullable=False),
    # Work units that it can do in an hour; NULL: busy is the time with a call in flight.
    Column("capacity_per_hour", Numeric(38, 6)),
    # Likewise of one provisioned unit.
    Column("capacity_per_unit", Numeric(38, 6)),
    # Team -> seats of a subscription. Empty: it is split by use.
    Column("seats", JSONB, nullable=False, server_default="{}"),
    Column("method", Text, nullable=False),
    # Work of a token put out, of one token read.
    Column("output_weight", UNIT_PRICE, nullable=False, server_default="4"),
    # What the idle line shows as its route.
    Column("provider", Text, nullable=False),
    Column("region", Text),
    # Every hour that began before this is charged; later changes of its cells re-split it.
    Column("charged_to", DateTime(timezone=True)),
    no_nan("cost_per_hour"),
    CheckConstraint(
        "kind IN ('rented', 'owned', 'provisioned', 'subscription')", name="kind_is_known"
    ),
    CheckConstraint("(cost_per_hour IS NULL) = (components <> '[]'::jsonb)", name="one_cost"),
    CheckConstraint("cost_per_hour >= 0", name="cost_not_negative"),
    CheckConstraint("capacity_per_hour > 0", name="capacity_positive"),
    CheckConstraint("valid_to > valid_from", name="valid_is_a_range"),
    Index("uq_pools_name", "tenant_id", "name", unique=True),
)

# What the ledger's lines of a pool-hour come from. It is a conclusion, and follows the ledger: an
# hour that is settled again has its row replaced in the same transaction.
pool_hours = Table(
    "pool_hours",
    METADATA,
    tenant(),
    Column("pool_id", BigInteger, primary_key=True, autoincrement=False),
    Column("hour", DateTime(timezone=True), primary_key=True),
    Column("cost", AMOUNT, nullable=False),
    Column("billed_amount", AMOUNT, nullable=False),
    # Of the cost, what no call used.
    Column("idle", AMOUNT, nullable=False),
    # What the cost is the sum of: list of name, kind, billed, amount; of energy its kWh and how
    # many of them were measured.
    Column("components", JSONB, nullable=False),
    # By which it was split: not the pool's where timings are missing.
    Column("method", Text, nullable=False),
    Column("work_units", Numeric(38, 6), nullable=False),
    # What it could do, and how long calls were in flight together: one of them is the busy share.
    Column("capacity", Numeric(38, 6)),
    Column("timed_us", BigInteger, nullable=False),
    # What an uncached token of input and one of output weighed; NULL: it was not split by tokens.
    Column("input_weight", Numeric),
    Column("output_weight", Numeric),
    # Of versions in which a closed hour was not split again: written no more.
    Column("late_units", Numeric(38, 6), nullable=False, server_default="0"),
    Column("settled_at", DateTime(timezone=True), nullable=False),
)

# One row for a ledger. The books of slots before ``open_from`` are closed: store/closing.py.
ledgers = Table(
    "ledgers",
    METADATA,
    tenant(),
    Column("open_from", DateTime(timezone=True)),
    # The last lines of charges and of usage_lines that are in the sums of their days
    # (store/tables/days.py).
    Column("charges_summed_to", BigInteger, nullable=False, server_default="0"),
    Column("usage_summed_to", BigInteger, nullable=False, server_default="0"),
)
