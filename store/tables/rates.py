"""Exchange rates: one currency in another, by the day and by when that was known."""

from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Identity,
    Index,
    Numeric,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.types import TypeEngine

from store.tables.base import METADATA, known, no_nan, period, tenant

# As many decimals as spend/currencies/exchange.py gives a rate.
RATE: TypeEngine[Decimal] = Numeric(20, 10)

rates = Table(
    "rates",
    METADATA,
    tenant(),
    Column("id", BigInteger, Identity(), primary_key=True, doc="Number of the rate."),
    Column("from_currency", Text, nullable=False, doc="ISO 4217 code: one unit of it …"),
    Column("to_currency", Text, nullable=False, doc="… is `rate` units of this one."),
    Column("day", Date, nullable=False, doc="The day that whoever published it dates it by."),
    Column("rate", RATE, nullable=False, doc="With 10 decimals."),
    *known(),
    Column("source", Text, nullable=False, doc="What it was entered from: `ecb`, a file's name."),
    Column("reference", Text, doc="A document or an address that says so."),
    Column("entered_by", Text, doc="Who entered it; null: not told."),
    no_nan("rate"),
    CheckConstraint("rate > 0", name="rate_is_positive"),
    CheckConstraint("from_currency <> to_currency", name="of_two_currencies"),
    ExcludeConstraint(
        ("tenant_id", "="),
        ("from_currency", "="),
        ("to_currency", "="),
        ("day", "="),
        (period("known"), "&&"),
        name="ex_rates_one_rate_a_day",
        using="gist",
    ),
    Index("ix_rates_day", "tenant_id", "day"),
    info={
        "doc": (
            "[Exchange rates](../currencies.md), by the day and by when they were"
            " known. A rate is closed (`known_to`), never changed."
        )
    },
)
