"""Who told calls by spans and logs, by the hour: there, what metrics tell does not count."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import BigInteger, Interval, cast, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from spend.kin import service_kin
from spend.readings import MARGIN, NO_SESSION, hours_between
from store.tables.heard import owners, sightings
from store.tables.readings import counters, told

_LONGEST: Final = timedelta(hours=24)
"""A call that took longer speaks for its first hours only."""
_AT_ONCE: Final = 5000


def tell(
    session: Session, tenant: int, batch_ids: Sequence[int], days: tuple[date, date]
) -> list[tuple[int, datetime, datetime]]:
    """Notes what the sightings of some batches tell of.

    Answers what was not told before, and metrics speak of too: service, first and last hour.
    """
    rows = [
        {"tenant_id": tenant, "service": service, "hour": hour, "session": kin}
        for service, hour, kin in sorted(set(_hours(session, tenant, batch_ids, days)))
    ]
    new: set[tuple[int, datetime]] = set()
    for at in range(0, len(rows), _AT_ONCE):
        statement = insert(told).values(rows[at : at + _AT_ONCE]).on_conflict_do_nothing()
        stored = session.execute(statement.returning(told.c.service, told.c.hour))
        new.update((service, hour) for service, hour in stored)
    services = sorted({service for service, _ in new})
    metered = set(
        session.scalars(
            select(counters.c.service)
            .where(counters.c.tenant_id == tenant, counters.c.service.in_(services))
            .distinct()
        )
    )
    return [(service, hour, hour) for service, hour in sorted(new) if service in metered]


def _hours(
    session: Session, tenant: int, batch_ids: Sequence[int], days: tuple[date, date]
) -> Iterator[tuple[int, datetime, int]]:
    """Service, hour and session of each call's hours, a little before it and after."""
    took = cast(func.coalesce(sightings.c.duration_us, 0), BigInteger) * literal(
        timedelta(microseconds=1), Interval
    )
    longest = func.least(took, literal(_LONGEST, Interval))
    first = func.date_trunc("hour", sightings.c.start_at - MARGIN, "UTC").label("first")
    last = func.date_trunc("hour", sightings.c.start_at + longest + MARGIN, "UTC").label("last")
    seen = (
        select(sightings.c.owner_id, sightings.c.kin_id, first, last)
        .where(
            sightings.c.tenant_id == tenant,
            sightings.c.batch_id.in_(batch_ids),
            sightings.c.day.between(*days),
        )
        .distinct()
        .subquery("seen")
    )
    found = session.execute(
        select(owners.c.service, seen.c.kin_id, seen.c.first, seen.c.last).join_from(
            seen, owners, (owners.c.tenant_id == tenant) & (owners.c.id == seen.c.owner_id)
        )
    )
    for name, kin, begins, ends in found:
        service = service_kin(name)
        named = NO_SESSION if kin is None or kin == service else kin
        for hour in hours_between(begins, ends):
            yield service, hour, named
