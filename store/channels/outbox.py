"""Messages that wait to be sent. They are claimed with a lease, sent, and marked.

One sender at a time claims messages of one place, so that what a place asks for (a rest, so many a
second) is kept by all. A sender that dies between sending and marking leaves its lease to run out:
then nobody knows whether the message arrived, and the next claim says so. Each claim counts an
attempt, and a mark only holds for the attempt it belongs to: a sender that was slower than its
lease cannot undo what another did.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Row,
    func,
    literal,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from spend.channels.notices import DIGESTS
from store.channels.message_places import latest_webhook, place_key, taken_or_resting, with_crossing
from store.tables.budgets import outbox

NO_DESTINATION: Final = "no channel takes it, and no Slack webhook is set"

_NOTES: Final = "sending"
"""In a message's body: what its senders know of it."""


@dataclass(frozen=True, slots=True)
class Due:
    """A place that messages are due for."""

    key: str
    """As ``store.channels.message_places`` has it."""
    channel_id: int | None
    webhook: str | None
    """Of 'budget:' and 'own:', as it is kept: sealed, or not."""
    attempts: int
    """Of the message that was tried least."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that is ours to send until its lease runs out."""

    id: int
    attempts: int
    """This one included: no other claim of it has this number."""
    tries: int
    """Likewise, since it was written, or was dead and is sent again."""
    body: Mapping[str, Any]
    written_at: datetime
    unsure: bool
    """It was tried before, and nobody knows whether it arrived."""
    left: tuple[str, ...]
    """Of a mail: who is still to get it; none: all."""


def due(session: Session, tenant: int, now: datetime) -> list[Due]:
    """The places that messages are due for."""
    each = (
        select(
            outbox.c.id,
            outbox.c.attempts,
            outbox.c.channel_id,
            place_key().label("key"),
            func.coalesce(outbox.c.destination, latest_webhook()).label("webhook"),
        )
        .select_from(with_crossing())
        .where(*_is_due(tenant, now))
        .subquery()
    )
    rows = session.execute(
        select(
            each.c.key,
            each.c.channel_id,
            func.min(each.c.webhook),
            func.min(each.c.attempts),
        )
        .group_by(each.c.key, each.c.channel_id)
        .order_by(func.min(each.c.id))
    )
    return [Due(*row) for row in rows]


def claim(
    session: Session,
    tenant: int,
    keys: Collection[str],
    name: str,
    *,
    now: datetime,
    lease: timedelta,
    singly: int,
    at_most: int,
) -> list[Claim]:
    """Takes what is due for a place, which is called by ``keys``: its oldest message.

    Where more than ``singly`` are due, up to ``at_most`` of them, to be sent as one. None while
    another sender has messages of the place, or while it rests: whoever has them goes on with the
    others. ``name`` is the same for all senders, and of no other place.
    """
    claim_alone(session, tenant, name)
    if taken_or_resting(session, tenant, keys, now):
        return []
    found = session.execute(
        select(outbox.c.id, outbox.c.body, outbox.c.leased_to.label("leased"))
        .select_from(with_crossing())
        .where(*_is_due(tenant, now), place_key().in_(keys))
        .order_by(outbox.c.id)
        .limit(at_most)
        .with_for_update(of=outbox, skip_locked=True)
    ).all()
    chosen = _at_once(found, singly)
    if not chosen:
        return []
    unsure = _is_unsure(chosen[0])
    notes: dict[str, object] = {"unsure": True} if unsure else {}
    if len(chosen) > 1:
        notes["together"] = chosen[0].id
    rows = session.execute(
        update(outbox)
        .where(outbox.c.tenant_id == tenant, outbox.c.id.in_([row.id for row in chosen]))
        .values(
            attempts=outbox.c.attempts + 1,
            leased_to=now + lease,
            body=_noted(notes) if notes else outbox.c.body,
        )
        .returning(outbox.c.id, outbox.c.attempts, outbox.c.body, outbox.c.created_at)
    )
    claimed = [
        Claim(
            id=row.id,
            attempts=row.attempts,
            tries=row.attempts - _notes(row.body).get("before", 0),
            body=without_notes(row.body),
            written_at=row.created_at,
            unsure=unsure,
            left=tuple(_notes(row.body).get("left", ())),
        )
        for row in rows
    ]
    return sorted(claimed, key=lambda each: each.id)


def claim_alone(session: Session, tenant: int, name: str) -> None:
    """Waits until nobody else claims messages of a place, to the end of the transaction.

    Waits, and does not turn away: of two who come at once the first may find that the second, who
    came a moment before, had nothing to claim yet, and then nobody would go on.
    """
    place = func.hashtext("spanledger place"), func.hashtext(f"{tenant} {name}")
    session.execute(select(func.pg_advisory_xact_lock(*place)))


