"""How long calls are kept, and where archived days are.

Revision: 0025, after 0024.
Expand: old code does not know them. A collector of the old code takes what is too old as long as it
runs; it lies in the default partition then, and is never taken for something new of a dropped day.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "retention",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("kept_from", sa.Date, nullable=False),
        sa.Column("frozen_before", sa.Date),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_retention")),
    )
    op.create_table(
        "archived_days",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("place", sa.Text),
        sa.Column("folder", sa.Text),
        sa.Column("files", postgresql.JSONB, nullable=False),
        sa.Column("sightings", sa.BigInteger, nullable=False),
        sa.Column("joined_calls", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.Text),
        sa.Column("traces", sa.LargeBinary),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dropped_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("tenant_id", "day", name=op.f("pk_archived_days")),
    )


def downgrade() -> None:
    op.drop_table("archived_days")
    op.drop_table("retention")
