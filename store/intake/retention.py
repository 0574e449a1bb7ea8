"""From which day on calls are kept: what is older is refused, and does not change any more.

Two days of the calendar, both of which only move on. From ``kept_from`` on spans are taken. What
lies before ``frozen_before``, ``GUARD`` earlier, is looked at by nobody who decides which
sightings are one call: a sighting that is still taken finds its twins within a day. So a day
before that can be written down as it is and dropped, and nothing of it ever comes again. Between
the two only that is taken which was acknowledged before, and waited on a collector's disk.
"""

from datetime import UTC, date, datetime, time, timedelta
from math import ceil
from typing import Final

from sqlalchemy import exists, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from store.tables.archive import retention
from store.tables.heard import batches, sightings

_KEY: Final = func.hashtext("spanledger retention")
GUARD: Final = timedelta(days=2)
"""Between what is taken and what does not change: twins are looked for a day around."""


def guard_for(spooled: timedelta) -> timedelta:
    """``GUARD``, and as many days as what was acknowledged may wait on a collector's disk.

    A day more, as ``kept_from`` may move right after it was looked at.
    """
    return GUARD + timedelta(days=ceil(spooled / timedelta(days=1)) + 1) if spooled else GUARD


def hold(session: Session) -> None:
    """Lets neither of the two days move until the transaction ends; before they are asked for."""
    session.execute(select(func.pg_advisory_xact_lock_shared(_KEY)))


def kept_from(session: Session, tenant: int) -> date | None:
    """The first day (UTC) of which anything is still taken; None: there is none too old."""
    return session.scalar(select(retention.c.kept_from).where(retention.c.tenant_id == tenant))


def frozen_before(session: Session, tenant: int) -> date | None:
    """Sightings of days (UTC) before this stay what they are; None: of no day."""
    return session.scalar(select(retention.c.frozen_before).where(retention.c.tenant_id == tenant))


def taken_again_from(session: Session, tenant: int) -> date:
    """The first day (UTC) of which what was acknowledged before is taken still."""
    frozen = frozen_before(session, tenant)
    return date.min if frozen is None else frozen + timedelta(days=1)


def take_from(session: Session, tenant: int, day: date) -> None:
    """From now on nothing is taken that began before ``day`` (UTC); never an earlier one again.

    Waits a second at most for whoever puts something down, then raises SQLAlchemy's
    OperationalError: try again later.
    """
    _alone(session)
    new = insert(retention).values(tenant_id=tenant, kept_from=day)
    session.execute(
        new.on_conflict_do_update(
            index_elements=["tenant_id"],
            set_={"kept_from": func.greatest(retention.c.kept_from, new.excluded.kept_from)},
        )
    )


def freeze(session: Session, tenant: int, guard: timedelta = GUARD) -> date | None:
    """Moves ``frozen_before`` on where nothing heard of those days waits; the day that it is now.

    ``guard``: see ``guard_for``. None: not even one is. Raises as ``take_from``.
    """
    first = kept_from(session, tenant)
    if first is None or frozen_before(session, tenant) == first - guard:
        return frozen_before(session, tenant)
    to = first - guard
    _alone(session)
    # Who puts something down waits meanwhile.
    session.execute(text("SET LOCAL statement_timeout = '2s'"))
    waiting = select(batches.c.id).where(
        batches.c.tenant_id == tenant, batches.c.rolled_at.is_(None)
    )
    unsettled = exists().where(
        sightings.c.tenant_id == tenant,
        sightings.c.batch_id.in_(waiting),
        sightings.c.day < to,
    )
    if not session.scalar(select(unsettled)):
        session.execute(
            retention.update()
            .where(retention.c.tenant_id == tenant)
            .values(frozen_before=func.greatest(retention.c.frozen_before, to))
        )
    return frozen_before(session, tenant)


def midnight(day: date) -> datetime:
    """When a day begins (UTC)."""
    return datetime.combine(day, time(), UTC)


def _alone(session: Session) -> None:
    session.execute(text("SET LOCAL lock_timeout = '1s'"))
    session.execute(select(func.pg_advisory_xact_lock(_KEY)))
