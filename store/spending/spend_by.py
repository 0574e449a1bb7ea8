"""Answers what was spent: money from charges, usage from cells, never from sightings.

As it is booked, or was known, usage is that of the ledger's lines.
"""

import operator
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Date,
    FromClause,
    Integer,
    Row,
    case,
    cast,
    func,
    not_,
    null,
    select,
)
from sqlalchemy.orm import Session

from spend.calls import Outcome
from spend.currencies.exchange import DAILY, UsedRate
from spend.currencies.one_currency import totals_at
from spend.meters import METER_NAMES
from spend.totals import Totals, together
from store.breakdowns.booked_time import day_of
from store.breakdowns.dimensions import Question
from store.breakdowns.grouping import Key, Part, added_up, bounds_of
from store.conversion import Conversion
from store.ledger.usage_to_come import UNPRICED_TOKENS, usage_to_come
from store.spending import booked_lines
from store.spending.booked_lines import TAKEN_IN
from store.spending.by_days import by_days
from store.tables.ledger import charges, usage_lines
from store.tables.rollups import cells


def money_of(lines: FromClause) -> dict[str, ColumnElement[Any]]:
    """Sums over lines of the ledger, in the four cost bases."""
    return {
        "cost": func.sum(lines.c.amount),
        "list_cost": func.sum(lines.c.list_amount),
        "contracted_cost": func.sum(lines.c.contracted_amount),
        "billed_cost": func.sum(lines.c.billed_amount),
        # What has no list price: 0 again when such a line was taken back.
        "unlisted": func.sum(case((lines.c.list_amount.is_(None), lines.c.quantity), else_=0)),
    }


MONEY: Final = money_of(charges)
_METERS: Final = operator.attrgetter(*METER_NAMES)


@dataclass(frozen=True, slots=True)
class Spent:
    """What was spent, in one currency as far as there are rates."""

    groups: dict[Key, Totals]
    """Each group that has calls, or money that is told."""
    elsewhere: dict[tuple[Key, str], Totals]
    """Group and currency -> money that has no rate: it is in no group."""
    used: tuple[UsedRate, ...]


@dataclass(frozen=True, slots=True)
class _Sources:
    """What is added up."""

    money: FromClause
    """Lines with who pays, route, currency and slot."""
    its: Callable[[FromClause], dict[str, ColumnElement[Any]]]
    """The sums of such lines."""
    usage: Sequence[Part]


def spend_by(session: Session, question: Question, tenant: int, asked: Conversion) -> Spent:
    """Totals for each group that has calls or money in the question's period."""
    sources = _Sources(charges, money_of, _usage(session, question, tenant))
    return _spent(session, question, tenant, asked, sources)


def spend_by_days(
    session: Session,
    question: Question,
    tenant: int,
    asked: Conversion,
    *,
    waiting: bool = True,
) -> Spent:
    """The same, to the last digit, from sums of days where these can tell: in a tenth of the time.

    They cannot as booked, or as known at a moment. ``waiting``: with usage that waits for its
    charge; else usage and money are of the same calls.
    """
    if question.billing or question.as_known_at is not None:
        return spend_by(session, question, tenant, asked)
    cuts = bounds_of(question)
    used = by_days(session, TAKEN_IN, tenant, question.period, cuts)
    parts = [_part(used, errors=used.c.errors)]
    if waiting:
        to_come = usage_to_come(session, tenant)
        parts.append(_part(to_come, errors=_errors(to_come), waiting=to_come.c.waiting_calls))
    money = by_days(session, booked_lines.MONEY, tenant, question.period, cuts)
    return _spent(session, question, tenant, asked, _Sources(money, _money_of_days, parts))


def _money_of_days(lines: FromClause) -> dict[str, ColumnElement[Any]]:
    return {
        "cost": func.sum(lines.c.amount),
        "list_cost": func.sum(lines.c.list_amount),
        "contracted_cost": func.sum(lines.c.contracted_amount),
        "billed_cost": func.sum(lines.c.billed_amount),
        "unlisted": func.sum(lines.c.unlisted),
    }


