"""Collects what an export of a period says beside its charges."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import groupby

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from spend.fiscal import FiscalPeriod
from spend.months.months import CLOSE, CLOSED
from spend.months.period_books import BilledKinds, PeriodBooks
from spend.ownership.ownership import LAST
from store.bills.bills import one
from store.capacity import pools
from store.commitments import commitments
from store.tables.bills import bill_lines, bills
from store.tables.months import month_acts, months
from store.tables.ownership import splits


def period_books(
    session: Session,
    tenant: int,
    period: FiscalPeriod,
    *,
    now: datetime,
    as_known_at: datetime | None = None,
) -> PeriodBooks:
    """All of it as it is known at ``now``, or as it was at a moment before (UTC)."""
    # Whatever there is counts as known now, also what a clock that is ahead has written.
    moment = as_known_at or LAST
    named = select(splits.c.id, splits.c.name).where(splits.c.tenant_id == tenant)
    every = commitments.all_commitments(session, tenant)
    return PeriodBooks(
        period=period,
        account=f"ledger-{tenant}",
        known_at=as_known_at or now,
        closed_at=_closed_at(session, tenant, period, moment),
        pools={each.id: each for each in pools.all_pools(session, tenant)},
        commitments={
            each.id: replace(each, known_to=_until(each.known_to, moment))
            for each in every
            if each.known_from is None or each.known_from <= moment
        },
        splits={row[0]: row[1] for row in session.execute(named)},
        bills=_billed(session, tenant, period, moment),
    )


def _until(known_to: datetime | None, moment: datetime) -> datetime | None:
    """The end of what was known, where it had come by a moment."""
    return known_to if known_to is not None and known_to <= moment else None


def _closed_at(
    session: Session, tenant: int, period: FiscalPeriod, moment: datetime
) -> datetime | None:
    asked = (
        select(func.max(month_acts.c.at))
        .join(months, months.c.name == month_acts.c.month)
        .where(
            months.c.tenant_id == tenant,
            month_acts.c.tenant_id == tenant,
            months.c.starts == period.start,
            months.c.ends == period.end,
            months.c.state == CLOSED,
            month_acts.c.act == CLOSE,
            month_acts.c.at <= moment,
        )
    )
    found: datetime | None = session.scalar(asked)
    return found


def _billed(
    session: Session, tenant: int, period: FiscalPeriod, moment: datetime
) -> list[BilledKinds]:
    asked = select(bills.c.id).where(
        bills.c.tenant_id == tenant,
        bills.c.starts < period.end,
        bills.c.ends > period.start,
        bills.c.imported_at <= moment,
        or_(bills.c.superseded_at.is_(None), bills.c.superseded_at > moment),
    )
    ids = list(session.scalars(asked.order_by(bills.c.id)))
    amounts = _by_kind(session, tenant, ids)
    held = (one(session, tenant, id_) for id_ in ids)
    return [BilledKinds(each, amounts.get(each.id, {})) for each in held if each is not None]


def _by_kind(session: Session, tenant: int, ids: list[int]) -> dict[int, dict[str, Decimal]]:
    lines = bill_lines.c
    found = session.execute(
        select(lines.bill_id, lines.kind, func.sum(lines.amount))
        .where(lines.tenant_id == tenant, lines.bill_id.in_(ids))
        .group_by(lines.bill_id, lines.kind)
        .order_by(lines.bill_id, lines.kind)
    )
    return {
        bill_id: {row[1]: row[2] for row in rows}
        for bill_id, rows in groupby(found, key=lambda row: row[0])
    }
