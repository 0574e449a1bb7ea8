"""What was warned of, newest first, and what became of each message."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from spend.fiscal import FiscalYear
from store.budget_rows import fiscal_year
from store.tables.budgets import budgets, crossings, outbox


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message on its way. Times are UTC."""

    status: str
    """pending, sent or dead."""
    attempts: int
    last_error: str | None
    next_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Alert:
    """A threshold of a budget that was reached, with its message. Times are UTC."""

    id: int
    budget_id: int
    version: int
    name: str
    """The budget's latest name."""
    currency: str
    period: str
    timezone: str
    fiscal: FiscalYear
    period_start: datetime
    threshold: int
    """Percent."""
    crossed_at: datetime
    spent: Decimal
    """When it was crossed."""
    amount: Decimal
    delivery: Delivery | None


def alerts(
    session: Session,
    tenant: int,
    *,
    at_most: int,
    before: int | None = None,
    status: str | None = None,
    budget_ids: Collection[int] | None = None,
) -> list[Alert]:
    """Alerts with an id less than ``before``, newest first; of one delivery status, of budgets."""
    own_version = (
        (budgets.c.tenant_id == crossings.c.tenant_id)
        & (budgets.c.id == crossings.c.budget_id)
        & (budgets.c.version == crossings.c.version)
    )
    its_message = (outbox.c.tenant_id == crossings.c.tenant_id) & (
        outbox.c.crossing_id == crossings.c.id
    )
    latest = budgets.alias("latest")
    name = (
        select(latest.c.name)
        .where(latest.c.tenant_id == crossings.c.tenant_id, latest.c.id == crossings.c.budget_id)
        .order_by(latest.c.version.desc())
        .limit(1)
        .correlate(crossings)
        .scalar_subquery()
    )
    asked = select(
        crossings,
        name.label("name"),
        budgets.c.currency,
        budgets.c.period,
        budgets.c.timezone,
        budgets.c.fiscal,
        outbox.c.status,
        outbox.c.attempts,
        outbox.c.last_error,
        outbox.c.next_at,
        outbox.c.sent_at,
    ).select_from(crossings.join(budgets, own_version).outerjoin(outbox, its_message))
    asked = asked.where(crossings.c.tenant_id == tenant)
    if before is not None:
        asked = asked.where(crossings.c.id < before)
    if status is not None:
        asked = asked.where(outbox.c.status == status)
    if budget_ids is not None:
        asked = asked.where(crossings.c.budget_id.in_(budget_ids))
    rows = session.execute(asked.order_by(crossings.c.id.desc()).limit(at_most))
    return [_alert(row) for row in rows]


def _alert(row: Row[Any]) -> Alert:
    delivery = None
    if row.status is not None:
        delivery = Delivery(row.status, row.attempts, row.last_error, row.next_at, row.sent_at)
    return Alert(
        id=row.id,
        budget_id=row.budget_id,
        version=row.version,
        name=row.name,
        currency=row.currency,
        period=row.period,
        timezone=row.timezone,
        fiscal=fiscal_year(row.fiscal),
        period_start=row.period_start,
        threshold=row.threshold,
        crossed_at=row.crossed_at,
        spent=row.spent,
        amount=row.amount,
        delivery=delivery,
    )