def _spent(
    session: Session, question: Question, tenant: int, asked: Conversion, sources: _Sources
) -> Spent:
    usage = dict(added_up(session, question, tenant, sources.usage))
    by_currency = _money_by_currency(session, question, tenant, asked, sources)
    currencies = {currency for _key, currency, _day, _money in by_currency}
    exchange = asked.exchange(session, tenant, question.period, currencies)
    told: dict[Key, list[Totals]] = defaultdict(list)
    elsewhere: dict[tuple[Key, str], list[Totals]] = defaultdict(list)
    used: dict[UsedRate, None] = {}
    for key, currency, day, money in by_currency:
        rate = None if currency == asked.to else exchange.rate(currency, day)
        if rate is not None:
            used[rate] = None
            told[key].append(totals_at(money, rate))
        elif currency == asked.to:
            told[key].append(money)
        else:
            elsewhere[key, currency].append(money)
    groups = {
        key: _totals(usage.get(key), together(told.get(key, ())))
        for key in dict.fromkeys((*usage, *told))
    }
    return Spent(
        {key: totals for key, totals in groups.items() if not totals.is_nothing},
        {
            place: whole
            for place, money in sorted(elsewhere.items(), key=str)
            if not (whole := together(money)).is_nothing
        },
        tuple(sorted(used, key=lambda each: (each.from_currency, each.day))),
    )


_Money = tuple[Key, str, date | None, Totals]
"""Group, currency, the day of use where it matters, and money."""


def _money_by_currency(
    session: Session, question: Question, tenant: int, asked: Conversion, sources: _Sources
) -> list[_Money]:
    lines, its = sources.money, sources.its
    also_by = ["currency"]
    if asked.policy == DAILY:
        of_others = lines.c.currency != asked.to
        day = case((of_others, day_of(lines.c.slot)), else_=cast(null(), Date))
        lines = select(*lines.c, day.label("used_on")).subquery("lines")
        also_by.append("used_on")
    part = Part(lines, its(lines))
    return [
        (key, row.currency, row.used_on if "used_on" in also_by else None, _money(row))
        for key, row in added_up(session, question, tenant, (part,), also_by=also_by)
    ]


def _money(row: Row[Any]) -> Totals:
    return Totals(
        cost=row.cost,
        list_cost=None if row.unlisted else row.list_cost or Decimal(0),
        contracted_cost=row.contracted_cost,
        billed_cost=row.billed_cost,
    )


def _usage(session: Session, question: Question, tenant: int) -> list[Part]:
    taken_in = _part(usage_lines, errors=_errors(usage_lines))
    if question.as_known_at is not None:
        return [taken_in]
    if question.billing:
        to_come = usage_to_come(session, tenant)
        told = {"errors": _errors(to_come), "waiting": to_come.c.waiting_calls}
        return [taken_in, _part(to_come, **told)]
    waiting = cast(not_(cells.c.charged), Integer) * cells.c.calls
    return [_part(cells, errors=_errors(cells), unpriced_tokens=UNPRICED_TOKENS, waiting=waiting)]


def _errors(rows: FromClause) -> ColumnElement[int]:
    return case((rows.c.outcome != Outcome.OK, rows.c.calls), else_=0)


def _part(rows: FromClause, **other: ColumnElement[Any]) -> Part:
    """Usage of rows (columns of usage_lines), but where ``other`` is said."""
    told = {
        "calls": rows.c.calls,
        "unpriced": rows.c.unpriced_calls,
        "unpriced_tokens": rows.c.unpriced_tokens,
        "unmetered": rows.c.unmetered_calls,
        **{name: rows.c[name] for name in METER_NAMES},
        **other,
    }
    return Part(rows, {name: func.sum(value) for name, value in told.items()})


def _totals(row: Row[Any] | None, money: Totals) -> Totals:
    if row is None:
        return money
    calls, unpriced = int(row.calls or 0), int(row.unpriced or 0)
    unknown = 0 < calls <= unpriced or (not calls and row.unpriced_tokens)
    if unknown and not any((money.cost, money.list_cost, money.contracted_cost, money.billed_cost)):
        # Its charges were taken back when the price was: unknown again, not free.
        money = Totals()
    return Totals(
        cost=money.cost,
        list_cost=money.list_cost,
        contracted_cost=money.contracted_cost,
        billed_cost=money.billed_cost,
        calls=calls,
        errors=int(row.errors or 0),
        unpriced_calls=unpriced,
        unpriced_tokens=int(row.unpriced_tokens or 0),
        unmetered_calls=int(row.unmetered or 0),
        waiting_calls=int(getattr(row, "waiting", None) or 0),
        usage={
            name: int(units) if units else 0
            for name, units in zip(METER_NAMES, _METERS(row), strict=True)
        },
    )
