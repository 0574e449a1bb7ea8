"""Alembic's environment: one migration at a time, and none that makes writers wait for long."""

import time

from alembic import context
from sqlalchemy import create_engine, pool, text

from migrations.run import is_ours
from store.tables import METADATA

engine = create_engine(context.config.attributes["url"], poolclass=pool.NullPool)
with engine.connect() as connection:
    # Processes that start together would all migrate: the second waits here, then finds it done.
    # It asks again and again, without a transaction in between: an index that is made CONCURRENTLY
    # waits for all transactions that are open, also for one that waits for us.
    while not connection.scalar(
        text("SELECT pg_try_advisory_lock(hashtext('spanledger migrations'))")
    ):
        connection.commit()
        time.sleep(0.1)
    # A migration that cannot get its lock soon gives up, instead of holding back every writer
    # that queues behind it.
    connection.execute(text("SET lock_timeout = '4s'"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        include_object=is_ours,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.execute(text("SELECT pg_advisory_unlock(hashtext('spanledger migrations'))"))
    connection.commit()
engine.dispose()
