"""Who told calls of which service, and sightings by time.

Revision: 0004, after 0003.
Expand: a new table, which the roll fills, and an index that is made partition by partition, while
senders go on. Every step may be there already: one that failed (a lock it could not get) is done
again from the start.
"""

import sqlalchemy as sa
from alembic import op

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
    # Without an index below it yet: from here on new partitions are made with one.
    op.execute(f"CREATE INDEX IF NOT EXISTS {INDEX} ON ONLY sightings {KEY}")
    with op.get_context().autocommit_block():
        # To make an index this way stops nobody, so it may wait for those who hold its table.
        op.execute("SET lock_timeout = 0")
        for partition in _without_index():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {partition}_start_at")
            op.execute(f"CREATE INDEX CONCURRENTLY {partition}_start_at ON {partition} {KEY}")
            op.execute("SET lock_timeout = '4s'")
            op.execute(f"ALTER INDEX {INDEX} ATTACH PARTITION {partition}_start_at")
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
    op.drop_table("heard_from")
