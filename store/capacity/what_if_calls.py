"""Calls as what-if rates them: sums of cells whose prices are the same, and what they cost really.

Never sightings. Cells are put together as long as every price that can concern them is the same:
by route, band, stretch of unchanged prices and the meters that they used (one without a price makes
a cell unpriced, and no other one).
"""

import functools
import operator
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import (
    ColumnElement,
    DateTime,
    FromClause,
    Integer,
    SmallInteger,
    Subquery,
    and_,
    bindparam,
    case,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from spend import money
from spend.calls import Outcome
from spend.capacity.pools import IDLE_METER, POOL_METER
from spend.capacity.what_if import Here, Key, Traffic
from spend.commitments.commitments import PURCHASE, UNUSED_METER
from spend.currencies.exchange import NONE
from spend.meters import METER_NAMES, WORK
from spend.periods import Period
from spend.prices.rating import PARTS
from store import parties
from store.breakdowns.dimensions import Question
from store.breakdowns.grouping import Part, added_up, bounds_of
from store.conversion import Conversion
from store.ledger import split_days
from store.spending.booked_lines import MONEY
from store.spending.by_days import KEYS, by_days
from store.spending.spend_by import spend_by_days
from store.tables.ledger import charges
from store.tables.rollups import cells

_NOTHING: Final = money.amount(0)
_OF_POOLS: Final = (*KEYS, "pool_id", "meter")


def traffic(
    session: Session,
    question: Question,
    tenant: int,
    changes: Sequence[datetime],
    ran: Mapping[int, ColumnElement[bool]],
) -> Iterator[tuple[Traffic, Mapping[int, bool]]]:
    """The calls of a question, put together where prices that change at ``changes`` are the same.

    With whether they ``ran`` on some pools: by id, conditions on cells. TooManyRowsError.
    """
    start, end = question.period.start, question.period.end
    starts = [start, *sorted({each for each in changes if start < each < end})]
    flags = {f"ran_on_{id_}": condition for id_, condition in ran.items()}
    rows = _rows(tenant, starts, flags)
    wholes = {
        name: func.sum(func.least(rows.c[name], rows.c[PARTS[name]]))
        if name in PARTS
        else func.sum(rows.c[name])
        for name in METER_NAMES
    }
    usage = Part(
        rows,
        {
            "calls": func.sum(rows.c.calls),
            "answered": func.sum(case((rows.c.outcome == Outcome.OK, rows.c.calls), else_=0)),
            "unmetered": func.sum(rows.c.unmetered_calls),
            **wholes,
        },
    )
    also = ("called", "band", "stretch", "used", "is_priced", *flags)
    found = list(added_up(session, question, tenant, (usage,), also_by=also))
    routes = parties.routes_of(session, tenant, {row.called for _key, row in found})
    for key, row in found:
        yield (
            Traffic(
                key=key,
                route=routes[row.called],
                band=row.band,
                at=starts[row.stretch - 1],
                calls=int(row.calls),
                answered=int(row.answered),
                unmetered_calls=int(row.unmetered),
                is_priced=row.is_priced,
                usage={name: int(getattr(row, name)) for name in METER_NAMES},
            ),
            {id_: getattr(row, f"ran_on_{id_}") for id_ in ran},
        )


def _rows(
    tenant: int, starts: Sequence[datetime], flags: Mapping[str, ColumnElement[bool]]
) -> Subquery:
    """Cells, with all that they are put together by."""
    bounds = bindparam("price_starts", list(starts), ARRAY(DateTime(timezone=True)))
    return (
        select(
            *cells.c,
            cells.c.route_id.label("called"),
            func.width_bucket(cells.c.slot, bounds, type_=SmallInteger).label("stretch"),
            _used().label("used"),
            _is_priced().label("is_priced"),
            *(condition.label(name) for name, condition in flags.items()),
        )
        .where(cells.c.tenant_id == tenant)
        .subquery("rated")
    )


def _used() -> ColumnElement[int]:
    """Which meters a cell used, as a number."""
    bits = (
        case((cells.c[name] != 0, literal(1 << place, Integer)), else_=0)
        for place, name in enumerate(WORK)
    )
    return functools.reduce(operator.add, bits)


def _is_priced() -> ColumnElement[bool]:
    # A cell has a price for all that it used, or for none of it. NULL: nobody has looked yet.
    return and_(
        cells.c.unpriced_calls.is_not(None),
        cells.c.unpriced_calls <= cells.c.unmetered_calls,
        func.coalesce(cells.c.unpriced_tokens, 0) == 0,
    )


def here(
    session: Session, question: Question, tenant: int, *, currency: str, now: datetime
) -> tuple[dict[Key, Here], dict[str, Decimal]]:
    """What the calls of a question cost really, by group: those that have calls.

    In ``currency``; and what stands in others: nothing there is to compare it with.

    What no call used is no call's: idle lines, and a commitment's own, are left out. Instead each
    pool's idle cost of the period is spread over all that ran on it, in proportion to cost, and the
    groups bear their parts. Shares of other teams' costs are of no call either.
    """
    money_part = _charged(session, question, tenant, currency)
    costs: dict[Key, Decimal] = {}
    busy: dict[int, dict[Key, Decimal]] = defaultdict(dict)
    for key, row in added_up(session, question, tenant, (money_part,), also_by=("pool_id",)):
        if not row.lines:
            continue  # of the part of a day that is not asked about: added, and taken off again
        costs[key] = money.total([costs.get(key, _NOTHING), row.cost])
        if row.pool_id:
            busy[row.pool_id][key] = row.cost
    idle = idle_parts(session, tenant, question.period, busy, currency=currency)
    found = {}
    asked = Conversion(to=currency, policy=NONE, zone=question.zone, now=now)
    spent = spend_by_days(session, question, tenant, asked)
    elsewhere: dict[str, Decimal] = defaultdict(Decimal)
    for (_key, code), totals in spent.elsewhere.items():
        elsewhere[code] = money.EXACT.add(elsewhere[code], totals.cost or _NOTHING)
    for key, totals in spent.groups.items():
        if totals.calls or any(totals.usage.values()):
            cost = None if totals.cost is None else costs.get(key)
            found[key] = Here(replace(totals, cost=cost), idle.get(key, _NOTHING))
    return found, dict(elsewhere)


def _charged(session: Session, question: Question, tenant: int, currency: str) -> Part:
    """Lines that are of calls, with the pool that they are of: 0 or NULL, of none."""
    rows: FromClause = charges
    own = [charges.c.rule_id.is_(None)]
    lines: ColumnElement[int] = func.count()
    if not _takes_lines(session, question, tenant):
        cuts = bounds_of(question)
        rows = by_days(session, MONEY, tenant, question.period, cuts, keys=_OF_POOLS)
        own, lines = [], func.sum(rows.c.lines)
    of_calls = rows.c.meter.not_in((IDLE_METER, PURCHASE, UNUSED_METER))
    sums = {"cost": func.sum(rows.c.amount), "lines": lines}
    return Part(rows, sums, (rows.c.currency == currency, of_calls, *own))


def _takes_lines(session: Session, question: Question, tenant: int) -> bool:
    """Whether sums of days do not tell it: they have shared costs beside all others."""
    if question.billing or question.as_known_at is not None:
        return True
    return split_days.are_there(session, tenant)


def idle_parts(
    session: Session,
    tenant: int,
    period: Period,
    busy: Mapping[int, Mapping[Key, Decimal]],
    *,
    currency: str,
) -> dict[Key, Decimal]:
    """Parts of the idle cost of pools, for groups whose busy costs are given by pool.

    What others ran on them bears the rest.
    """
    if not busy:
        return {}
    parts: dict[Key, list[Decimal]] = defaultdict(list)
    lines = by_days(session, MONEY, tenant, period, keys=_OF_POOLS)
    sums = session.execute(
        select(
            lines.c.pool_id,
            *(
                func.coalesce(func.sum(lines.c.amount).filter(lines.c.meter == meter), 0)
                for meter in (POOL_METER, IDLE_METER)
            ),
        )
        .where(lines.c.pool_id.in_(list(busy)), lines.c.currency == currency)
        .group_by(lines.c.pool_id)
    )
    for pool_id, of_all, idle in sums:
        groups = busy[pool_id]
        weights = [max(0, money.atoms(cost)) for cost in groups.values()]
        rest = max(0, money.atoms(of_all) - sum(weights))
        if not sum(weights):
            continue
        shares = money.split(money.total([idle]), [*weights, rest])[:-1]
        for key, share in zip(groups, shares, strict=True):
            parts[key].append(share)
    return {key: money.total(shares) for key, shares in parts.items()}
