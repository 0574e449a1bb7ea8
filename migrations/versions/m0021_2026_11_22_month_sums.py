"""What the ledger's lines of a month come to, beside what those of a day do.

Revision: 0021, after 0020.
Expand: the code of 0018 and before knows neither; that of 0019 and 0020, which take lines into the
sums of days alone, was never released. Filled from the days: one row for each of a month's thirty.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

METERS = (
    "input",
    "cache_read",
    "cache_write",
    "cache_write_5m",
    "cache_write_1h",
    "output",
    "reasoning",
    "input_audio",
    "output_audio",
    "input_image",
    "output_image",
    "tool_calls",
    "images",
    "seconds",
    "prefill_ms",
    "decode_ms",
)
COUNTS = ("lines", "calls", "errors", "unmetered_calls", "unpriced_calls", "unpriced_tokens")

AMOUNTS = ("amount", "list_amount", "contracted_amount", "billed_amount")
OF_MONEY = ("payer_id", "route_id", "currency", "kind", "pool_id", "commitment_id", "meter")
SUMS = (
    ("charge_", OF_MONEY, ("lines", *AMOUNTS, "unlisted")),
    ("usage_", ("payer_id", "route_id"), (*COUNTS, *METERS)),
)


def upgrade() -> None:
    op.create_table(
        "charge_months",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("payer_id", sa.BigInteger, nullable=False),
        sa.Column("route_id", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("pool_id", sa.BigInteger, nullable=False),
        sa.Column("commitment_id", sa.BigInteger, nullable=False),
        sa.Column("meter", sa.Text, nullable=False),
        sa.Column("lines", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Numeric(38, 12), nullable=False) for name in AMOUNTS),
        sa.Column("unlisted", sa.Numeric(38, 6), nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant_id",
            "day",
            "payer_id",
            "route_id",
            "currency",
            "kind",
            "pool_id",
            "commitment_id",
            "meter",
            name=op.f("pk_charge_months"),
        ),
    )
    op.create_table(
        "usage_months",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("payer_id", sa.BigInteger, nullable=False),
        sa.Column("route_id", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in (*COUNTS, *METERS)),
        sa.PrimaryKeyConstraint(
            "tenant_id", "day", "payer_id", "route_id", name=op.f("pk_usage_months")
        ),
    )
    for name, keys, sums in SUMS:
        each = ", ".join(("tenant_id", *keys))
        added = ", ".join(f"sum({column})" for column in sums)
        op.execute(
            f"INSERT INTO {name}months (day, {each}, {', '.join(sums)})"  # noqa: S608  # our names
            f" SELECT date_trunc('month', day), {each}, {added} FROM {name}days GROUP BY 1, {each}"
        )


def downgrade() -> None:
    for table in ("usage_months", "charge_months"):
        op.drop_table(table)