def _at_once(
    found: Sequence[Row[*tuple[Any, ...]]], singly: int
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Which of what is due is sent together: the first alone, or, of many, all that are a line.

    What may have arrived goes as it went before, alone or with the same others: so that a receiver
    can tell that it had it.
    """
    if found and _is_unsure(found[0]):
        with_it = _notes(found[0].body).get("together")
        same = [row for row in found if _notes(row.body).get("together") == with_it]
        return found[:1] if with_it is None else [row for row in same if _is_unsure(row)]
    if len(found) <= singly or _is_page(found[0]):
        return found[:1]
    return [row for row in found if not (_is_page(row) or _is_unsure(row))]


def _is_page(row: Row[*tuple[Any, ...]]) -> bool:
    return row.body.get("kind") in DIGESTS


def _is_unsure(row: Row[*tuple[Any, ...]]) -> bool:
    """Whether a message was tried, and nobody knows whether it arrived."""
    return row.leased is not None or bool(_notes(row.body).get("unsure"))


def mark_sent(
    session: Session, tenant: int, sent: Sequence[Claim], now: datetime, note: str | None = None
) -> int:
    """Ends messages well; answers of how many: the lease of others had run out.

    ``note``: whom of its recipients it did not reach.
    """
    return _mark(session, tenant, sent, {"status": "sent", "sent_at": now, "last_error": note})


def mark_failed(
    session: Session,
    tenant: int,
    failed: Sequence[Claim],
    error: str,
    next_at: datetime,
    *,
    unsure: bool = False,
    left: Sequence[str] = (),
) -> int:
    """Has messages tried again at ``next_at``; answers as above.

    ``unsure``: nobody knows whether they arrived. ``left``: who is still to get them.
    """
    notes = {
        **({"unsure": True} if unsure or any(each.unsure for each in failed) else {}),
        **({"left": list(left)} if left else {}),
    }
    values: dict[str, object] = {"next_at": next_at, "last_error": error}
    if notes:
        values["body"] = _noted(notes)
    return _mark(session, tenant, failed, values)


def mark_dead(session: Session, tenant: int, dead: Sequence[Claim], error: str) -> int:
    """Ends messages that can never be sent; answers as above."""
    return _mark(session, tenant, dead, {"status": "dead", "last_error": error})


def say_why_waiting(
    session: Session, tenant: int, keys: Collection[str], why: str, now: datetime
) -> int:
    """Writes to messages that cannot be sent anywhere what they wait for; answers how many do."""
    lost = (
        select(outbox.c.id, outbox.c.last_error)
        .select_from(with_crossing())
        .where(*_is_due(tenant, now), place_key().in_(keys))
        .order_by(outbox.c.id)
        .with_for_update(of=outbox, skip_locked=True)
    )
    waiting = session.execute(lost).all()
    untold = [row.id for row in waiting if row.last_error != why]
    if untold:
        session.execute(
            update(outbox)
            .where(outbox.c.tenant_id == tenant, outbox.c.id.in_(untold))
            .values(last_error=why)
        )
    return len(waiting)


def _mark(
    session: Session, tenant: int, claimed: Sequence[Claim], values: Mapping[str, object]
) -> int:
    marked = session.scalars(
        update(outbox)
        .where(
            outbox.c.tenant_id == tenant,
            tuple_(outbox.c.id, outbox.c.attempts).in_(
                [(each.id, each.attempts) for each in claimed]
            ),
            outbox.c.status == "pending",
        )
        .values(leased_to=None, **values)
        .returning(outbox.c.id)
    )
    return len(marked.all())


def anew() -> ColumnElement[Any]:
    """The body of a message that is dead and is to be sent again.

    Its attempts go on being counted, so that no sender of before can mark it; of them it forgets.
    """
    there = func.coalesce(outbox.c.body[_NOTES], literal({}, JSONB))
    before = func.jsonb_build_object("before", outbox.c.attempts)
    return outbox.c.body.op("||")(func.jsonb_build_object(_NOTES, there.op("||")(before)))


def _is_due(tenant: int, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        outbox.c.tenant_id == tenant,
        outbox.c.status == "pending",
        outbox.c.next_at <= now,
        outbox.c.leased_to.is_(None) | (outbox.c.leased_to <= now),
    )


def without_notes(body: Mapping[str, Any]) -> dict[str, Any]:
    """A message's body without what its senders wrote to it."""
    return {name: value for name, value in body.items() if name != _NOTES}


def _notes(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """What senders wrote to a message for those after them."""
    notes: Mapping[str, Any] = body.get(_NOTES) or {}
    return notes


def _noted(notes: Mapping[str, Any]) -> ColumnElement[Any]:
    """A message's body with notes added to those that it has."""
    there = func.coalesce(outbox.c.body[_NOTES], literal({}, JSONB))
    return outbox.c.body.op("||")(
        func.jsonb_build_object(_NOTES, there.op("||")(literal(notes, JSONB)))
    )
