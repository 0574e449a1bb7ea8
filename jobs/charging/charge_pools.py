"""Posts the hours of pools that have begun, and settles those again whose energy was told late."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from jobs.charging.split_pools import split_hours
from jobs.context import JobContext
from spend.capacity.energy import fits
from spend.capacity.pool_costs import Energy
from spend.capacity.pools import HOUR, Pool, hour_of
from store import waiting
from store.capacity import pools
from store.ledger import ledger
from store.readings import energy
from store.readings.energy import ToldAnew
from store.tenants import TENANT

HOURS_AT_ONCE: Final = 7 * 24
"""Hours of a pool in one transaction."""


def charge_pools(context: JobContext) -> Iterator[int]:
    """Yields the lines of each transaction."""
    yield _measured_anew(context)
    with context.database.read() as session:
        ids = [pool.id for pool in pools.all_pools(session, TENANT)]
    until = hour_of(context.now) + HOUR
    for id_ in ids:
        done = False
        while not done:
            with context.database.write() as session:
                lines, done = next_hours(session, context, id_, until)
            yield lines


def next_hours(
    session: Session, context: JobContext, pool_id: int, until: datetime
) -> tuple[int, bool]:
    """Posts the next hours of a pool up to ``until``; returns the lines, and whether that is all.

    An hour counts whole from its beginning: it is paid for whatever comes.
    """
    waiting.lock_ledger(session)
    held = pools.all_pools(session, TENANT, for_update=True)
    pool = next(each for each in held if each.id == pool_id)
    if pool.charged_to is not None:
        start = pool.charged_to
    else:
        # It is new, or it was changed: then hours that are no longer its own are taken back too.
        first, last = pools.posted_span(session, TENANT, pool_id)
        start = min(pool.valid_from, hour_of(first or pool.valid_from))
        until = max(until, hour_of(last) + HOUR if last else until)
    end = min(until, start + HOURS_AT_ONCE * HOUR)
    if start >= end:
        return 0, True
    hours = [start + HOUR * number for number in range((end - start) // HOUR)]
    lines = split_hours(session, TENANT, held, pool, hours, now=context.now)
    ledger.post(session, TENANT, lines, now=context.posted_at(session))
    pools.charged(session, TENANT, pool_id, end)
    return len(lines), end == until


def _measured_anew(context: JobContext) -> int:
    """Settles posted hours again whose energy is known better now; returns the lines posted."""
    with context.database.write() as session:
        waiting.lock_ledger(session)
        told = energy.claim_told(session, TENANT)
        held = pools.all_pools(session, TENANT, for_update=True) if told else []
        count = 0
        for pool in held:
            hours = {hour for each in told for hour in _hours_of(pool, each)}
            lines = split_hours(session, TENANT, held, pool, hours, now=context.now)
            ledger.post(session, TENANT, lines, now=context.posted_at(session))
            count += len(lines)
    return count


def _hours_of(pool: Pool, told: ToldAnew) -> Iterator[datetime]:
    """The posted hours of a pool in which what was told of counts."""
    measured = [each.terms for each in pool.components if isinstance(each.terms, Energy)]
    if pool.charged_to is None or not any(
        fits(told.attributes, each.measured) for each in measured
    ):
        return
    hour = max(told.first, pool.valid_from)
    end = min(told.last + HOUR, pool.charged_to, pool.valid_to or pool.charged_to)
    while hour < end:
        yield hour
        hour += HOUR
