"""Exchange rates: one currency in another, by the day and by when that was known."""

from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    Numeric,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.types import TypeEngine

from store.tables.base import METADATA, no_nan, period

# As many decimals as spend/exchange.py gives a rate.
RATE: TypeEngine[Decimal] = Numeric(20, 10)

# A rate is closed (known_to), never changed. Nobody's public list: each tenant enters its own.
rates = Table(
    "rates",
    METADATA,
    Column("tenant_id", Integer, primary_key=True, autoincrement=False),
    Column("id", BigInteger, Identity(), primary_key=True),
    # ISO 4217: one unit of the first is `rate` units of the second.
    Column("from_currency", Text, nullable=False),
    Column("to_currency", Text, nullable=False),
    # The day that whoever published it dates it by.
    Column("day", Date, nullable=False),
    Column("rate", RATE, nullable=False),
    Column("known_from", DateTime(timezone=True), nullable=False),
    Column("known_to", DateTime(timezone=True)),
    # 'ecb', a file's name; and a document or URL.
    Column("source", Text, nullable=False),
    Column("reference", Text),
    # Who entered it; NULL: not told.
    Column("entered_by", Text),
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
)
