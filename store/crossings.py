"""What budgets are compared with, and the thresholds that were reached."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Date, case, cast, func, null, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from spend.budgets import Budget, Spend, Spending
from spend.calls import Owner, Route
from spend.exchange import DAILY
from spend.money import ATOM_DIGITS, ROUNDING
from spend.owners import UNALLOCATED
from spend.periods import Period
from store.booked_time import day_of
from store.conversion import Conversion
from store.tables.budgets import crossings
from store.tables.heard import owners, routes
from store.tables.ledger import charges

_UTC: Final = ZoneInfo("UTC")
_ATOM: Final = Decimal(1).scaleb(-ATOM_DIGITS)
_OWNER = ("team", "project", "service", "environment", "feature", "customer", "rule")
_ROUTE = (
    "provider",
    "model",
    "request_model",
    "operation",
    "deployment",
    "region",
    "server",
    "service_tier",
)


@dataclass(frozen=True, slots=True)
class Crossing:
    """A threshold (percent) of a budget's version that was reached in the period that starts so."""

    budget_id: int
    version: int
    """The version that it was armed by (``Budget.armed``)."""
    period_start: datetime
    threshold: int


def spending_in(
    session: Session, tenant: int, period: Period, currencies: Collection[str], *, now: datetime
) -> Spending:
    """A period's spend, for budgets in ``currencies``: what is in others counts at daily rates."""
    rows = _spend_in(session, tenant, period, currencies)
    spent_in = {row.currency for row in rows}
    exchanges = {
        to: Conversion(to=to, policy=DAILY, zone=_UTC, now=now).exchange(
            session, tenant, period, spent_in
        )
        for to in sorted(set(currencies))
    }
    return Spending(rows, lambda currency, to, day: exchanges[to].rate(currency, day))


def _spend_in(
    session: Session, tenant: int, period: Period, currencies: Collection[str]
) -> list[Spend]:
    """What each owner spent on each route: one query, however many budgets ask."""
    # The day matters only where a budget may be in another currency.
    one = next(iter(currencies)) if len(set(currencies)) == 1 else None
    never = cast(null(), Date)
    of_use = day_of(charges.c.slot)
    day = of_use if one is None else case((charges.c.currency != one, of_use), else_=never)
    spent = (
        select(
            charges.c.payer_id,
            charges.c.route_id,
            charges.c.currency,
            day.label("day"),
            func.sum(charges.c.amount).label("amount"),
        )
        .where(
            charges.c.tenant_id == tenant,
            charges.c.slot >= period.start,
            charges.c.slot < period.end,
        )
        .group_by(charges.c.payer_id, charges.c.route_id, charges.c.currency, day)
        .subquery()
    )
    owned = (owners.c.tenant_id == tenant) & (owners.c.id == spent.c.payer_id)
    routed = (routes.c.tenant_id == tenant) & (routes.c.id == spent.c.route_id)
    # Outer joins: money whose name is missing still counts towards a budget on everything.
    rows = session.execute(
        select(
            spent.c.currency,
            spent.c.day,
            spent.c.amount,
            func.coalesce(owners.c.team, UNALLOCATED).label("team"),
            *(owners.c[name] for name in _OWNER[1:-1]),
            func.coalesce(owners.c.rule, "").label("rule"),
            *(routes.c[name] for name in _ROUTE),
        ).select_from(spent.outerjoin(owners, owned).outerjoin(routes, routed))
    ).mappings()
    return [
        Spend(
            owner=Owner(**{name: row[name] for name in _OWNER}),
            route=Route(**{name: row[name] for name in _ROUTE}),
            currency=row["currency"],
            amount=row["amount"],
            day=row["day"],
        )
        for row in rows
    ]


def recorded(
    session: Session, tenant: int, budget_ids: Iterable[int], since: datetime
) -> dict[Crossing, datetime]:
    """Crossings in periods that start at or after ``since``, and when each was found (UTC)."""
    rows = session.execute(
        select(
            crossings.c.budget_id,
            crossings.c.version,
            crossings.c.period_start,
            crossings.c.threshold,
            crossings.c.crossed_at,
        ).where(
            crossings.c.tenant_id == tenant,
            crossings.c.budget_id.in_(list(budget_ids)),
            crossings.c.period_start >= since,
        )
    )
    return {
        Crossing(row.budget_id, row.version, row.period_start, row.threshold): row.crossed_at
        for row in rows
    }


def record(
    session: Session, tenant: int, crossing: Crossing, budget: Budget, spent: Decimal, now: datetime
) -> int | None:
    """Writes a crossing; answers its id, or None when somebody else already has."""
    alert_id: int | None = session.scalar(
        insert(crossings)
        .values(
            tenant_id=tenant,
            budget_id=crossing.budget_id,
            version=crossing.version,
            period_start=crossing.period_start,
            threshold=crossing.threshold,
            crossed_at=now,
            # What was converted may be finer than the ledger.
            spent=spent.quantize(_ATOM, context=ROUNDING),
            amount=budget.terms.amount,
        )
        .on_conflict_do_nothing()
        .returning(crossings.c.id)
    )
    return alert_id
