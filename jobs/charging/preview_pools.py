"""What pools would change if they were declared so: worked out whole, and taken back."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from sqlalchemy.orm import Session

from jobs.charging.charge import MOST_PASSES, charge_cells, stretches
from jobs.charging.charge_pools import next_hours
from jobs.context import JobContext
from spend.capacity.pools import HOUR, Pool, hour_of
from store.capacity import pool_hours, pools
from store.ledger import ledger
from store.tenants import TENANT


def preview(
    context: JobContext, said: Sequence[Pool]
) -> tuple[list[tuple[Pool, str]], Mapping[str | None, Decimal]]:
    """What ``pools.apply`` would do, and the effective cost that each team would have more.

    All of it is done in one transaction that is rolled back; nobody else charges meanwhile. What
    waits for other reasons is charged in it first, and is not in the difference. Commitments and
    splits of shared costs follow the ledger, and are not looked at.
    """
    with context.database.write() as session:
        _charge(session, context)
        before = ledger.last_id(session, TENANT)
        done = pools.apply(session, TENANT, said)
        _charge(session, context)
        different = pool_hours.charged_after(session, TENANT, before)
        session.rollback()
    return done, different


def _charge(session: Session, context: JobContext) -> None:
    """What the charge job does, without commits."""
    for _pass in range(MOST_PASSES):
        waiting = ledger.waiting_hours(session, TENANT)
        moved = [
            charge_cells(session, context, start, end).moved for start, end in stretches(waiting)
        ]
        if not any(moved):
            break
    until = hour_of(context.now) + HOUR
    for pool in pools.all_pools(session, TENANT):
        done = False
        while not done:
            _lines, done = next_hours(session, context, pool.id, until)
