"""Tokens of images, and how often an emitter's counts contradicted what we hold of it.

Revision: 0005, after 0004.
Expand: old code leaves the new columns alone.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

METERS = ("input_image", "output_image")
OF_CALLS = ("sightings", "joined_calls", "metered")


def upgrade() -> None:
    for meter in METERS:
        for table in OF_CALLS:
            op.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {meter} BIGINT")
        # With a default, as old code that still runs does not write it.
        op.execute(f"ALTER TABLE cells ADD COLUMN IF NOT EXISTS {meter} BIGINT NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE batches ADD COLUMN IF NOT EXISTS usage_conflicts_for JSONB")


def downgrade() -> None:
    op.drop_column("batches", "usage_conflicts_for")
    for meter in METERS:
        for table in (*OF_CALLS, "cells"):
            op.drop_column(table, meter)
