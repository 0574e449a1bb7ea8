"""The price book: bitemporal unit prices with where they came from, and names of models."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Integer,
    Numeric,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from store.tables.base import METADATA, UNIT_PRICE, no_nan, period

# A price line: what one million units of a meter cost, from when to when, as known from when to
# when. A line is closed (known_to), never changed.
prices = Table(
    "prices",
    METADATA,
    # 0: the public list, the same for all tenants.
    Column("tenant_id", Integer, primary_key=True, autoincrement=False),
    Column("id", BigInteger, Identity(), primary_key=True),
    # contract (our own, wins) | list (a feeder's) | supplement (prices what the list lacks)
    Column("book", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    # '' holds for every region or tier without a line of its own.
    Column("region", Text, nullable=False, server_default=""),
    Column("service_tier", Text, nullable=False, server_default=""),
    Column("meter", Text, nullable=False),
    # 0, or an edge of spend/bands.py: the price of a whole call whose prompt is larger.
    Column("above_tokens", Integer, nullable=False, server_default="0"),
    # Holds for what is used of the meter above so many units in a month (UTC).
    Column("above_monthly", BigInteger, nullable=False, server_default="0"),
    Column("unit_price", UNIT_PRICE, nullable=False),
    Column("currency", Text, nullable=False),
    Column("valid_from", DateTime(timezone=True), nullable=False),
    Column("valid_to", DateTime(timezone=True)),
    Column("known_from", DateTime(timezone=True), nullable=False),
    Column("known_to", DateTime(timezone=True)),
    # 'genai-prices 0.2.3', a file's name, 'POST /v1/prices'; and a document or URL.
    Column("source", Text, nullable=False),
    Column("reference", Text),
    # Who entered it; NULL: not told.
    Column("entered_by", Text),
    no_nan("unit_price"),
    CheckConstraint("unit_price >= 0", name="price_not_negative"),
    CheckConstraint("above_monthly >= 0", name="step_not_negative"),
    CheckConstraint("book IN ('contract', 'list', 'supplement')", name="book_is_known"),
    ExcludeConstraint(
        ("tenant_id", "="),
        ("book", "="),
        ("provider", "="),
        ("model", "="),
        ("region", "="),
        ("service_tier", "="),
        ("meter", "="),
        ("above_tokens", "="),
        ("above_monthly", "="),
        (period("valid"), "&&"),
        (period("known"), "&&"),
        name="ex_prices_one_price_at_a_time",
        using="gist",
    ),
)

# What changes list prices: a discount that was agreed, a surcharge of a region (uplift). Per cent,
# for models by a pattern; a line is closed (known_to), never changed.
discounts = Table(
    "discounts",
    METADATA,
    Column("tenant_id", Integer, primary_key=True, autoincrement=False),
    Column("id", BigInteger, Identity(), primary_key=True),
    # discount | uplift
    Column("kind", Text, nullable=False),
    Column("provider", Text, nullable=False),
    # With * at the end, or * alone for every model.
    Column("model", Text, nullable=False),
    # '' is every one.
    Column("region", Text, nullable=False, server_default=""),
    Column("service_tier", Text, nullable=False, server_default=""),
    Column("meter", Text, nullable=False, server_default=""),
    Column("percent", Numeric(9, 6), nullable=False),
    Column("valid_from", DateTime(timezone=True), nullable=False),
    Column("valid_to", DateTime(timezone=True)),
    Column("known_from", DateTime(timezone=True), nullable=False),
    Column("known_to", DateTime(timezone=True)),
    Column("source", Text, nullable=False),
    Column("reference", Text),
    Column("entered_by", Text),
    no_nan("percent"),
    CheckConstraint("kind IN ('discount', 'uplift')", name="kind_is_known"),
    CheckConstraint(
        "percent >= 0 AND (kind = 'uplift' OR percent <= 100)", name="percent_makes_sense"
    ),
    ExcludeConstraint(
        ("tenant_id", "="),
        ("kind", "="),
        ("provider", "="),
        ("model", "="),
        ("region", "="),
        ("service_tier", "="),
        ("meter", "="),
        (period("valid"), "&&"),
        (period("known"), "&&"),
        name="ex_discounts_one_at_a_time",
        using="gist",
    ),
)

# Which line of the list a provider's model is priced by: 'gpt-4o-2024-08-06' -> 'gpt-4o'.
# Found once for each route, not for each call.
model_names = Table(
    "model_names",
    METADATA,
    Column("tenant_id", Integer, primary_key=True, autoincrement=False),
    Column("provider", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    # NULL: nobody's list knows it.
    Column("listed_provider", Text),
    Column("listed_model", Text),
    Column("source", Text, nullable=False),
    Column("looked_up_at", DateTime(timezone=True), nullable=False),
)
