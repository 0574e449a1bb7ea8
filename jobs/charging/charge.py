"""Prices cells that wait and posts to the ledger what it lacks; splits the hours of pools.

What a cell is to cost follows from the cell, the price book and the pools alone; what is posted is
the difference to what the ledger says already. So it does not matter how often this runs, in which
order usage comes, or where it is killed: each transaction leaves a ledger that is right for the
cells it marks.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from jobs.charging.cell_charges import conclude
from jobs.charging.charge_pools import charge_pools
from jobs.charging.follow_ownership import follow
from jobs.charging.settle_commitments import settle_commitments
from jobs.charging.split_pools import split_hours
from jobs.charging.split_shared import settle_days
from jobs.charging.sum_days import sum_days
from jobs.charging.uncollected import uncollected
from jobs.charging.volume_steps import charge_again
from jobs.context import Done, JobContext
from jobs.prices.listed_names import look_up_new
from spend.capacity.pools import HOUR, Pool, hour_of
from store import completeness, waiting
from store.capacity import pools
from store.ledger import ledger
from store.ledger.ledger import Place, key_of, place_of
from store.prices import repricings
from store.tenants import TENANT

CELLS_AT_ONCE: Final = 10_000
"""Cells of one transaction: about a second's work, so that nobody waits long for the ledger."""

MOST_PASSES: Final = 4
"""Two are enough unless more comes meanwhile; what is left then is for the next run."""


def run(context: JobContext) -> Done:
    """Charges everything that waits."""
    with context.database.read() as session:
        complete_until = completeness.rolled_until(session)
    hours = _waiting(context)
    look_up_new(context.database, TENANT, now=context.now)
    cells, lines = 0, follow(context)
    for _pass in range(MOST_PASSES):
        moved = False
        for start, end in stretches(hours):
            with uncollected(), context.database.write() as session:
                done = charge_cells(session, context, start, end)
            cells += done.cells
            lines += done.lines
            moved |= done.moved
            context.progress(f"{cells:,} cells priced, {lines:,} lines posted")
        if not moved:
            break
        hours = _waiting(context)
    lines += sum(charge_pools(context))
    lines += sum(settle_commitments(context))
    lines += settle_days(context)
    sum_days(context)
    return Done(
        f"{cells:,} cells, {lines:,} lines", complete_until, counts={"cells": cells, "lines": lines}
    )


def _waiting(context: JobContext) -> list[tuple[datetime, int]]:
    with context.database.read() as session:
        return ledger.waiting_hours(session, TENANT)


def stretches(hours: Iterable[tuple[datetime, int]]) -> Iterator[tuple[datetime, datetime]]:
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
    held = pools.all_pools(session, TENANT, for_update=True)
    places: list[Place] = list(dict.fromkeys(place_of(row) for row in claimed))
    found = conclude(
        session,
        TENANT,
        [*claimed, *ledger.charged_beside(session, TENANT, places)],
        ledger.posted_at_prices(session, TENANT, places),
        held=held,
        knowledge=repricings.knowledge(session, TENANT),
    )
    lines = list(found.lines)
    for pool in held:
        hours = {hour_of(place[0]) for place, its in found.runs_on.items() if its is pool}
        changed = _posted_already(pool, hours)
        lines += split_hours(session, TENANT, held, pool, changed, now=context.now)
    posted_at = context.posted_at(session)
    ledger.post(session, TENANT, lines, now=posted_at)
    settled = [(key, found.unpriced[key]) for key in map(key_of, claimed)]
    ledger.settle(session, TENANT, settled, now=posted_at)
    moved = charge_again(session, TENANT, found.again)
    return Charged(len(claimed), len(lines), moved=moved)


def _posted_already(pool: Pool, hours: Iterable[datetime]) -> set[datetime]:
    """Hours that change; those still to be posted will be, whole, by ``charge_pools``."""
    return {hour for hour in hours if pool.charged_to is not None and hour < pool.charged_to}
