"""Pools of four kinds whose hours cost what named components say; what each settled hour was.

Revision: 0012, after 0011.
Expand: pools of before stay as they are, with one cost an hour; old code leaves the rest alone, and
fails to read a pool with components, which only new code declares.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

KINDS = "kind IN ('rented', 'owned', 'provisioned', 'subscription')"
ONE_COST = "(cost_per_hour IS NULL) = (components <> '[]'::jsonb)"


def upgrade() -> None:
    op.add_column("pools", sa.Column("kind", sa.Text, nullable=False, server_default="rented"))
    op.add_column("pools", sa.Column("zone", sa.Text, nullable=False, server_default="UTC"))
    for name in ("components", "tariffs"):
        op.add_column("pools", sa.Column(name, JSONB, nullable=False, server_default="[]"))
    op.add_column("pools", sa.Column("seats", JSONB, nullable=False, server_default="{}"))
    op.add_column("pools", sa.Column("capacity_per_unit", sa.Numeric(38, 6)))
    op.add_column(
        "pools", sa.Column("output_weight", sa.Numeric(20, 6), nullable=False, server_default="4")
    )
    op.alter_column("pools", "cost_per_hour", nullable=True)
    op.create_check_constraint(op.f("ck_pools_kind_is_known"), "pools", KINDS)
    op.create_check_constraint(op.f("ck_pools_one_cost"), "pools", ONE_COST)
    op.create_table(
        "pool_hours",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("pool_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cost", sa.Numeric(38, 12), nullable=False),
        sa.Column("billed_amount", sa.Numeric(38, 12), nullable=False),
        sa.Column("idle", sa.Numeric(38, 12), nullable=False),
        sa.Column("components", JSONB, nullable=False),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("work_units", sa.Numeric(38, 6), nullable=False),
        sa.Column("capacity", sa.Numeric(38, 6)),
        sa.Column("timed_us", sa.BigInteger, nullable=False),
        sa.Column("input_weight", sa.Numeric),
        sa.Column("output_weight", sa.Numeric),
        sa.Column("late_units", sa.Numeric(38, 6), nullable=False, server_default="0"),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "pool_id", "hour", name=op.f("pk_pool_hours")),
    )
    # All hours are settled once more: nothing is posted, and it is kept what they were made of.
    op.execute("UPDATE pools SET charged_to = NULL")
    op.create_table(
        "ledgers",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("open_from", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_ledgers")),
    )


def downgrade() -> None:
    op.drop_table("ledgers")
    op.drop_table("pool_hours")
    op.drop_constraint("ck_pools_one_cost", "pools")
    op.drop_constraint("ck_pools_kind_is_known", "pools")
    # The version of before has no word for what a component costs: it would charge nothing.
    op.execute("DELETE FROM pools WHERE cost_per_hour IS NULL")
    op.alter_column("pools", "cost_per_hour", nullable=False)
    for name in (
        "kind",
        "zone",
        "components",
        "tariffs",
        "seats",
        "capacity_per_unit",
        "output_weight",
    ):
        op.drop_column("pools", name)
