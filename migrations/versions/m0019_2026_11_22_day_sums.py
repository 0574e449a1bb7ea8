"""What the ledger's lines of a day come to, and since when the ledger knows a route.

Revision: 0019, after 0018.
Expand: old code leaves the new tables alone; what it posts is taken in by the next charge job of
the new one. Nothing is filled here: the charge job catches up, a bounded number of lines at a time.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
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


def upgrade() -> None:
    op.create_table(
        "charge_days",
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
        *(
            sa.Column(name, sa.Numeric(38, 12), nullable=False)
            for name in ("amount", "list_amount", "contracted_amount", "billed_amount")
        ),
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
            name=op.f("pk_charge_days"),
        ),
    )
    op.create_table(
        "usage_days",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("payer_id", sa.BigInteger, nullable=False),
        sa.Column("route_id", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in (*COUNTS, *METERS)),
        sa.PrimaryKeyConstraint(
            "tenant_id", "day", "payer_id", "route_id", name=op.f("pk_usage_days")
        ),
    )
    op.create_table(
        "known_routes",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("route_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "route_id", name=op.f("pk_known_routes")),
    )
    for name in ("charges_summed_to", "usage_summed_to"):
        op.add_column("ledgers", sa.Column(name, sa.BigInteger, nullable=False, server_default="0"))


def downgrade() -> None:
    for name in ("charges_summed_to", "usage_summed_to"):
        op.drop_column("ledgers", name)
    for table in ("known_routes", "usage_days", "charge_days"):
        op.drop_table(table)
