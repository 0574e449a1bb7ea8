"""What calls said that they cost, beside what our table says: of a sample of the batches of a time.

An instrumentation or a gateway works it out from a table of its own, or has it from the provider.
It stands with the sighting's other details, in its batch; so a few batches are read whole, spread
over the time, and never all.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, Final

from sqlalchemy import BigInteger, Row, Text, column, func, lateral, literal, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from spend.calls import Route
from spend.meters import INPUTS, METER_NAMES
from spend.prices.bands import band_of
from spend.prices.prices import CONTRACT, PriceBook
from spend.prices.rating import REQUESTS, Line, rates
from spend.slots import slot_of
from store import parties
from store.prices.price_book import book_for
from store.tables.heard import batches, sightings

BATCHES: Final = 100
OF_ONE: Final = 50
"""So many details of a batch are looked at: the first."""
CALLS: Final = 10_000
"""At most so many are read."""
CURRENCY: Final = "USD"
"""Costs are told in it (OpenTelemetry's ``gen_ai.usage.cost``, LiteLLM, OpenInference)."""

_LATE: Final = timedelta(days=2)
"""Sightings come at most so long after they began, or are left out."""


@dataclass(frozen=True, slots=True)
class ToldCosts:
    """What calls of one model told."""

    calls: int
    ratio: Fraction
    """Of what they told to what our table says, in the middle."""


def told_costs(
    session: Session, tenant: int, since: datetime, until: datetime
) -> dict[tuple[str, str], ToldCosts]:
    """Provider and model -> what calls told that were heard in a time (UTC).

    Compared at what the public list asks, as it is known now; calls that a contract prices, or
    whose price depends on the region or the month's volume, are left out.
    """
    ids = _sampled(session, tenant, since, until)
    rows = _told(session, tenant, ids, since, until) if ids else []
    routes = parties.routes_of(session, tenant, {row.route_id for row in rows})
    book = book_for(session, tenant, list(routes.values()), currency=CURRENCY)
    ratios: defaultdict[tuple[str, str], list[Fraction]] = defaultdict(list)
    for row in rows:
        route = routes[row.route_id]
        told, ours = _amount(row.cost), _ours(book, route, row)
        if route.provider and route.model and told and ours:
            ratios[route.provider, route.model].append(Fraction(told) / Fraction(ours))
    return {model: ToldCosts(len(its), sorted(its)[len(its) // 2]) for model, its in ratios.items()}


def _sampled(session: Session, tenant: int, since: datetime, until: datetime) -> list[int]:
    """Batches of a time, evenly by their ids, which are in the order of time."""
    received = (
        batches.c.tenant_id == tenant,
        batches.c.received_at >= since,
        batches.c.received_at < until,
    )
    first, last = session.execute(
        select(func.min(batches.c.id), func.max(batches.c.id)).where(*received)
    ).one()
    if first is None:
        return []
    step = max(1, (last - first) // BATCHES)
    places = literal(list(range(first, last + 1, step)), ARRAY(BigInteger))
    place = func.unnest(places).table_valued(column("at", BigInteger)).render_derived("places")
    nearest = lateral(
        select(batches.c.id)
        .where(batches.c.tenant_id == tenant, batches.c.id >= place.c.at, batches.c.id <= last)
        .order_by(batches.c.id)
        .limit(1)
    )
    found = session.scalars(select(nearest.c.id).select_from(place).join(nearest, true()))
    return sorted(set(found))


def _told(
    session: Session, tenant: int, ids: Sequence[int], since: datetime, until: datetime
) -> Sequence[Row[*tuple[Any, ...]]]:
    details = (
        func.json_array_elements(batches.c.details)
        .table_valued(column("value", batches.c.details.type), with_ordinality="place")
        .render_derived("told")
    )
    cost = func.json_extract_path_text(details.c.value, "cost_given", type_=Text)
    return session.execute(
        select(
            cost.label("cost"),
            sightings.c.route_id,
            sightings.c.start_at,
            *(sightings.c[name] for name in METER_NAMES),
        )
        .select_from(batches)
        .join(details, true())
        .join(
            sightings,
            (sightings.c.batch_id == batches.c.id)
            & (sightings.c.details_no == details.c.place - 1),
        )
        .where(
            batches.c.tenant_id == tenant,
            batches.c.id.in_(ids),
            batches.c.details.is_not(None),
            details.c.place <= OF_ONE,
            cost.is_not(None),
            sightings.c.tenant_id == tenant,
            sightings.c.batch_id.in_(ids),
            sightings.c.day >= (since - _LATE).date(),
            sightings.c.day <= until.date(),
            # Of a call that ended well, and of no more than it.
            sightings.c.role.is_(None),
            sightings.c.failure.is_(None),
        )
        .limit(CALLS)
    ).all()


def _amount(told: str) -> Decimal | None:
    try:
        amount = Decimal(told)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount > 0 else None


def _ours(book: PriceBook, route: Route, row: Row[*tuple[Any, ...]]) -> Decimal | None:
    usage: Mapping[str, int] = {name: getattr(row, name) or 0 for name in METER_NAMES}
    band = band_of(sum(usage[name] for name in INPUTS))
    in_force = rates(book, route, band=band, at=slot_of(row.start_at))
    lines = in_force.charge({**usage, REQUESTS: 1})
    if not lines or not all(map(_is_plain, lines)):
        return None
    amounts = [line.list_amount for line in lines]
    return sum((each for each in amounts if each is not None), Decimal(0))


def _is_plain(line: Line) -> bool:
    rate = line.rate
    return (
        rate.price.book != CONTRACT
        and not rate.steps
        and rate.uplift is None
        and line.list_amount is not None
    )
