"""Who told calls, by the hour: where they told usage, what metrics tell does not count."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import BigInteger, Interval, and_, cast, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from spend.calls import Role
from spend.meters import TOKENS
from spend.readings import (
    ANYONE,
    LONGEST,
    MARGIN,
    NO_SESSION,
    Tellers,
    Told,
    hour_of,
    hours_between,
    model_kin,
    plain_model,
)
from spend.twins.kin import service_kin
from store.narrow import column_of
from store.tables.heard import owners, routes, sightings
from store.tables.readings import counters, metered, told

_HOUR: Final = timedelta(hours=1)
_MOMENT: Final = timedelta(microseconds=1)
_LONGEST: Final = timedelta(hours=24)
"""A call that took longer speaks for its first hours only."""
_AT_ONCE: Final = 5000


def tell(
    session: Session, tenant: int, batch_ids: Sequence[int], days: tuple[date, date]
) -> list[tuple[int, datetime, datetime]]:
    """Notes what the sightings of some batches tell of.

    Answers what was not told before, and metrics speak of too: service, first and last hour.
    """
    spoken: dict[tuple[datetime, Told], bool] = {}
    for hour, who, usage in _hours(session, tenant, batch_ids, days):
        spoken[hour, who] = usage or spoken.get((hour, who), False)
    rows = [
        {"tenant_id": tenant, "hour": hour, "service": service, "session": kin, "usage": usage}
        for (hour, (service, kin)), usage in sorted(spoken.items())
    ]
    new: set[tuple[int, datetime]] = set()
    for at in range(0, len(rows), _AT_ONCE):
        # What a call used may be told after the call, by another that saw it.
        statement = insert(told).values(rows[at : at + _AT_ONCE])
        statement = statement.on_conflict_do_update(
            index_elements=list(told.primary_key),
            set_={"usage": True},
            where=statement.excluded.usage & ~told.c.usage,
        )
        stored = session.execute(statement.returning(told.c.service, told.c.hour))
        new.update((service, hour) for service, hour in stored)
    spoken_of = set(
        session.scalars(
            select(counters.c.service)
            .where(
                counters.c.tenant_id == tenant,
                counters.c.service.in_(sorted({service for service, _ in new})),
            )
            .distinct()
        )
    )
    # ANYONE stands for those who serve: store/readings/metered.py knows them.
    return [(who, hour, hour) for who, hour in sorted(new) if who in spoken_of or who == ANYONE]


def serving(session: Session, tenant: int) -> list[int]:
    """Services that tell metrics of calls that others may tell of: gateways, model servers."""
    asked = select(counters.c.service).where(counters.c.tenant_id == tenant, counters.c.serves)
    return list(session.scalars(asked.distinct().order_by(counters.c.service)))


def told_about(
    session: Session, tenant: int, service: int, hours: tuple[datetime, datetime], *, serves: bool
) -> Tellers:
    """Who told calls that metrics of a service may repeat, from the first to the last hour.

    With ``serves`` also what other services' metrics tell.
    """
    first, last = hours
    used: dict[datetime, set[Told]] = defaultdict(set)
    called: dict[datetime, set[Told]] = defaultdict(set)
    for hour, who, kin, usage in session.execute(
        select(told.c.hour, told.c.service, told.c.session, told.c.usage).where(
            told.c.tenant_id == tenant,
            told.c.service.in_([service, ANYONE]),
            told.c.hour.between(first, last),
        )
    ):
        (used if usage else called)[hour_of(hour)].add((who, kin))
    if serves:
        for model, begins, ends in _clients(session, tenant, service, first, last):
            for hour in hours_between(max(begins, first), min(ends, last)):
                used[hour].add((ANYONE, model_kin(model)))
    return Tellers(used, called)


def _clients(
    session: Session, tenant: int, service: int, first: datetime, last: datetime
) -> list[tuple[str, datetime, datetime]]:
    """Models that other services' metrics tell of, and the hours of each."""
    end = last + _HOUR
    since = func.greatest(metered.c.since, metered.c.read_at - LONGEST)
    begins = func.date_trunc("hour", since, "UTC")
    ends = func.date_trunc("hour", func.greatest(since, metered.c.read_at - _MOMENT), "UTC")
    mine = and_(counters.c.tenant_id == metered.c.tenant_id, counters.c.id == metered.c.counter_id)
    found = session.execute(
        select(counters.c.model, begins, ends)
        .join_from(metered, counters, mine)
        .where(
            metered.c.tenant_id == tenant,
            metered.c.service != service,
            metered.c.read_at >= first,
            metered.c.read_at <= end + LONGEST,
            metered.c.since < end,
            ~counters.c.serves,
        )
        .distinct()
    )
    return [(model, hour_of(since), hour_of(until)) for model, since, until in found]


def _hours(
    session: Session, tenant: int, batch_ids: Sequence[int], days: tuple[date, date]
) -> Iterator[tuple[datetime, Told, bool]]:
    """The hours of each call, a little before it and after, who told it, and if with its usage.

    A call that failed without usage is none that metrics of tokens tell of.
    """
    took = cast(func.coalesce(column_of(sightings, "duration_us"), 0), BigInteger) * literal(
        timedelta(microseconds=1), Interval
    )
    longest = func.least(took, literal(_LONGEST, Interval))
    first = func.date_trunc("hour", sightings.c.start_at - MARGIN, "UTC").label("first")
    last = func.date_trunc("hour", sightings.c.start_at + longest + MARGIN, "UTC").label("last")
    # As a pure function of the sighting: what it is joined with depends on what came before.
    usage = func.coalesce(func.greatest(*(sightings.c[name] for name in TOKENS)), 0) > 0
    answered = sightings.c.failure.is_(None) & (column_of(sightings, "role") != Role.AGGREGATE)
    seen = (
        select(
            sightings.c.owner_id,
            sightings.c.route_id,
            sightings.c.kin_id,
            usage.label("usage"),
            first,
            last,
        )
        .where(
            sightings.c.tenant_id == tenant,
            sightings.c.batch_id.in_(batch_ids),
            sightings.c.day.between(*days),
            usage | answered,
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
            seen.c.usage,
            seen.c.first,
            seen.c.last,
        )
        .join_from(seen, owners, and_(owners.c.tenant_id == tenant, owners.c.id == seen.c.owner_id))
        .join(routes, and_(routes.c.tenant_id == tenant, routes.c.id == seen.c.route_id))
    )
    for name, *models, kin, usage_too, begins, ends in found:
        service = service_kin(name)
        who = {(service, NO_SESSION if kin is None or kin == service else kin)}
        who |= {(ANYONE, model_kin(plain_model(model))) for model in models if model}
        for hour in hours_between(begins, ends):
            yield from ((hour, each, usage_too) for each in who)
