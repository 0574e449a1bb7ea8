"""Remembers silences, and settles what becomes of the messages of what is silent."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, and_, func, insert, or_, select, update
from sqlalchemy.orm import Session

from spend.channels.notices import RECOVERED, REMINDER
from spend.channels.silences import SNOOZE, Fate, Silence, SilenceTerms, Waiting, fate, waits_for
from store import audit
from store.tables.alerting import silences
from store.tables.budgets import crossings, outbox

GRACE: Final = timedelta(minutes=1)
"""A snoozed message is due only so long after the snooze. It is settled before, when the round
after the end begins; a round that began earlier has ended by then, and sends nothing unsettled."""


class NoSuchSilence(LookupError):  # noqa: N818  # an answer, not a failure
    """There is no silence of that id."""


def put(session: Session, tenant: int, said: SilenceTerms) -> Silence:
    """Begins a silence: what waits to be sent is settled by it at once."""
    row = session.execute(
        insert(silences).values(tenant_id=tenant, **asdict(said)).returning(silences)
    ).one()
    began = _silence(row)
    audit.note(session, tenant, did="began", noun="silence", noun_id=began.id, after=began)
    settle(session, tenant, began.starts, of=began)
    return began


def end(session: Session, tenant: int, silence_id: int, now: datetime) -> Silence:
    """Ends a silence early; of one that has ended nothing changes. Raises NoSuchSilence.

    What was snoozed and is still true is due at once. What was dropped stays so.
    """
    wanted = and_(silences.c.tenant_id == tenant, silences.c.id == silence_id)
    early = session.scalar(
        update(silences)
        .where(wanted, silences.c.ended_at.is_(None), silences.c.ends > now)
        # Never before it began, whatever the clocks of two replicas say.
        .values(ended_at=func.greatest(now, silences.c.starts))
        .returning(silences.c.id)
    )
    ended = one(session, tenant, silence_id)
    if early is not None:
        audit.note(session, tenant, did="ended", noun="silence", noun_id=silence_id, before=ended)
    settle(session, tenant, now, of=ended)
    return ended


def one(session: Session, tenant: int, silence_id: int) -> Silence:
    """A silence, in force or not. Raises NoSuchSilence."""
    row = session.execute(
        select(silences).where(silences.c.tenant_id == tenant, silences.c.id == silence_id)
    ).one_or_none()
    if row is None:
        raise NoSuchSilence(f"there is no silence {silence_id}")
    return _silence(row)


def in_force(session: Session, tenant: int, now: datetime) -> list[Silence]:
    """The silences that hold at a moment, the first to end first."""
    rows = session.execute(
        select(silences).where(silences.c.tenant_id == tenant, holding(now)).order_by(UNTIL)
    )
    return [_silence(row) for row in rows]


def latest(session: Session, tenant: int, *, at_most: int) -> list[Silence]:
    """Silences, past ones too, the newest first."""
    asked = select(silences).where(silences.c.tenant_id == tenant)
    rows = session.execute(asked.order_by(silences.c.id.desc()).limit(at_most))
    return [_silence(row) for row in rows]


UNTIL: Final = func.least(silences.c.ends, silences.c.ended_at)
"""When a row of silences ends, or ended: LEAST ignores NULL."""


def holding(now: datetime) -> ColumnElement[bool]:
    """Which rows of silences are in force at a moment."""
    return and_(silences.c.starts <= now, now < UNTIL)


def settle(
    session: Session,
    tenant: int,
    now: datetime,
    *,
    crossing_id: int | None = None,
    of: Silence | None = None,
) -> int:
    """Gives messages that wait what becomes of them (spend/channels/silences.py).

    Of one alert, or of what one silence is about, or of all; answers how many dropped. A
    message that somebody is sending just now is not touched.
    """
    wanted = _waiting(tenant, now)
    if crossing_id is not None:
        wanted = wanted.where(crossings.c.id == crossing_id)
    if of is not None:
        wanted = wanted.where(
            crossings.c.budget_id == of.budget_id
            if of.budget_id is not None
            else crossings.c.rule_id == of.rule_id
        )
    rows = session.execute(wanted).all()
    if not rows:
        return 0
    about = _of_subjects(session, tenant, rows)
    dropped: set[int] = set()
    for row in rows:
        there = about.get((row.budget_id, row.rule_id), ())
        message = Waiting(
            kind=row.kind or "",
            written_at=row.created_at,
            recovered_at=row.recovered_at,
            acknowledged_by=row.acknowledged_by,
            told=bool(set(row.earlier) - dropped),
            newer=row.newer,
        )
        found = fate(message, there, now)
        if found.dropped is not None:
            dropped.add(row.id)
        changes = _changes(row, found, there, now)
        if changes:
            its = and_(outbox.c.tenant_id == tenant, outbox.c.id == row.id)
            session.execute(update(outbox).where(its).values(changes))
    return len(dropped)


def _waiting(tenant: int, now: datetime) -> Select[Any]:
    """Messages that a silence, an acknowledgement or what happened meanwhile may concern."""
    kind = outbox.c.body["kind"].astext
    earlier, newer = _others(kind)
    its_alert = and_(
        crossings.c.tenant_id == outbox.c.tenant_id, crossings.c.id == outbox.c.crossing_id
    )
    return (
        select(
            outbox.c.id,
            kind.label("kind"),
            outbox.c.created_at,
            outbox.c.next_at,
            outbox.c.last_error,
            crossings.c.budget_id,
            crossings.c.rule_id,
            crossings.c.recovered_at,
            crossings.c.acknowledged_by,
            earlier.label("earlier"),
            newer.label("newer"),
        )
        .join_from(outbox, crossings, its_alert)
        .where(
            outbox.c.tenant_id == tenant,
            outbox.c.status == "pending",
            or_(outbox.c.leased_to.is_(None), outbox.c.leased_to <= now),
            or_(kind.in_((RECOVERED, REMINDER)), _was_silent(tenant)),
        )
        .order_by(outbox.c.id)
        .with_for_update(of=outbox, skip_locked=True)
    )


def _was_silent(tenant: int) -> ColumnElement[bool]:
    """Whether there was, or is, a silence since a message was written."""
    return (
        select(silences.c.id)
        .where(
            silences.c.tenant_id == tenant,
            is_about_crossing(),
            outbox.c.created_at < UNTIL,
        )
        .exists()
    )


def _others(kind: ColumnElement[str]) -> tuple[ColumnElement[Any], ColumnElement[bool]]:
    """Of a message: earlier ones that were not dropped; whether a newer one says the same there."""
    others = outbox.alias("others")
    of_this = and_(
        others.c.tenant_id == outbox.c.tenant_id, others.c.crossing_id == outbox.c.crossing_id
    )
    earlier = select(others.c.id).where(
        of_this, others.c.id < outbox.c.id, others.c.status != "dropped"
    )
    newer = select(others.c.id).where(
        of_this,
        others.c.id > outbox.c.id,
        others.c.status == "pending",
        others.c.channel_id.is_not_distinct_from(outbox.c.channel_id),
        others.c.body["kind"].astext == kind,
    )
    return func.array(earlier.scalar_subquery()), newer.exists()


def is_about_crossing() -> ColumnElement[bool]:
    """Which rows of silences are about a crossing's budget or rule."""
    return or_(
        silences.c.budget_id == crossings.c.budget_id, silences.c.rule_id == crossings.c.rule_id
    )


