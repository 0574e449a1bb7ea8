"""Sightings from logs and metrics, and what they have in common with spans.

Revision: 0002, after 0001.
Expand: old code leaves the new columns alone. On the big table only the index takes time; it is
made partition by partition, while senders go on. Every step may be there already: one that
failed (a lock it could not get) is done again from the start.
"""

from alembic import op

from migrations.partitions import index_each

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INDEX = "ix_sightings_kin"
KIN = "(tenant_id, kin_id, start_at) WHERE kin_id IS NOT NULL"


def upgrade() -> None:
    op.execute("ALTER TABLE emitters ADD COLUMN IF NOT EXISTS signal TEXT NOT NULL DEFAULT 'span'")
    op.execute("ALTER TABLE sightings ADD COLUMN IF NOT EXISTS kin_id BIGINT")
    index_each("sightings", INDEX, "kin", KIN)


def downgrade() -> None:
    op.execute(f"DROP INDEX {INDEX}")
    op.drop_column("sightings", "kin_id")
    op.drop_column("emitters", "signal")
