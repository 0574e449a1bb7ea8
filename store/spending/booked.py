"""What stands in the books of a period: now, or as it was known at a moment."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Row,
    Subquery,
    Text,
    and_,
    case,
    cast,
    func,
    select,
)
from sqlalchemy.orm import Session

from spend.booked import Booked, BookedCommitment, BookedPool
from spend.capacity.pools import IDLE_METER
from spend.commitments.commitments import COVERED, PURCHASE, UNUSED_METER
from spend.meters import METER_NAMES
from spend.owners import UNALLOCATED
from spend.periods import Period
from spend.totals import Totals
from store.breakdowns.shown_routes import shown_routes
from store.ledger.usage_to_come import to_come_in, usage_to_come
from store.spending.booked_lines import MONEY, TAKEN_IN, Asked, Lines, added_up, summed
from store.tables.commitments import commitments
from store.tables.heard import owners
from store.tables.pools import pools

_ROUTE: Final = ("provider", "model", "deployment", "region")
_BASES: Final = ("amount", "list_amount", "contracted_amount", "billed_amount", "unlisted")
_COUNTS: Final = ("calls", "errors", "unmetered_calls", "unpriced_calls", "unpriced_tokens")
_USED: Final = (*_COUNTS, *METER_NAMES)
_USED_FROM: Final = len(("team", *_ROUTE, "belongs_to", "day"))
_METERS_FROM: Final = _USED_FROM + len(_COUNTS)


def booked(
    session: Session,
    tenant: int,
    period: Period,
    *,
    by_day: bool = False,
    as_known_at: datetime | None = None,
    named_at: datetime | None = None,
    for_rates_to: str | None = None,
) -> list[Booked]:
    """Money and usage that are booked in a period (UTC, on quarter hours), in an order of its own.

    ``as_known_at`` (UTC): as it was posted, and as names were known, by then: after
    ``waiting.until_nobody_posts``. Else all, on one snapshot: the session's, or of whoever holds
    the ledger. What waits for its charge is in neither: see ``waiting``.

    ``named_at`` (UTC): names as they were known then, as in a month that is closed: None as above.

    ``by_day`` tells days apart; ``for_rates_to`` only of money in other currencies than that one.
    """
    asked = Asked(tenant, period, by_day, as_known_at, for_rates_to, named_at)
    money = _added_up(session, asked, MONEY, ("kind", "currency"), _BASES)
    usage = _added_up(session, asked, TAKEN_IN, (), _USED)
    return [*(_money(row) for row in money), *(_usage(row) for row in usage)]


def waiting(session: Session, tenant: int, period: Period) -> list[Booked]:
    """Usage that waits for its charge, where it will be booked in a period; no money.

    Its ``waiting_calls`` are all calls of the cells that wait, also those that are booked already.
    """
    found = to_come_in(usage_to_come(session, tenant), period)
    sums = (*_USED, "waiting_calls")
    return [_usage(row) for row in _named(session, Asked(tenant, period), found, (), sums)]


def _added_up(
    session: Session, asked: Asked, lines: Lines, also: Sequence[str], sums: Sequence[str]
) -> Sequence[Row[Any]]:
    found = added_up(session, lines, asked, ("payer_id", "route_id", *also))
    return _named(session, asked, found, also, sums)


def _named(
    session: Session, asked: Asked, found: Subquery, also: Sequence[str], sums: Sequence[str]
) -> Sequence[Row[Any]]:
    """Sums by what ids stand for: few rows are joined to the dictionaries."""
    routes = shown_routes(asked.tenant, asked.named_at or asked.known_at)
    keys: list[ColumnElement[Any]] = [
        func.coalesce(owners.c.team, UNALLOCATED).label("team"),
        *(routes.c[name] for name in _ROUTE),
        *(found.c[name] for name in (*also, "belongs_to", "day")),
    ]
    # Outer joins: money of an owner that is not in the dictionary is still counted.
    source = found.outerjoin(
        owners, and_(owners.c.tenant_id == asked.tenant, owners.c.id == found.c.payer_id)
    ).outerjoin(routes, and_(routes.c.tenant_id == asked.tenant, routes.c.id == found.c.route_id))
    return session.execute(
        select(*keys, *(summed(found.c[name]).label(name) for name in sums))
        .select_from(source)
        .group_by(*keys)
        .order_by(*keys)
    ).all()


# A month has thousands of rows: they are taken apart by place, in a quarter of the time.


def _money(row: Row[Any]) -> Booked:
    *place, kind, currency, belongs_to, day = row[: -len(_BASES)]
    amount, listed, contracted, billed, unlisted = row[-len(_BASES) :]
    totals = Totals(
        cost=amount,
        list_cost=None if unlisted else listed,
        contracted_cost=contracted,
        billed_cost=billed,
    )
    return _booked(place, kind, currency, belongs_to, day, totals)


def _usage(row: Row[Any]) -> Booked:
    *place, belongs_to, day = row[:_USED_FROM]
    calls, errors, unmetered, unpriced, tokens = row[_USED_FROM:_METERS_FROM]
    waits = row[_METERS_FROM + len(METER_NAMES) :]
    totals = Totals(
        calls=calls,
        errors=errors,
        unpriced_calls=unpriced,
        unpriced_tokens=tokens,
        unmetered_calls=unmetered,
        waiting_calls=waits[0] if waits else 0,
        usage=dict(zip(METER_NAMES, row[_METERS_FROM:], strict=False)),
    )
    return _booked(place, None, None, belongs_to, day, totals)


def _booked(
    place: Sequence[Any],
    kind: str | None,
    currency: str | None,
    belongs_to: date | None,
    day: date | None,
    totals: Totals,
) -> Booked:
    team, provider, model, deployment, region = place
    return Booked(
        team=team,
        provider=provider,
        model=model,
        deployment=deployment,
        region=region,
        kind=kind,
        currency=currency,
        belongs_to=belongs_to,
        day=day,
        totals=totals,
    )


def booked_pools(
    session: Session,
    tenant: int,
    period: Period,
    *,
    by_day: bool = False,
    as_known_at: datetime | None = None,
    for_rates_to: str | None = None,
) -> list[BookedPool]:
    """What pools cost by what is booked in a period; arguments as of ``booked``."""
    asked = Asked(tenant, period, by_day, as_known_at, for_rates_to)
    found = added_up(session, MONEY, asked, ("pool_id", "currency", "meter"), only="pool_id")
    sums = {"cost": found.c.amount, "idle": _where(found, IDLE_METER, found.c.amount)}
    rows = _by_source(session, tenant, found, pools, found.c.pool_id, sums)
    return [BookedPool(**row._asdict()) for row in rows]


def booked_commitments(
    session: Session,
    tenant: int,
    period: Period,
    *,
    by_day: bool = False,
    as_known_at: datetime | None = None,
    for_rates_to: str | None = None,
) -> list[BookedCommitment]:
    """What commitments came to by what is booked in a period; arguments as of ``booked``.

    A prepaid one is paid where it begins, a minimum where each of its periods does.
    """
    asked = Asked(tenant, period, by_day, as_known_at, for_rates_to)
    keys = ("commitment_id", "currency", "meter")
    found = added_up(session, MONEY, asked, keys, only="commitment_id")
    sums = {
        "paid": _where(found, PURCHASE, found.c.billed_amount),
        "covered": _where(found, COVERED, -found.c.billed_amount),
        # Its line has what usage costs in effect less what is taken off the bill.
        "used": _where(found, COVERED, found.c.amount - found.c.billed_amount),
        "wasted": _where(found, UNUSED_METER, found.c.amount),
    }
    rows = _by_source(session, tenant, found, commitments, found.c.commitment_id, sums)
    return [BookedCommitment(**row._asdict()) for row in rows]


def _where(found: Subquery, meter: str, amount: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((found.c.meter == meter, amount), else_=Decimal(0))


def _by_source(
    session: Session,
    tenant: int,
    found: Subquery,
    named: FromClause,
    source_id: ColumnElement[Any],
    sums: dict[str, ColumnElement[Any]],
) -> Sequence[Row[Any]]:
    said = func.coalesce(named.c.name, cast(source_id, BigInteger).cast(Text))
    keys = [source_id.label("id"), said.label("name"), found.c.currency, found.c.day]
    return session.execute(
        select(*keys, *(func.sum(value).label(name) for name, value in sums.items()))
        .select_from(
            found.outerjoin(named, and_(named.c.tenant_id == tenant, named.c.id == source_id))
        )
        .group_by(*keys)
        .order_by(*keys)
    ).all()
