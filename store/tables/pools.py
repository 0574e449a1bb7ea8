"""Pools, whose hours are split, and what each settled hour was made of."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Numeric,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

from store.tables.base import AMOUNT, METADATA, UNIT_PRICE, no_nan, tenant

pools = Table(
    "pools",
    METADATA,
    tenant(),
    Column("id", BigInteger, Identity(), primary_key=True, doc="Number of the pool."),
    Column("name", Text, nullable=False, doc="What people call it; no two the same."),
    Column(
        "kind",
        Text,
        nullable=False,
        server_default="rented",
        doc="rented, owned, provisioned or subscription.",
    ),
    Column(
        "valid_from",
        DateTime(timezone=True),
        nullable=False,
        doc="From when on it is paid, UTC, a full hour.",
    ),
    Column(
        "valid_to", DateTime(timezone=True), doc="Until when, UTC, exclusive; null: without an end."
    ),
    Column("cost_per_hour", UNIT_PRICE, doc="All of it, where no components are named; else null."),
    Column(
        "components",
        JSONB,
        nullable=False,
        server_default="[]",
        doc="What it costs, by named components, as they were declared.",
    ),
    Column(
        "tariffs",
        JSONB,
        nullable=False,
        server_default="[]",
        doc="What a kilowatt-hour costs, as declared.",
    ),
    Column(
        "zone",
        Text,
        nullable=False,
        server_default="UTC",
        doc="Whose clock its months, days and times go by (IANA).",
    ),
    Column("currency", Text, nullable=False, doc="ISO 4217 code."),
    Column(
        "match",
        JSONB,
        nullable=False,
        doc="Which calls run on it: dimension of a route or owner -> list of values.",
    ),
    Column(
        "capacity_per_hour",
        Numeric(38, 6),
        doc=("Work units that it can do in an hour; null: it is busy while a call is in flight."),
    ),
    Column("capacity_per_unit", Numeric(38, 6), doc="Likewise of one provisioned unit."),
    Column(
        "seats",
        JSONB,
        nullable=False,
        server_default="{}",
        doc="Team -> seats of a subscription; empty: it is split by use.",
    ),
    Column(
        "method",
        Text,
        nullable=False,
        doc="By which its hours are split, with its version: `work-units-v1`.",
    ),
    Column(
        "output_weight",
        UNIT_PRICE,
        nullable=False,
        server_default="4",
        doc="Work of a token put out, where one read is 1.",
    ),
    Column("provider", Text, nullable=False, doc="What its idle line shows as provider."),
    Column("region", Text, doc="What its idle line shows as region."),
    Column(
        "charged_to",
        DateTime(timezone=True),
        doc=("Every hour that began before is charged, UTC; null: all are looked at again."),
    ),
    no_nan("cost_per_hour"),
    CheckConstraint(
        "kind IN ('rented', 'owned', 'provisioned', 'subscription')", name="kind_is_known"
    ),
    CheckConstraint("(cost_per_hour IS NULL) = (components <> '[]'::jsonb)", name="one_cost"),
    CheckConstraint("cost_per_hour >= 0", name="cost_not_negative"),
    CheckConstraint("capacity_per_hour > 0", name="capacity_positive"),
    CheckConstraint("valid_to > valid_from", name="valid_is_a_range"),
    Index("uq_pools_name", "tenant_id", "name", unique=True),
    info={"doc": "[Capacity that is paid by the hour](../pools.md)."},
)

pool_hours = Table(
    "pool_hours",
    METADATA,
    tenant(),
    Column("pool_id", BigInteger, primary_key=True, autoincrement=False, doc="`pools.id`."),
    Column("hour", DateTime(timezone=True), primary_key=True, doc="Start of the hour, UTC."),
    Column("cost", AMOUNT, nullable=False, doc="What the hour cost, in the pool's currency."),
    Column("billed_amount", AMOUNT, nullable=False, doc="Of that, what is on somebody's bill."),
    Column("idle", AMOUNT, nullable=False, doc="Of the cost, what no call used."),
    Column(
        "components",
        JSONB,
        nullable=False,
        doc=(
            "What the cost is the sum of: name, kind, billed and amount of each; of "
            "energy its kWh, and how many of them were measured."
        ),
    ),
    Column(
        "method",
        Text,
        nullable=False,
        doc="By which it was split: not the pool's where timings are missing.",
    ),
    Column("work_units", Numeric(38, 6), nullable=False, doc="Work of its calls."),
    Column("capacity", Numeric(38, 6), doc="Work units that it could do; null: not declared."),
    Column(
        "timed_us",
        BigInteger,
        nullable=False,
        doc="How long calls were in flight together, in microseconds.",
    ),
    Column(
        "input_weight",
        Numeric,
        doc="What an uncached token of input weighed; null: it was not split by tokens.",
    ),
    Column("output_weight", Numeric, doc="What a token of output weighed; null: as above."),
    Column(
        "late_units",
        Numeric(38, 6),
        nullable=False,
        server_default="0",
        doc="Of versions in which a closed hour was not split again: written no more.",
    ),
    Column("settled_at", DateTime(timezone=True), nullable=False, doc="When it was settled, UTC."),
    info={
        "doc": (
            "What settled hours of pools were made of. Follows the ledger: an "
            "hour that is settled again has its row replaced."
        )
    },
)

ledgers = Table(
    "ledgers",
    METADATA,
    tenant(),
    Column(
        "open_from",
        DateTime(timezone=True),
        doc="The books of slots before this are closed, UTC; null: all are open.",
    ),
    Column(
        "charges_summed_to",
        BigInteger,
        nullable=False,
        server_default="0",
        doc="The last line of `charges` that is in the sums of its day.",
    ),
    Column(
        "usage_summed_to",
        BigInteger,
        nullable=False,
        server_default="0",
        doc="The last line of `usage_lines` that is in the sums of its day.",
    ),
    info={"doc": ("One row for a ledger: how far its books are closed, and its lines are summed.")},
)
