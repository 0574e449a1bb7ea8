"""Whether those who told calls told what they used, and metrics that count without their calls.

Revision: 0006, after 0005.
Expand: old code leaves the new columns alone.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # True, as old code that still runs and what it has told mean it.
    for table, column in (("told", "usage"), ("metered", "counts_calls")):
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {column} BOOLEAN NOT NULL DEFAULT true"
        )


def downgrade() -> None:
    op.drop_column("metered", "counts_calls")
    op.drop_column("told", "usage")
