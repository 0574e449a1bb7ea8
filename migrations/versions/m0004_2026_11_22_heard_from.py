"""Who told calls of which service, and sightings by time.

Revision: 0004, after 0003.
Expand: a new table, which the roll fills, and an index that is made partition by partition, while
senders go on. Every step may be there already: one that failed (a lock it could not get) is done
again from the start.
"""

import sqlalchemy as sa
from alembic import op

from migrations.partitions import index_each

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INDEX = "ix_sightings_start_at"
KEY = "(tenant_id, start_at)"


def upgrade() -> None:
    op.create_table(
        "heard_from",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("emitter_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "day", "service", "emitter_id", name="pk_heard_from"),
        if_not_exists=True,
    )
    index_each("sightings", INDEX, "start_at", KEY)


def downgrade() -> None:
    op.execute(f"DROP INDEX {INDEX}")
    op.drop_table("heard_from")
