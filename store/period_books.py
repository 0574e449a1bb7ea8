"""Collects what an export of a period says beside its charges."""

from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from spend.fiscal import FiscalPeriod
from spend.period_books import BilledKinds, PeriodBooks
from store import bills, commitments, pools
from store.tables.bills import bill_lines
from store.tables.months import month_acts, months
from store.tables.ownership import splits

_CLOSED: Final = "closed"
_CLOSE: Final = "close"


def period_books(
    session: Session, tenant: int, period: FiscalPeriod, *, now: datetime
) -> PeriodBooks:
    """All of it as it is known at ``now`` (UTC)."""
    named = select(splits.c.id, splits.c.name).where(splits.c.tenant_id == tenant)
    return PeriodBooks(
        period=period,
        account=f"ledger-{tenant}",
        known_at=now,
        closed_at=_closed_at(session, tenant, period),
        pools={each.id: each for each in pools.all_pools(session, tenant)},
        commitments={each.id: each for each in commitments.all_commitments(session, tenant)},
        splits={row[0]: row[1] for row in session.execute(named)},
        bills=_billed(session, tenant, period),
    )


def _closed_at(session: Session, tenant: int, period: FiscalPeriod) -> datetime | None:
    asked = (
        select(func.max(month_acts.c.at))
        .join(months, months.c.name == month_acts.c.month)
        .where(
            months.c.tenant_id == tenant,
            month_acts.c.tenant_id == tenant,
            months.c.starts == period.start,
            months.c.ends == period.end,
            months.c.state == _CLOSED,
            month_acts.c.act == _CLOSE,
        )
    )
    found: datetime | None = session.scalar(asked)
    return found


def _billed(session: Session, tenant: int, period: FiscalPeriod) -> list[BilledKinds]:
    held = bills.held(session, tenant, period.period)
    amounts = _by_kind(session, tenant, [each.id for each in held])
    return [BilledKinds(each, amounts.get(each.id, {})) for each in held]


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