def _of_subjects(
    session: Session, tenant: int, rows: Iterable[Row[Any]]
) -> Mapping[tuple[int | None, int | None], tuple[Silence, ...]]:
    """Silences by what they are about, of those budgets and rules that messages are of."""
    budget_ids = {row.budget_id for row in rows} - {None}
    rule_ids = {row.rule_id for row in rows} - {None}
    found = session.execute(
        select(silences)
        .where(
            silences.c.tenant_id == tenant,
            or_(silences.c.budget_id.in_(budget_ids), silences.c.rule_id.in_(rule_ids)),
            min(row.created_at for row in rows) < UNTIL,
        )
        .order_by(silences.c.budget_id, silences.c.rule_id, silences.c.id)
    )
    by_subject = groupby(map(_silence, found), key=lambda each: (each.budget_id, each.rule_id))
    return {subject: tuple(each) for subject, each in by_subject}


def _changes(row: Row[Any], found: Fate, there: Iterable[Silence], now: datetime) -> dict[str, Any]:
    """What of a message is to be written."""
    if found.dropped is not None:
        return {"status": "dropped", "last_error": found.dropped, "leased_to": None}
    if found.until is not None:
        next_at = max(row.next_at, found.until + GRACE)
        changed = (next_at, found.why) != (row.next_at, row.last_error)
        return {"next_at": next_at, "last_error": found.why} if changed else {}
    snoozes = [each for each in there if each.kind == SNOOZE]
    if row.last_error not in {waits_for(each) for each in snoozes}:
        return {}
    # Quiet hours may have it wait for longer.
    held = row.next_at in {each.ends + GRACE for each in snoozes}
    return {"next_at": now if held else row.next_at, "last_error": None}


def _silence(row: Row[Any]) -> Silence:
    return Silence(
        id=row.id,
        kind=row.kind,
        budget_id=row.budget_id,
        rule_id=row.rule_id,
        starts=row.starts,
        ends=row.ends,
        by=row.by,
        reason=row.reason,
        ended_at=row.ended_at,
    )
