"""What usage cost in some hours of several weeks: each is a small part of the ledger's index.

Usage alone: lines of commitments, of shared costs and of bills are posted in lumps, at an hour that
says nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, DateTime, Integer, Row, exists, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from spend import money
from spend.budgets.budgets import Filter
from spend.currencies.exchange import DAILY, converted
from spend.periods import Period
from store.breakdowns.booked_time import day_of, within
from store.breakdowns.dimensions import OWNED, ROUTED, fitting
from store.breakdowns.shown_routes import shown_routes
from store.conversion import Conversion
from store.tables.heard import owners
from store.tables.ledger import charges

Key = tuple[str | None, ...]
"""A value for each dimension asked for; None where nothing was said."""

_UTC: Final = ZoneInfo("UTC")
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class HoursSpent:
    """What was spent in some periods, in one currency as far as there are rates."""

    groups: Mapping[Key, tuple[int, ...]]
    """Whole numbers of 1e-12, one for each period, in the order asked."""
    without: Mapping[Key, Mapping[str, Decimal]]
    """Currency -> what the last period has in it, and no rate for: it is in no group."""


class ReadHours(Protocol):
    """Reads what was spent in some periods, as ``hours_spent`` does."""

    def __call__(
        self,
        session: Session,
        tenant: int,
        periods: Sequence[Period],
        *,
        wanted: Filter,
        by: Sequence[str],
        currency: str,
        now: datetime,
    ) -> HoursSpent:
        """What fits a filter, by dimensions, in periods."""


def hours_spent(
    session: Session,
    tenant: int,
    periods: Sequence[Period],
    *,
    wanted: Filter,
    by: Sequence[str],
    currency: str,
    now: datetime,
) -> HoursSpent:
    """What fits a filter, by dimensions of spend/budgets/budgets.py, in periods (UTC) in order."""
    rows = _rows(session, tenant, periods, wanted, by)
    exchange = Conversion(to=currency, policy=DAILY, zone=_UTC, now=now).exchange(
        session, tenant, Period(periods[0].start, periods[-1].end), {row.currency for row in rows}
    )
    groups: dict[Key, list[int]] = {}
    without: dict[Key, dict[str, Decimal]] = {}
    for row in rows:
        key = tuple(getattr(row, name) for name in by)
        amount, place = row.amount, (row.piece - 1) // 2
        sums = groups.setdefault(key, [0] * len(periods))
        if row.currency != currency:
            rate = exchange.rate(row.currency, row.day)
            if rate is None:
                if place == len(periods) - 1:
                    its = without.setdefault(key, {})
                    before = its.get(row.currency, Decimal(0))
                    its[row.currency] = money.EXACT.add(before, amount)
                continue
            amount = converted(amount, rate)
        sums[place] += round(amount.scaleb(money.ATOM_DIGITS, money.EXACT))
    return HoursSpent({key: tuple(sums) for key, sums in groups.items()}, without)


def with_spend(session: Session, tenant: int, periods: Sequence[Period]) -> list[Period]:
    """Those at whose end something had been spent within a day, on anything: weeks that we know."""
    if not periods:
        return []
    found = session.execute(
        select(
            *(
                exists().where(
                    charges.c.tenant_id == tenant,
                    within(charges.c.slot, Period(each.end - _DAY, each.end)),
                )
                for each in periods
            )
        )
    ).one()
    return [each for each, known in zip(periods, found, strict=True) if known]


def _joined(periods: Sequence[Period]) -> list[Period]:
    """The same time in as few periods: those that follow at once are one."""
    found = [periods[0]]
    for each in periods[1:]:
        if each.start == found[-1].end:
            found[-1] = Period(found[-1].start, each.end)
        else:
            found.append(each)
    return found


def _rows(
    session: Session, tenant: int, periods: Sequence[Period], wanted: Filter, by: Sequence[str]
) -> Sequence[Row[*tuple[Any, ...]]]:
    bounds = [bound for each in periods for bound in (each.start, each.end)]
    # Odd where a moment is in a period, even between two.
    piece = func.width_bucket(
        charges.c.slot, literal(bounds, ARRAY(DateTime(timezone=True))), type_=Integer
    ).label("piece")
    day = day_of(charges.c.slot).label("day")
    keys = (piece, charges.c.payer_id, charges.c.route_id, charges.c.currency, day)
    spent = (
        select(*keys, func.sum(charges.c.amount).label("amount"))
        .where(
            charges.c.tenant_id == tenant,
            or_(*(within(charges.c.slot, each) for each in _joined(periods))),
            or_(charges.c.price_id.is_not(None), charges.c.pool_id.is_not(None)),
            *fitting(wanted, tenant, charges, charges.c.payer_id),
        )
        .group_by(*keys)
        .subquery()
    )
    shown = shown_routes(tenant)
    names = [
        (owners if name in OWNED else shown).c[name] for name in by if name in (*OWNED, *ROUTED)
    ]
    told: list[ColumnElement[Any]] = [spent.c.piece, spent.c.currency, spent.c.day, *names]
    # Outer joins: money whose name is missing is money still.
    source = spent.outerjoin(
        owners, (owners.c.tenant_id == tenant) & (owners.c.id == spent.c.payer_id)
    ).outerjoin(shown, shown.c.id == spent.c.route_id)
    return session.execute(
        select(*told, func.sum(spent.c.amount).label("amount")).select_from(source).group_by(*told)
    ).all()
