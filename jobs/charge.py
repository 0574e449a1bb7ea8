"""Prices cells that wait and posts to the ledger what it lacks; splits the hours of pools.

What a cell is to cost follows from the cell, the price book and the pools alone; what is posted is
the difference to what the ledger says already. So it does not matter how often this runs, in which
order usage comes, or where it is killed: each transaction leaves a ledger that is right for the
cells it marks.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row
from sqlalchemy.orm import Session

from jobs.cell_charges import conclude
from jobs.context import Done, JobContext
from jobs.follow_ownership import follow
from jobs.listed_names import look_up_new
from jobs.settle_commitments import settle_commitments
from jobs.split_pools import split_hours
from jobs.split_shared import settle_days
from spend.pools import HOUR, Pool, hour_of
from store import completeness, ledger, pools, repricings, waiting
from store.ledger import CellKey, Place
from store.tenants import TENANT

CELLS_AT_ONCE: Final = 10_000
"""Cells of one transaction: about a second's work, so that nobody waits long for the ledger."""

MOST_PASSES: Final = 4
"""Two are enough unless more comes meanwhile; what is left then is for the next run."""

HOURS_AT_ONCE: Final = 7 * 24
"""Hours of a pool in one transaction."""


def run(context: JobContext) -> Done:
    """Charges everything that waits."""
    with context.database.read() as session:
        complete_until = completeness.rolled_until(session)
    hours = _waiting(context)
    look_up_new(context.database, TENANT, now=context.now)
    cells, lines = 0, follow(context)
    for _pass in range(MOST_PASSES):
        moved = False
        for start, end in _stretches(hours):
            with context.database.write() as session:
                done = charge_cells(session, context, start, end)
            cells += done.cells
            lines += done.lines
            moved |= done.moved
            context.progress(f"{cells:,} cells priced, {lines:,} lines posted")
        if not moved:
            break
        hours = _waiting(context)
    lines += sum(_charge_pools(context))
    lines += sum(settle_commitments(context))
    lines += settle_days(context)
    return Done(f"{cells:,} cells, {lines:,} lines", complete_until)


def _waiting(context: JobContext) -> list[tuple[datetime, int]]:
    with context.database.read() as session:
        return ledger.waiting_hours(session, TENANT)


def _stretches(hours: Iterable[tuple[datetime, int]]) -> Iterator[tuple[datetime, datetime]]:
    """Stretches of time, half-open and of whole hours, with not too many waiting cells each."""
    start: datetime | None = None
    end: datetime | None = None
    held = 0
    for hour, count in hours:
        if start is not None and end is not None and held + count > CELLS_AT_ONCE:
            yield start, end
            start, held = None, 0
        start, end, held = start or hour, hour + HOUR, held + count
    if start is not None and end is not None:
        yield start, end


@dataclass(frozen=True, slots=True)
class Charged:
    """What charging a stretch of time came to."""

    cells: int
    lines: int
    """Posted."""
    moved: bool = False
    """Whether cells that were charged wait again, as their usage is in another volume step."""


def charge_cells(session: Session, context: JobContext, start: datetime, end: datetime) -> Charged:
    """Charges the waiting cells of a time (UTC, half-open)."""
    waiting.lock_ledger(session)
    claimed = ledger.claim_waiting(session, TENANT, start, end)
    if not claimed:
        return Charged(0, 0)
    places: list[Place] = list(dict.fromkeys(tuple(row[:4]) for row in claimed))
    held = pools.all_pools(session, TENANT, for_update=True)
    found = conclude(
        session,
        TENANT,
        [*claimed, *ledger.charged_beside(session, TENANT, places)],
        ledger.posted_at_prices(session, TENANT, places),
        held=held,
        knowledge=repricings.knowledge(session, TENANT),
        currency=context.settings.currency,
    )
    lines = list(found.lines)
    for pool in held:
        hours = {hour_of(place[0]) for place, its in found.runs_on.items() if its is pool}
        changed = _posted_already(pool, hours)
        lines += split_hours(session, TENANT, held, pool, changed, now=context.now)
    ledger.post(session, TENANT, lines, currency=context.settings.currency, now=context.now)
    ledger.settle(session, TENANT, [(key, found.unpriced[key]) for key in map(_key, claimed)])
    waiting.for_slots(session, TENANT, found.again)
    return Charged(len(claimed), len(lines), moved=bool(found.again))


def _key(row: Row[*tuple[Any, ...]]) -> CellKey:
    return row.slot, row.owner_id, row.route_id, row.outcome, row.band


def _posted_already(pool: Pool, hours: Iterable[datetime]) -> set[datetime]:
    """Hours that change; those still to be posted will be, whole, by ``_charge_pool``."""
    return {hour for hour in hours if pool.charged_to is not None and hour < pool.charged_to}


def _charge_pools(context: JobContext) -> Iterator[int]:
    """Posts the hours of pools that have begun; yields the lines of each transaction."""
    with context.database.read() as session:
        ids = [pool.id for pool in pools.all_pools(session, TENANT)]
    until = hour_of(context.now) + HOUR
    for id_ in ids:
        done = False
        while not done:
            with context.database.write() as session:
                lines, done = _charge_pool(session, context, id_, until)
            yield lines


def _charge_pool(
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
    ledger.post(session, TENANT, lines, currency=pool.currency, now=context.now)
    pools.charged(session, TENANT, pool_id, end)
    return len(lines), end == until
