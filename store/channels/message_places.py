"""Where the outbox's messages go, and which of these places rest or are being sent to.

A place has a key: 'channel:3', 'budget:7' (its own webhook), 'own:…' (a message's own), or DEFAULT.
What is set several times is one place, and has as many.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, FromClause, case, func, select, update
from sqlalchemy.orm import Session

from store.budgets.budget_rows import has_begun
from store.tables.alerting import channels
from store.tables.budgets import budgets, crossings, outbox

ASKED_TO_WAIT: Final = "answered 429"
"""What ``last_error`` begins with where the place itself asked for a rest."""
DEFAULT: Final = "default"
"""The key of where everything goes that goes nowhere else."""

_CHANNEL: Final = "channel:"


def channel_key(channel_id: int) -> str:
    """The key of a channel."""
    return f"{_CHANNEL}{channel_id}"


def rest(session: Session, tenant: int, keys: Collection[str], until: datetime) -> None:
    """Lets a place rest: none of its messages is due before ``until``."""
    ids = [int(key.removeprefix(_CHANNEL)) for key in keys if key.startswith(_CHANNEL)]
    session.execute(
        update(channels)
        .where(
            channels.c.tenant_id == tenant,
            channels.c.id.in_(ids),
            channels.c.rests_until.is_(None) | (channels.c.rests_until < until),
        )
        .values(rests_until=until)
    )
    others = [key for key in keys if not key.startswith(_CHANNEL)]
    waiting = (
        select(outbox.c.id)
        .select_from(with_crossing())
        .where(
            outbox.c.tenant_id == tenant,
            outbox.c.status == "pending",
            outbox.c.next_at < until,
            place_key().in_(others),
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


def taken_or_resting(session: Session, tenant: int, keys: Collection[str], now: datetime) -> bool:
    """Whether somebody sends to a place just now, or it asked to be left alone until later."""
    ids = [int(key.removeprefix(_CHANNEL)) for key in keys if key.startswith(_CHANNEL)]
    resting = select(channels.c.id).where(
        channels.c.tenant_id == tenant, channels.c.id.in_(ids), channels.c.rests_until > now
    )
    asked = outbox.c.last_error.startswith(ASKED_TO_WAIT) & (outbox.c.next_at > now)
    held = (
        select(outbox.c.id)
        .select_from(with_crossing())
        .where(
            outbox.c.tenant_id == tenant,
            outbox.c.status == "pending",
            place_key().in_(keys),
            (outbox.c.leased_to > now) | (asked & outbox.c.channel_id.is_(None)),
        )
    )
    return bool(session.scalar(select(resting.exists() | held.exists())))


def place_key() -> ColumnElement[str]:
    """Where a message goes, as a key: its channel, its own webhook, its budget's, the default.

    Looked up when it is sent, so that a webhook that is set or mended later is used.
    """
    return case(
        (
            outbox.c.channel_id.is_not(None),
            func.concat(_CHANNEL, outbox.c.channel_id),
        ),
        (outbox.c.destination.is_not(None), func.concat("own:", func.md5(outbox.c.destination))),
        (latest_webhook().is_not(None), func.concat("budget:", crossings.c.budget_id)),
        else_=DEFAULT,
    )


def latest_webhook() -> ColumnElement[str | None]:
    """The webhook, as it is kept, that a message's budget has when the message is due."""
    return (
        select(budgets.c.webhook_url)
        .where(
            budgets.c.tenant_id == crossings.c.tenant_id,
            budgets.c.id == crossings.c.budget_id,
            has_begun(outbox.c.next_at),
        )
        .order_by(budgets.c.version.desc())
        .limit(1)
        .correlate(crossings, outbox)
        .scalar_subquery()
    )


def with_crossing() -> FromClause:
    """Messages, each with the crossing that it tells of: what ``place_key`` is read from."""
    same = (crossings.c.tenant_id == outbox.c.tenant_id) & (crossings.c.id == outbox.c.crossing_id)
    return outbox.outerjoin(crossings, same)
