"""Takes what was posted into the sums of its days, from which statements are read.

Some lines in a transaction: a ledger of years that has no sums yet is caught up with in bounded
steps, and wherever it is killed, the sums and what is not in them yet are the whole.
"""

from typing import Final

from jobs.context import JobContext
from store import waiting
from store.ledger import usage_lines
from store.spending import days
from store.tenants import TENANT

LINES_AT_ONCE: Final = 50_000
"""Lines of one transaction: about a second's work, so that nobody waits long for the ledger."""


def sum_days(context: JobContext) -> int:
    """Takes in every line that is not; returns how many."""
    with context.database.read() as session:
        begun = days.were_begun(session, TENANT)
    if not begun:
        # Jobs of the version before may have gone on until a moment ago.
        with context.database.write() as session:
            waiting.lock_ledger(session)
            usage_lines.take_in_all(session, TENANT, context.posted_at(session))
    with context.database.read() as session:
        if not days.are_behind(session, TENANT):
            return 0
    taken = 0
    for lines in days.EVERY:
        more = True
        while more:
            with context.database.write() as session:
                waiting.lock_ledger(session)
                done = days.take_in(session, TENANT, lines, at_most=LINES_AT_ONCE)
            taken += done
            more = done == LINES_AT_ONCE
            if more:
                context.progress(f"{taken:,} lines taken into the sums of their days")
    return taken
