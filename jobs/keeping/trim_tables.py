"""Forgets bookkeeping of days that calls are not kept of, ten thousand rows at a time."""

from jobs.context import JobContext
from store.archive.day_dropping import days_held
from store.archive.trimming import TRIMMED, Kept, trim
from store.intake import retention
from store.tenants import TENANT


def trim_tables(context: JobContext) -> int:
    """How many rows went. Ends early where the process is about to."""
    with context.database.read() as session:
        if retention.frozen_before(session, TENANT) is None:
            return 0
        taken_from = retention.taken_again_from(session, TENANT)
        held = days_held(session, taken_from)
    kept = Kept(taken_from, oldest=held[0] if held else taken_from)
    count = 0
    for one in TRIMMED:
        while context.going_on():
            with context.database.write() as session:
                gone = trim(session, TENANT, one, kept)
            count += gone
            if not gone:
                break
    return count
