"""Meters that are not of tokens: tools, images, seconds of audio, and a server's time.

Revision: 0009, after 0008.
Expand: old code leaves the new columns alone.
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

METERS = ("tool_calls", "images", "seconds", "prefill_ms", "decode_ms")
TYPES = {"sightings": "INTEGER", "joined_calls": "BIGINT", "metered": "BIGINT"}


def upgrade() -> None:
    for meter in METERS:
        for table, type_ in TYPES.items():
            op.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {meter} {type_}")
        # With a default, as old code that still runs does not write it.
        op.execute(f"ALTER TABLE cells ADD COLUMN IF NOT EXISTS {meter} BIGINT NOT NULL DEFAULT 0")


def downgrade() -> None:
    for meter in METERS:
        for table in (*TYPES, "cells"):
            op.drop_column(table, meter)
