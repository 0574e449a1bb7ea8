"""What counters of energy tell.

Revision: 0014, after 0013.
Expand: old code leaves the new tables alone.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TABLES = ("energy_counters", "energy_readings", "energy_told")


def upgrade() -> None:
    op.create_table(
        "energy_counters",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("device", sa.BigInteger, nullable=False),
        sa.Column("host", sa.BigInteger, nullable=False),
        sa.Column("whole_host", sa.Boolean, nullable=False),
        sa.Column("rank", sa.SmallInteger, nullable=False),
        sa.Column("cumulative", sa.Boolean, nullable=False),
        sa.Column("attributes", JSONB(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_energy_counters")),
    )
    op.create_table(
        "energy_readings",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("counter_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("millijoules", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant_id", "counter_id", "kept_at", name=op.f("pk_energy_readings")
        ),
    )
    op.create_table(
        "energy_told",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("batch_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("counter_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "batch_id", "counter_id", name=op.f("pk_energy_told")),
    )


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
