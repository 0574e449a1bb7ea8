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

from store.tables.base import METADATA, UNIT_PRICE, known, no_nan, period, tenant, valid

prices = Table(
    "prices",
    METADATA,
    Column(
        "tenant_id",
        Integer,
        primary_key=True,
        autoincrement=False,
        doc="0: of the public list, for all; else 1, as there is one tenant.",
    ),
    Column("id", BigInteger, Identity(), primary_key=True, doc="Number of the line."),
    Column(
        "book",
        Text,
        nullable=False,
        doc=(
            "contract (our own, wins), list (public prices that we ship) or supplement "
            "(prices what the list lacks)."
        ),
    ),
    Column("provider", Text, nullable=False, doc="Who bills."),
    Column("model", Text, nullable=False, doc="The model's name, as calls or the list have it."),
    Column(
        "region",
        Text,
        nullable=False,
        server_default="",
        doc="Empty: every region without a line of its own.",
    ),
    Column(
        "service_tier",
        Text,
        nullable=False,
        server_default="",
        doc="Empty: every tier without a line of its own.",
    ),
    Column("meter", Text, nullable=False, doc="One of the [meters](#meters)."),
    Column(
        "above_tokens",
        Integer,
        nullable=False,
        server_default="0",
        doc="Holds for calls whose prompt is larger than so many tokens; 0: for all.",
    ),
    Column(
        "above_monthly",
        BigInteger,
        nullable=False,
        server_default="0",
        doc=(
            "Holds for what is used of the meter above so many units in a month (UTC); "
            "0: from the first on."
        ),
    ),
    Column("unit_price", UNIT_PRICE, nullable=False, doc="For 1,000,000 units."),
    Column("currency", Text, nullable=False, doc="ISO 4217 code."),
    *valid(),
    *known(),
    Column(
        "source",
        Text,
        nullable=False,
        doc=("What it was entered from: `genai-prices 0.2.3`, a file's name, `POST /v1/prices`."),
    ),
    Column("reference", Text, doc="A document or an address that says so."),
    Column("entered_by", Text, doc="Who entered it; null: not told."),
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
    info={
        "doc": (
            "The [price book](../prices.md): what one million units of a meter "
            "cost, from when to when, as known from when to when. A line is "
            "closed (`known_to`), never changed."
        )
    },
)

discounts = Table(
    "discounts",
    METADATA,
    tenant(),
    Column("id", BigInteger, Identity(), primary_key=True, doc="Number of the line."),
    Column("kind", Text, nullable=False, doc="discount or uplift."),
    Column("provider", Text, nullable=False, doc="Who bills."),
    Column(
        "model",
        Text,
        nullable=False,
        doc="A name, with `*` at its end for all that begin so; `*` alone: every model.",
    ),
    Column("region", Text, nullable=False, server_default="", doc="Empty: every region."),
    Column("service_tier", Text, nullable=False, server_default="", doc="Empty: every tier."),
    Column("meter", Text, nullable=False, server_default="", doc="Empty: every meter."),
    Column("percent", Numeric(9, 6), nullable=False, doc="Per cent of the list price."),
    *valid(),
    *known(),
    Column(
        "source",
        Text,
        nullable=False,
        doc="What it was entered from: a file's name, `POST /v1/discounts`.",
    ),
    Column("reference", Text, doc="A document or an address that says so."),
    Column("entered_by", Text, doc="Who entered it; null: not told."),
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
    info={
        "doc": (
            "What [changes list prices](../prices.md): a discount that was "
            "agreed, a surcharge of a region (uplift). A line is closed "
            "(`known_to`), never changed."
        )
    },
)

model_names = Table(
    "model_names",
    METADATA,
    tenant(),
    Column("provider", Text, primary_key=True, doc="Of the route."),
    Column("model", Text, primary_key=True, doc="As it was called."),
    Column("listed_provider", Text, doc="Of the list; null: no list knows it."),
    Column("listed_model", Text, doc="Of the list; null: as above."),
    Column("source", Text, nullable=False, doc="The list that was looked in, with its version."),
    Column(
        "looked_up_at", DateTime(timezone=True), nullable=False, doc="When it was looked for, UTC."
    ),
    info={
        "doc": (
            "Which line of the list a provider's model is priced by: "
            "`gpt-4o-2024-08-06` by `gpt-4o`. Found once for each."
        )
    },
)
