"""Bills: what providers invoiced, line by line, as it was read."""

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
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from store.tables.base import AMOUNT, METADATA, no_nan, tenant

bills = Table(
    "bills",
    METADATA,
    tenant(),
    Column("id", BigInteger, Identity(), primary_key=True, doc="Number of the bill."),
    Column(
        "version",
        Integer,
        nullable=False,
        doc="Of what was said of the same account, period and invoice: 2 replaced 1.",
    ),
    Column("provider", Text, nullable=False, doc="Who issued it."),
    Column(
        "account",
        Text,
        doc="Who is billed: organisation, billing account or payer; null: not told.",
    ),
    Column(
        "invoice",
        Text,
        doc=("The invoice's number; null: not told, as of a month that is not invoiced yet."),
    ),
    Column(
        "starts",
        DateTime(timezone=True),
        nullable=False,
        doc="Start of the period that it is for, UTC.",
    ),
    Column("ends", DateTime(timezone=True), nullable=False, doc="Its end, UTC, exclusive."),
    Column("currency", Text, nullable=False, doc="ISO 4217 code."),
    Column("format", Text, nullable=False, doc="How it was written: openai-costs, focus, csv, …"),
    Column("file_name", Text, nullable=False, doc="What it was read from."),
    Column("sha256", Text, nullable=False, doc="Of the file's bytes as they came, in hex."),
    Column(
        "imported_at", DateTime(timezone=True), nullable=False, doc="When it was imported, UTC."
    ),
    Column("imported_by", Text, doc="Who imported it; null: not told."),
    Column("lines", Integer, nullable=False, doc="How many lines it has."),
    Column("total", AMOUNT, nullable=False, doc="The sum of its lines, exact."),
    Column(
        "superseded_at",
        DateTime(timezone=True),
        doc="When a newer version replaced it, UTC; null: it holds.",
    ),
    no_nan("total"),
    CheckConstraint("ends > starts", name="time_is_a_range"),
    Index(
        "uq_bills_one_holds",
        "tenant_id",
        "provider",
        "account",
        "starts",
        "ends",
        "invoice",
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=text("superseded_at IS NULL"),
    ),
    info={
        "doc": (
            "What providers [invoiced](../bills.md): one issuer, one account, one"
            " period, one currency. Stands beside the charges. What a bill says "
            "is never changed; a newer version supersedes it."
        )
    },
)

bill_lines = Table(
    "bill_lines",
    METADATA,
    tenant(),
    Column("bill_id", BigInteger, primary_key=True, autoincrement=False, doc="`bills.id`."),
    Column(
        "line",
        Integer,
        primary_key=True,
        autoincrement=False,
        doc=("Of the file: the line of a CSV (the header is 1), else the row's place, from 1."),
    ),
    Column(
        "starts",
        DateTime(timezone=True),
        nullable=False,
        doc="When what it charges for was used or bought, UTC.",
    ),
    Column("ends", DateTime(timezone=True), nullable=False, doc="Until when, UTC, exclusive."),
    Column(
        "account",
        Text,
        doc=(
            "Within the bill's: the project, workspace, subscription or linked account;"
            " null: not told."
        ),
    ),
    Column(
        "provider",
        Text,
        nullable=False,
        doc="Who served it; of a marketplace another one than the issuer.",
    ),
    Column("model", Text, doc="As on the bill; null: it is for no model, or does not say which."),
    Column(
        "meter",
        Text,
        doc=(
            "One of the [meters](#meters); null: none of them, or the issuer's word is not known."
        ),
    ),
    Column("region", Text, doc="Null: not told."),
    Column("service_tier", Text, doc="Null: not told."),
    Column("description", Text, doc="The issuer's; null: none."),
    Column("kind", Text, nullable=False, doc="usage, credit, tax, fee or adjustment."),
    Column(
        "quantity",
        Numeric,
        doc=(
            "In the meter's unit, tokens where it has tokens; without a meter, in "
            "`unit`. As finely as the issuer tells it."
        ),
    ),
    Column("unit", Text, doc="What is counted: token, image, …, or the issuer's word."),
    Column("unit_price", Numeric, doc="For 1,000,000 of the unit, where the bill tells it."),
    Column(
        "amount",
        AMOUNT,
        nullable=False,
        doc="As invoiced; what is finer than 12 decimals is rounded half to even.",
    ),
    Column("currency", Text, nullable=False, doc="ISO 4217 code."),
    Column(
        "raw",
        JSONB,
        nullable=False,
        doc="The row that it was read from, without its empty fields; numbers are text.",
    ),
    no_nan("quantity"),
    no_nan("unit_price"),
    no_nan("amount"),
    CheckConstraint(
        "kind IN ('usage', 'credit', 'tax', 'fee', 'adjustment')", name="kind_is_known"
    ),
    info={"doc": ("Lines of bills, as the issuer wrote them. Written once, with their bill.")},
)
