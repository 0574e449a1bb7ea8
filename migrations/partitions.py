"""An index on a table of partitions, made while its writers go on."""

from typing import Final

import sqlalchemy as sa
from alembic import op

_WITHOUT: Final = sa.text(
    "SELECT of_table.inhrelid::regclass::text FROM pg_inherits of_table"
    " WHERE of_table.inhparent = to_regclass(:table) AND NOT EXISTS"
    " (SELECT FROM pg_inherits of_index JOIN pg_index part ON part.indexrelid = inhrelid"
    " WHERE of_index.inhparent = to_regclass(:index)"
    " AND part.indrelid = of_table.inhrelid) ORDER BY 1"
)
"""The partitions that have no part of an index."""


def index_each(table: str, index: str, part: str, on: str) -> None:
    """Makes ``index`` on ``table``, partition by partition, each as ``<partition>_<part>``.

    ``on`` is what CREATE INDEX says behind the table. What is there already is left, so that a
    migration which failed (a lock it could not get) can be run again.
    """
    # Without an index below it yet: from here on new partitions are made with one.
    op.execute(f"CREATE INDEX IF NOT EXISTS {index} ON ONLY {table} {on}")
    with op.get_context().autocommit_block():
        # To make an index this way stops nobody, so it may wait for those who hold its table.
        op.execute("SET lock_timeout = 0")
        found = op.get_bind().execute(_WITHOUT, {"table": table, "index": index})
        for partition in found.scalars().all():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {partition}_{part}")
            op.execute(f"CREATE INDEX CONCURRENTLY {partition}_{part} ON {partition} {on}")
            op.execute("SET lock_timeout = '4s'")
            op.execute(f"ALTER INDEX {index} ATTACH PARTITION {partition}_{part}")
            op.execute("SET lock_timeout = 0")
        op.execute("SET lock_timeout = '4s'")
