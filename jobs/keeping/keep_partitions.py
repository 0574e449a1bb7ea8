"""Keeps day partitions ahead of the calendar, and gives back-dated days their own."""

from datetime import timedelta
from typing import Final

from jobs.context import Done, JobContext
from store.postgres.partitions import ensure, strays

AHEAD: Final = timedelta(days=7)
"""A collector whose jobs stand still for a week still finds its partitions."""
BACK: Final = timedelta(days=400)
"""What is older, or dated beyond AHEAD (a clock gone wrong), stays in the default partition."""


def run(context: JobContext) -> Done:
    """Make what is missing from yesterday to a week ahead, then move days out of the default."""
    today = context.now.date()
    with context.database.write() as session:
        made = ensure(session, today - timedelta(days=1), today + AHEAD)
    with context.database.read() as session:
        days = strays(session, today - BACK, today + AHEAD)
    for day in days:
        # A day a transaction: whoever writes to the default partition waits for one day's rows.
        with context.database.write() as session:
            made += ensure(session, day, day)
    moved = sum(partition.moved for partition in made)
    return Done(note=f"{len(made)} partitions made, {moved:,} rows moved")
