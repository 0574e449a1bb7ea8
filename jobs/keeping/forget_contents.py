"""Forgets what was said in calls, once its time is over or somebody switched it off."""

from jobs.context import Done, JobContext
from store.contents import contents
from store.contents.content_policies import policy_of
from store.tenants import TENANT


def run(context: JobContext) -> Done:
    """Drop whole days, then what lies among others, some of it in each transaction."""
    today = context.now.date()
    with context.database.read() as session:
        first = policy_of(session, TENANT).terms.first_day(today)
    with context.database.write() as session:
        # Whosever is in them: of several tenants, the first day of whoever keeps longest.
        days = contents.drop_days(session, first, today)
    gone, some = 0, 1
    while some:
        with context.database.write() as session:
            some = contents.forget_some(session, TENANT, first)
        gone += some
    return Done(note=f"{days} days and {gone:,} parts of others forgotten")
