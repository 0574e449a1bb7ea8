"""Messages that wait to be sent. They are claimed with a lease, sent, and marked.

A sender that dies between sending and marking leaves its lease to run out: the message is sent
again, with the same alert id in it. Each claim counts an attempt, and a mark only holds for the
attempt it belongs to: a sender that was slower than its lease cannot undo what another did.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, func, select, update
from sqlalchemy.orm import Session

from store.tables.budgets import budgets, crossings, outbox

NO_DESTINATION: Final = "no Slack webhook is set"


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that is ours to send until its lease runs out."""

    tenant_id: int
    id: int
    attempts: int
    """This one included."""
    body: Mapping[str, Any]
    destination: str
    """A secret."""


def claim(
    session: Session, tenant: int, now: datetime, lease: timedelta, default: str | None
) -> Claim | None:
    """Takes the oldest message that is due; None when there is none.

    ``default`` is where a message goes whose budget names no webhook.
    """
    where = _destination(default)
    due = (
        select(outbox.c.tenant_id, outbox.c.id, where.label("destination"))
        .select_from(_with_crossing())
        .where(
            outbox.c.tenant_id == tenant,
            outbox.c.status == "pending",
            outbox.c.next_at <= now,
            outbox.c.leased_to.is_(None) | (outbox.c.leased_to <= now),
            where.is_not(None),
        )
        .order_by(outbox.c.id)
        .limit(1)
        .with_for_update(of=outbox, skip_locked=True)
        .cte("due")
    )
    row = session.execute(
        update(outbox)
        .where(outbox.c.tenant_id == due.c.tenant_id, outbox.c.id == due.c.id)
        .values(attempts=outbox.c.attempts + 1, leased_to=now + lease)
        .returning(outbox.c.id, outbox.c.attempts, outbox.c.body, due.c.destination)
    ).one_or_none()
    return None if row is None else Claim(tenant, row.id, row.attempts, row.body, row.destination)


def mark_sent(session: Session, sent: Claim, now: datetime) -> bool:
    """Ends a message well; False when the lease had run out and another has it."""
    return _mark(session, sent, {"status": "sent", "sent_at": now, "last_error": None})


def mark_failed(session: Session, failed: Claim, error: str, next_at: datetime) -> bool:
    """Has a message tried again at ``next_at``; False as above."""
    return _mark(session, failed, {"next_at": next_at, "last_error": error})


def mark_dead(session: Session, dead: Claim, error: str) -> bool:
    """Ends a message that can never be sent; False as above."""
    return _mark(session, dead, {"status": "dead", "last_error": error})


def postpone(
    session: Session, tenant: int, destination: str, until: datetime, default: str | None
) -> None:
    """Lets a destination rest: none of its messages is due before ``until``."""
    waiting = (
        select(outbox.c.id)
        .select_from(_with_crossing())
        .where(
            outbox.c.tenant_id == tenant,
            outbox.c.status == "pending",
            outbox.c.next_at < until,
            _destination(default) == destination,
        )
        .order_by(outbox.c.id)
        .with_for_update(of=outbox, skip_locked=True)
        .cte("waiting")
    )
    session.execute(
        update(outbox)
        .where(outbox.c.tenant_id == tenant, outbox.c.id == waiting.c.id)
        .values(next_at=until)
    )


def say_why_waiting(session: Session, tenant: int, default: str | None) -> int:
    """Writes to messages without a destination that they wait for one; answers how many do."""
    lost = (
        select(outbox.c.id, outbox.c.last_error)
        .select_from(_with_crossing())
        .where(
            outbox.c.tenant_id == tenant,
            outbox.c.status == "pending",
            _destination(default).is_(None),
        )
        .order_by(outbox.c.id)
        .with_for_update(of=outbox, skip_locked=True)
    )
    waiting = session.execute(lost).all()
    untold = [row.id for row in waiting if row.last_error != NO_DESTINATION]
    if untold:
        session.execute(
            update(outbox)
            .where(outbox.c.tenant_id == tenant, outbox.c.id.in_(untold))
            .values(last_error=NO_DESTINATION)
        )
    return len(waiting)


def _mark(session: Session, claimed: Claim, values: Mapping[str, object]) -> bool:
    marked = session.scalar(
        update(outbox)
        .where(
            outbox.c.tenant_id == claimed.tenant_id,
            outbox.c.id == claimed.id,
            outbox.c.attempts == claimed.attempts,
            outbox.c.status == "pending",
        )
        .values(leased_to=None, **values)
        .returning(outbox.c.id)
    )
    return marked is not None


def _with_crossing() -> FromClause:
    same = (crossings.c.tenant_id == outbox.c.tenant_id) & (crossings.c.id == outbox.c.crossing_id)
    return outbox.outerjoin(crossings, same)


def _destination(default: str | None) -> ColumnElement[str | None]:
    """Where a message goes: its own, else its budget's latest webhook, else the default.

    Looked up when it is sent, so that a webhook that is set or mended later is used.
    """
    latest = (
        select(budgets.c.webhook_url)
        .where(budgets.c.tenant_id == crossings.c.tenant_id, budgets.c.id == crossings.c.budget_id)
        .order_by(budgets.c.version.desc())
        .limit(1)
        .correlate(crossings)
        .scalar_subquery()
    )
    return func.coalesce(outbox.c.destination, latest, default)
