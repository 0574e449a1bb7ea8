"""What became of messages, dead letters first; and how one that is dead is sent again."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, Select, and_, case, func, or_, select, true, update
from sqlalchemy.orm import Session

from store import audit
from store.alerts.alert_states import stand_of
from store.channels.outbox import anew
from store.tables.alerting import channels
from store.tables.budgets import crossings, outbox

STATUSES: Final = ("dead", "pending", "sent", "dropped")
"""In the order that they are listed in."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message to one place. Times are UTC."""

    id: int
    kind: str
    """Of its notice: what was crossed, recovered, digest, …"""
    title: str
    channel_id: int | None
    channel: str | None
    """Its name; None: it goes to a webhook of its budget or of the settings."""
    alert_id: int | None
    status: str
    """One of STATUSES."""
    attempts: int
    last_error: str | None
    """Why it waits, is dead or was dropped."""
    written_at: datetime
    next_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which messages are asked for; None: no matter."""

    status: str | None = None
    channel_id: int | None = None
    alert_id: int | None = None
    teams_alone: Collection[str] = ()
    """Of alerts of budgets and rules that are, and were then, on some of these alone."""


def deliveries(
    session: Session,
    tenant: int,
    wanted: Wanted,
    *,
    now: datetime,
    at_most: int,
    before: tuple[int, int] | None = None,
) -> list[Delivery]:
    """Messages by their status, in the order of STATUSES, the newest of each first.

    ``before``: only those after this one: the place of its status in STATUSES, and its id.
    """
    place = _place()
    asked = _asked(tenant, wanted, now)
    if before is not None:
        status, number = before
        asked = asked.where(or_(place > status, and_(place == status, outbox.c.id < number)))
    rows = session.execute(asked.order_by(place, outbox.c.id.desc()).limit(at_most))
    return [_delivery(row) for row in rows]


def counts(session: Session, tenant: int, wanted: Wanted, now: datetime) -> dict[str, int]:
    """How many messages have each status."""
    found = _asked(tenant, wanted, now).subquery()
    rows = session.execute(select(found.c.status, func.count()).group_by(found.c.status))
    return {status: count for status, count in rows}  # noqa: C416  # rows, not pairs


def resend(session: Session, tenant: int, message_id: int, now: datetime) -> bool:
    """Has a dead message sent again, with as many attempts as a new one; False: it is not dead.

    However often it is asked for while it waits, it is sent once.
    """
    its = outbox.c.tenant_id == tenant, outbox.c.id == message_id, outbox.c.status == "dead"
    found = session.scalar(
        update(outbox)
        .where(*its)
        .values(status="pending", next_at=now, leased_to=None, last_error=None, body=anew())
        .returning(outbox.c.id)
    )
    if found is not None:
        audit.note(session, tenant, did="sent again", noun="message", noun_id=message_id)
    return found is not None


def _place() -> Any:
    order = {status: place for place, status in enumerate(STATUSES)}
    return case(order, value=outbox.c.status, else_=len(STATUSES))


def _asked(tenant: int, wanted: Wanted, now: datetime) -> Select[Any]:
    its_channel = and_(
        channels.c.tenant_id == outbox.c.tenant_id, channels.c.id == outbox.c.channel_id
    )
    body = outbox.c.body
    return (
        select(
            *(outbox.c[name] for name in _COLUMNS),
            body["kind"].astext.label("kind"),
            # Messages of before there were notices have no title.
            func.coalesce(body["title"].astext, body["text"].astext, "").label("title"),
            channels.c.name.label("channel"),
        )
        .select_from(outbox.outerjoin(channels, its_channel))
        .where(
            outbox.c.tenant_id == tenant,
            outbox.c.status == wanted.status if wanted.status is not None else true(),
            outbox.c.channel_id == wanted.channel_id if wanted.channel_id is not None else true(),
            outbox.c.crossing_id == wanted.alert_id if wanted.alert_id is not None else true(),
            _visible(tenant, wanted.teams_alone, now) if wanted.teams_alone else true(),
        )
    )


_COLUMNS: Final = (
    *("id", "channel_id", "crossing_id", "status", "attempts", "last_error", "created_at"),
    *("next_at", "sent_at"),
)


def _visible(tenant: int, teams: Collection[str], now: datetime) -> Any:
    """Whether a message is of an alert that whoever sees these teams alone may see."""
    stand, alone = stand_of(tenant, now), list(teams)
    seen = stand.rows.with_only_columns(crossings.c.id).where(
        stand.teams.contained_by(alone), stand.teams_then.contained_by(alone)
    )
    return outbox.c.crossing_id.in_(seen)


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        # Messages of before revision 0022 do not say: they were of what was spent.
        kind=row.kind or "actual",
        title=row.title,
        channel_id=row.channel_id,
        channel=row.channel,
        alert_id=row.crossing_id,
        status=row.status,
        attempts=row.attempts,
        last_error=row.last_error,
        written_at=row.created_at,
        next_at=row.next_at,
        sent_at=row.sent_at,
    )
