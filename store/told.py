"""Who told calls by spans and logs, by the hour: there, what metrics tell does not count."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import BigInteger, Interval, and_, cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from spend.kin import service_kin
from spend.readings import (
    ANYONE,
    MARGIN,
    NO_SESSION,
    Told,
    hours_between,
    model_kin,
    plain_model,
)
from store.tables.heard import owners, routes, sightings
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
    spoken = sorted(set(_hours(session, tenant, batch_ids, days)))
    rows = [
        {"tenant_id": tenant, "hour": hour, "service": service, "session": kin}
        for hour, (service, kin) in spoken
    ]
    new: set[tuple[int, datetime]] = set()
    for at in range(0, len(rows), _AT_ONCE):
        statement = insert(told).values(rows[at : at + _AT_ONCE]).on_conflict_do_nothing()
        stored = session.execute(statement.returning(told.c.service, told.c.hour))
        new.update((service, hour) for service, hour in stored)
    return [
        (service, hour, hour)
        for service, serves in _metered(session, tenant, {service for service, _ in new})
        for hour in sorted({hour for who, hour in new if who == service or (serves and not who)})
    ]


def _metered(session: Session, tenant: int, services: Collection[int]) -> list[tuple[int, bool]]:
    """Those of some services that metrics speak of, and all that serve others."""
    found = session.execute(
        select(counters.c.service, func.bool_or(counters.c.serves))
        .where(
            counters.c.tenant_id == tenant,
            or_(counters.c.service.in_(sorted(services)), counters.c.serves),
        )
        .group_by(counters.c.service)
        .order_by(counters.c.service)
    )
    return [(service, serves) for service, serves in found]


def _hours(
    session: Session, tenant: int, batch_ids: Sequence[int], days: tuple[date, date]
) -> Iterator[tuple[datetime, Told]]:
    """The hours of each call, a little before it and after, and who told it."""
    took = cast(func.coalesce(sightings.c.duration_us, 0), BigInteger) * literal(
        timedelta(microseconds=1), Interval
    )
    longest = func.least(took, literal(_LONGEST, Interval))
    first = func.date_trunc("hour", sightings.c.start_at - MARGIN, "UTC").label("first")
    last = func.date_trunc("hour", sightings.c.start_at + longest + MARGIN, "UTC").label("last")
    seen = (
        select(sightings.c.owner_id, sightings.c.route_id, sightings.c.kin_id, first, last)
        .where(
            sightings.c.tenant_id == tenant,
            sightings.c.batch_id.in_(batch_ids),
            sightings.c.day.between(*days),
        )
        .distinct()
        .subquery("seen")
    )
    found = session.execute(
        select(
            owners.c.service,
            routes.c.model,
            routes.c.request_model,
            seen.c.kin_id,
            seen.c.first,
            seen.c.last,
        )
        .join_from(seen, owners, and_(owners.c.tenant_id == tenant, owners.c.id == seen.c.owner_id))
        .join(routes, and_(routes.c.tenant_id == tenant, routes.c.id == seen.c.route_id))
    )
    for name, *models, kin, begins, ends in found:
        service = service_kin(name)
        who = {(service, NO_SESSION if kin is None or kin == service else kin)}
        who |= {(ANYONE, model_kin(plain_model(model))) for model in models if model}
        for hour in hours_between(begins, ends):
            yield from ((hour, each) for each in who)
