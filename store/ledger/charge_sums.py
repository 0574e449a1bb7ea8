"""What is booked in a period, added up by the day of its use: the lines of an export.

Read a day at a time and as they are asked for, so that a month of any size needs little memory.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Subquery,
    and_,
    bindparam,
    case,
    distinct,
    func,
    literal,
    null,
    or_,
    select,
)
from sqlalchemy.orm import Session

from spend.calls import Owner, Route
from spend.charge_sums import BILL, COMMITMENT, POOL, PRICE, SPLIT, USAGE, ChargeSum, Whole
from spend.commitments.commitments import COVERED
from spend.owners import UNALLOCATED
from spend.ownership.splits import PUT_BY
from spend.periods import Period, day_period, days_in, local_day
from store.ledger.ledger import ALLOCATION, CORRECTION, ORIGINAL
from store.tables.heard import owners, routes
from store.tables.ledger import charges

AT_ONCE: Final = 2000
"""Rows that are fetched together."""

_PLACE: Final = ("slot", "owner_id", "route_id", "band", "payer_id", "currency")
_SOURCES: Final = {
    PRICE: "price_id",
    POOL: "pool_id",
    COMMITMENT: "commitment_id",
    SPLIT: "rule_id",
    BILL: "bill_id",
}
_KEY: Final = (
    "payer_id",
    "route_id",
    "currency",
    "meter",
    *_SOURCES.values(),
    "method",
    "list_unit_price",
    "unit_price",
    "uplift_id",
    "discount_id",
)
_SUMS: Final = ("quantity", "list_amount", "contracted_amount", "amount", "billed_amount")
_OWNER: Final = Owner.__slots__
_ROUTE: Final = Route.__slots__


def charge_sums(
    session: Session,
    tenant: int,
    period: Period,
    zone: ZoneInfo,
    *,
    as_known_at: datetime | None = None,
) -> Iterator[tuple[Period, Iterator[ChargeSum]]]:
    """Each day whose charges are booked in a period (UTC), in order, with what they come to.

    Days are those of ``zone``. The earliest are of late lines, whose day was closed when they were
    posted. What adds up to nothing, such as a charge that was moved and moved back, is left out.
    ``as_known_at``: of lines posted until then.
    """
    booked = _booked_in(tenant, period, as_known_at)
    of_days = {is_late: _of_a_day(tenant, booked, is_late) for is_late in (True, False)}
    late = session.scalars(
        select(charges.c.slot)
        .distinct()
        .where(
            charges.c.tenant_id == tenant,
            charges.c.booked_slot >= period.start,
            charges.c.booked_slot < period.end,
            charges.c.slot < period.start,
        )
    )
    days = sorted({local_day(slot, zone) for slot in late} | set(days_in(period, zone)))
    for day in days:
        within = day_period(day, zone)
        is_late = within.start < period.start
        yield within, _read(session, of_days[is_late], within, is_late)


def _booked_in(
    tenant: int, period: Period, as_known_at: datetime | None
) -> tuple[ColumnElement[bool], ...]:
    asked: list[ColumnElement[bool]] = [charges.c.tenant_id == tenant]
    if as_known_at is not None:
        asked.append(charges.c.posted_at <= as_known_at)
    in_books_of = and_(charges.c.booked_slot >= period.start, charges.c.booked_slot < period.end)
    on_time = and_(
        charges.c.booked_slot.is_(None),
        charges.c.slot >= period.start,
        charges.c.slot < period.end,
    )
    return (*asked, or_(on_time, in_books_of))


def _read(
    session: Session, of_a_day: Select[Any], day: Period, is_late: bool
) -> Iterator[ChargeSum]:
    found = session.execute(
        of_a_day, {"starts": day.start, "ends": day.end}, execution_options={"yield_per": AT_ONCE}
    )
    return (_charge_sum(row, day, is_late) for row in found)


def _of_a_day(tenant: int, booked: tuple[ColumnElement[bool], ...], is_late: bool) -> Select[Any]:
    """What is asked of a day, whose bounds are the parameters ``starts`` and ``ends``."""
    starts, ends = (bindparam(name, type_=charges.c.slot.type) for name in ("starts", "ends"))
    of_day = (*booked, charges.c.slot >= starts, charges.c.slot < ends)
    if is_late:
        # Few: found by their own index.
        of_day = (*of_day, charges.c.booked_slot.is_not(None))
    return _with_wholes(tenant, _added_up(of_day, _covered_wholly(of_day)))


def _covered_wholly(of_day: tuple[ColumnElement[bool], ...]) -> Subquery:
    """Places whose usage one commitment covers to the last atom, and which one it is."""
    place = [charges.c[name] for name in _PLACE]
    covered = (
        select(
            *place,
            func.min(charges.c.commitment_id).label("covered_by"),
            func.sum(charges.c.billed_amount).label("billed"),
        )
        .where(*of_day, charges.c.meter == COVERED)
        .group_by(*place)
        .having(func.count(distinct(charges.c.commitment_id)) == 1)
        .subquery("covered")
    )
    usage = charges.join(covered, and_(*(charges.c[name] == covered.c[name] for name in _PLACE)))
    return (
        select(*(covered.c[name] for name in _PLACE), covered.c.covered_by)
        .select_from(usage)
        .where(*of_day, _is_usage())
        .group_by(*(covered.c[name] for name in _PLACE), covered.c.covered_by, covered.c.billed)
        .having(func.sum(charges.c.contracted_amount) == -covered.c.billed)
        .subquery("wholly")
    )


def _is_usage() -> ColumnElement[bool]:
    return and_(charges.c.price_id.is_not(None), charges.c.kind.in_((ORIGINAL, CORRECTION)))


def _added_up(of_day: tuple[ColumnElement[bool], ...], wholly: Subquery) -> Subquery:
    usage = charges.c.kind.in_((ORIGINAL, CORRECTION, ALLOCATION))
    covers = or_(_is_usage(), charges.c.meter == COVERED)
    key = [
        *(charges.c[name] for name in _KEY),
        case((usage, USAGE), else_=charges.c.kind).label("said"),
        charges.c.list_amount.is_not(None).label("is_listed"),
        case((covers, wholly.c.covered_by), else_=null()).label("covered_by"),
    ]
    joined = charges.outerjoin(wholly, and_(*(charges.c[n] == wholly.c[n] for n in _PLACE)))
    return (
        select(
            *key,
            *(func.sum(charges.c[name]).label(name) for name in _SUMS),
            func.max(charges.c.posted_at).label("posted_at"),
        )
        .select_from(joined)
        .where(*of_day)
        .group_by(*key)
        .having(or_(*(func.sum(charges.c[name]) != 0 for name in _SUMS)))
        .subquery("added_up")
    )


def _with_wholes(tenant: int, added_up: Subquery) -> Select[Any]:
    """The sums with who pays and what was called, and with what each part was divided from."""
    sums = added_up.c
    is_split = sums.rule_id.is_not(None)
    # Of a split, what was put to a team; the rest is what was taken from one.
    is_part = or_(sums.pool_id.is_not(None), and_(is_split, owners.c.rule.startswith(PUT_BY)))
    together = [
        is_part,
        *(sums[name] for name in ("pool_id", "rule_id", "method", "currency", "is_listed")),
        case((is_split, sums.route_id), else_=null()),
    ]
    wholes = {
        "whole_amount": func.sum(sums.amount),
        "whole_billed": func.sum(sums.billed_amount),
        "least": func.min(sums.amount),
        "most": func.max(sums.amount),
    }
    order = (
        *("payer_id", "route_id", "currency", "covered_by"),
        *(*_KEY[3:], "said", "is_listed"),
    )
    # Outer joins: money of somebody who is not in the dictionary is shown all the same.
    source = added_up.outerjoin(
        owners, and_(owners.c.tenant_id == tenant, owners.c.id == sums.payer_id)
    ).outerjoin(routes, and_(routes.c.tenant_id == tenant, routes.c.id == sums.route_id))
    return (
        select(
            *sums,
            *(owners.c[name].label(f"payer_{name}") for name in _OWNER),
            *(routes.c[name].label(f"route_{name}") for name in _ROUTE),
            func.coalesce(is_part, literal(value=False)).label("is_part"),
            *(value.over(partition_by=together).label(name) for name, value in wholes.items()),
        )
        .select_from(source)
        .order_by(*(sums[name].asc().nulls_first() for name in order))
    )


def _charge_sum(row: Row[Any], day: Period, is_late: bool) -> ChargeSum:
    source = next(name for name, column in _SOURCES.items() if getattr(row, column) is not None)
    payer = {name: getattr(row, f"payer_{name}") for name in _OWNER}
    whole = None
    if row.is_part:
        whole = Whole(
            amount=row.whole_amount,
            billed_amount=row.whole_billed,
            parts_agree=row.least >= 0 or row.most <= 0,
        )
    return ChargeSum(
        day=day,
        is_late=is_late,
        posted_at=row.posted_at,
        payer_id=row.payer_id,
        payer=Owner(**payer) if payer["team"] is not None else Owner(UNALLOCATED),
        route_id=row.route_id,
        route=Route(**{name: getattr(row, f"route_{name}") for name in _ROUTE}),
        kind=row.said,
        meter=row.meter,
        method=row.method,
        source=source,
        source_id=getattr(row, _SOURCES[source]),
        uplift_id=row.uplift_id,
        discount_id=row.discount_id,
        list_unit_price=row.list_unit_price,
        unit_price=row.unit_price,
        currency=row.currency,
        quantity=row.quantity,
        list_amount=row.list_amount,
        contracted_amount=row.contracted_amount,
        amount=row.amount,
        billed_amount=row.billed_amount,
        covered_by=row.covered_by,
        whole=whole,
    )
