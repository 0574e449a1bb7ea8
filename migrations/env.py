"""Alembic's environment: one migration at a time, and none that makes writers wait for long.

Nothing here lasts longer than its transaction, so that it works through a pooler that lends each
transaction another connection (docs/growing.md).
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from alembic import context
from sqlalchemy import Connection, Engine, create_engine, event, pool, text

from migrations.run import is_ours
from migrations.shapes import write_down
from store.tables import METADATA


@contextmanager
def alone(engine: Engine) -> Iterator[None]:
    """Processes that start together would all migrate: the second waits here, then finds it done.

    It asks again and again, each time in a transaction of its own: an index that is made
    CONCURRENTLY waits for all that look at something, also for one that waits for us. The one that
    holds the lock looks at nothing, so nobody waits for it.
    """
    while True:
        with engine.begin() as connection:
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            if connection.scalar(
                text("SELECT pg_try_advisory_xact_lock(hashtext('spanledger migrations'))")
            ):
                yield
                return
        time.sleep(0.1)


engine = create_engine(
    context.config.attributes["url"],
    poolclass=pool.NullPool,
    connect_args={"prepare_threshold": None},
)


@event.listens_for(engine, "begin")
def give_up_soon(connection: Connection) -> None:
    """A migration that cannot get its lock soon gives up: every writer queues behind it."""
    connection.exec_driver_sql("SET LOCAL lock_timeout = '4s'")


with alone(engine), engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        include_object=is_ours,
        transaction_per_migration=True,
        on_version_apply=write_down,
    )
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
