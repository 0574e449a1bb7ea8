"""Calls as what-if rates them: sums of cells whose prices are the same, and what they cost really.

Never sightings. Cells are put together as long as every price that can concern them is the same:
by route, band, stretch of unchanged prices and the meters that they used (one without a price makes
a cell unpriced, and no other one).
"""

import functools
import operator
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import (
    ColumnElement,
    DateTime,
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
from spend.meters import METER_NAMES, WORK
from spend.periods import Period
from spend.pools import IDLE_METER, POOL_METER
from spend.prices import PriceBook
from spend.rating import PARTS
from spend.targets import ApiTarget
from spend.totals import together
from spend.what_if import Here, Key, Rated, Rater, Terms, Traffic, added, assumptions
from store import parties
from store.dimensions import Question
from store.grouping import Part, added_up
from store.pool_economics import book_of
from store.spend_by import spend_by
from store.tables.ledger import charges
from store.tables.rollups import cells

_NOTHING: Final = money.amount(0)


def traffic(
    session: Session,
    question: Question,
    tenant: int,
    changes: Sequence[datetime],
    flags: Mapping[str, ColumnElement[bool]],
) -> Iterator[tuple[Traffic, Mapping[str, bool]]]:
    """The calls of a question, put together where prices that change at ``changes`` are the same.

    With ``flags``: conditions on cells, by name. TooManyRowsError.
    """
    start, end = question.period.start, question.period.end
    starts = [start, *sorted({each for each in changes if start < each < end})]
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
            {name: getattr(row, name) for name in flags},
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


def here(session: Session, question: Question, tenant: int, *, currency: str) -> dict[Key, Here]:
    """What the calls of a question cost really, by group: those that have calls.

    Idle capacity is no call, so its lines are left out; instead each pool's idle cost of the period
    is spread over all that ran on it, in proportion to cost, and the groups bear their parts.
    """
    money_part = Part(
        charges,
        {"cost": func.sum(charges.c.amount)},
        (charges.c.currency == currency, charges.c.meter != IDLE_METER),
    )
    costs: dict[Key, Decimal] = {}
    busy: dict[int, dict[Key, Decimal]] = defaultdict(dict)
    for key, row in added_up(session, question, tenant, (money_part,), also_by=("pool_id",)):
        costs[key] = money.total([costs.get(key, _NOTHING), row.cost])
        if row.pool_id is not None:
            busy[row.pool_id][key] = row.cost
    idle = idle_parts(session, tenant, question.period, busy, currency=currency)
    found = {}
    for key, totals in spend_by(session, question, tenant, currency=currency).items():
        if totals.calls or any(totals.usage.values()):
            cost = None if totals.cost is None else costs.get(key)
            found[key] = Here(replace(totals, cost=cost), idle.get(key, _NOTHING))
    return found


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
    parts: dict[Key, list[Decimal]] = defaultdict(list)
    sums = session.execute(
        select(
            charges.c.pool_id,
            *(
                func.coalesce(func.sum(charges.c.amount).filter(charges.c.meter == meter), 0)
                for meter in (POOL_METER, IDLE_METER)
            ),
        )
        .where(
            charges.c.tenant_id == tenant,
            charges.c.pool_id.in_(list(busy)),
            charges.c.currency == currency,
            charges.c.slot >= period.start,
            charges.c.slot < period.end,
        )
        .group_by(charges.c.pool_id)
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


@dataclass(frozen=True, slots=True)
class ToApi:
    """Everything goes to a model of a provider."""

    target: ApiTarget
    terms: Terms
    prices_at: datetime | None = None
    """By whose prices (UTC); None: those of each call's own time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a target comes to, with what is to be said of it."""

    name: str
    by_group: Mapping[Key, Rated]
    whole: Rated
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Calls as they were, and what they would have cost elsewhere."""

    here: Mapping[Key, Here]
    whole: Here
    there: tuple[Answer, ...]
    """One for each target, in order."""


def what_if(
    session: Session,
    question: Question,
    tenant: int,
    targets: Sequence[ToApi],
    *,
    currency: str,
) -> WhatIf:
    """The calls of a question, and what they would have cost on each target, in ``currency``.

    TargetRefusedError for a target that the price book has no line of; TooManyRowsError.
    """
    found = here(session, question, tenant, currency=currency)
    book = book_of(session, tenant, [each.target for each in targets], currency=currency)
    changes = {
        moment
        for each in targets
        if each.prices_at is None
        for moment in book.changes(each.target.route).moments
    }
    calls: dict[Key, list[Traffic]] = defaultdict(list)
    for each, _flags in traffic(session, question, tenant, sorted(changes), {}):
        calls[each.key].append(each)
    whole = Here(
        together([each.totals for each in found.values()]),
        money.total([each.idle_cost for each in found.values()]),
    )
    return WhatIf(found, whole, tuple(_answer(book, each, calls) for each in targets))


def _answer(book: PriceBook, asked: ToApi, calls: Mapping[Key, Sequence[Traffic]]) -> Answer:
    rater = Rater(book, asked.target, asked.terms)
    by_group = {
        key: rater.rated(
            each if asked.prices_at is None else replace(each, at=asked.prices_at) for each in alike
        )
        for key, alike in calls.items()
    }
    whole = functools.reduce(added, by_group.values(), Rated())
    notes = (*assumptions(asked.terms), *rater.notes())
    return Answer(asked.target.name, by_group, whole, notes)
