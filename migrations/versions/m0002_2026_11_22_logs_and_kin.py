"""Sightings from logs and metrics, and what they have in common with spans.

Revision: 0002, after 0001.
Expand: old code leaves the new columns alone. On the big table only the index takes time; it is
made partition by partition, while senders go on. Every step may be there already: one that
failed (a lock it could not get) is done again from the start.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INDEX = "ix_sightings_kin"
KIN = "(tenant_id, kin_id, start_at) WHERE kin_id IS NOT NULL"


def upgrade() -> None:
    op.execute("ALTER TABLE emitters ADD COLUMN IF NOT EXISTS signal TEXT NOT NULL DEFAULT 'span'")
    op.execute("ALTER TABLE sightings ADD COLUMN IF NOT EXISTS kin_id BIGINT")
    # Without an index below it yet: from here on new partitions are made with one.
    op.execute(f"CREATE INDEX IF NOT EXISTS {INDEX} ON ONLY sightings {KIN}")
    with op.get_context().autocommit_block():
        # To make an index this way stops nobody, so it may wait for those who hold its table.
        op.execute("SET lock_timeout = 0")
        for partition in _without_index():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {partition}_kin")
            op.execute(f"CREATE INDEX CONCURRENTLY {partition}_kin ON {partition} {KIN}")
            op.execute("SET lock_timeout = '4s'")
            op.execute(f"ALTER INDEX {INDEX} ATTACH PARTITION {partition}_kin")
            op.execute("SET lock_timeout = 0")
        op.execute("SET lock_timeout = '4s'")


def _without_index() -> list[str]:
    """The partitions that have no part of the index."""
    found = op.get_bind().execute(
        sa.text(
            "SELECT of_table.inhrelid::regclass::text FROM pg_inherits of_table"
            " WHERE of_table.inhparent = 'sightings'::regclass AND NOT EXISTS"
            " (SELECT FROM pg_inherits of_index JOIN pg_index part ON part.indexrelid = inhrelid"
            " WHERE of_index.inhparent = to_regclass(:index)"
            " AND part.indrelid = of_table.inhrelid) ORDER BY 1"
        ),
        {"index": INDEX},
    )
    return [str(name) for name in found.scalars()]


def downgrade() -> None:
    op.execute(f"DROP INDEX {INDEX}")
    op.drop_column("sightings", "kin_id")
    op.drop_column("emitters", "signal")
