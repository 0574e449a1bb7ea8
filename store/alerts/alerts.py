"""Alerts: what was crossed, of budgets and of alert rules, how it stands, and its messages."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Row, Select, and_, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from spend.budgets.budget_periods import period_at, period_name
from spend.budgets.budgets import reached
from spend.periods import Period
from spend.zones import zone_named
from store import audit
from store.alerts.alert_states import RECOVERED, Stand, stand_of
from store.budgets.budget_rows import fiscal_year, own_period
from store.channels import silences
from store.tables.alerting import channels
from store.tables.budgets import crossings, outbox

_NOTE: Final = "acknowledged_note"
"""In a crossing's detail: what was said when it was acknowledged."""


class NoSuchAlert(LookupError):  # noqa: N818  # an answer, not a failure
    """There is no alert of that id."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message of an alert, to one channel. Times are UTC."""

    kind: str
    """Of its notice: what was crossed, or recovered, reminder, …"""
    channel_id: int | None
    channel: str
    """Its name; of none, where it goes instead."""
    status: str
    """pending, sent, dead or dropped."""
    attempts: int
    last_error: str | None
    """Why it waits, was not sent, or was dropped."""
    next_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class OfBudget:
    """What an alert of a budget is about."""

    currency: str
    period: Period
    period_name: str
    threshold: int
    """Percent."""
    spent: Decimal
    """When it was crossed; of the kind ``forecast`` what was expected."""
    amount: Decimal
    """The limit then."""


@dataclass(frozen=True, slots=True)
class Alert:
    """A bound of a budget or of an alert rule that was passed, with its messages. Times are UTC."""

    id: int
    budget_id: int | None
    rule_id: int | None
    name: str
    """The budget's or rule's, as it is called now."""
    version: int
    kind: str
    """Of a budget: actual, forecast or pace; of a rule: its kind."""
    subject: str
    """Which of what a rule looks at; '': all of it."""
    level: str
    """warning or over."""
    state: str
    """One of ``store.alerts.alert_states.STATES``."""
    silent_until: datetime | None
    """Where it is snoozed or muted: the end of that."""
    began: datetime
    """Of a budget its period's start, of a rule the start of what was measured."""
    crossed_at: datetime
    as_of: datetime | None
    recovered_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    acknowledged_note: str | None
    reminded_at: datetime | None
    of_budget: OfBudget | None
    """None: it is of a rule."""
    detail: Mapping[str, Any]
    """Of a rule: what was measured, as JSON."""
    messages: tuple[Message, ...]
    """The oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which alerts are asked for; None: no matter."""

    state: str | None = None
    states: Collection[str] | None = None
    kind: str | None = None
    team: str | None = None
    """Of a budget or rule on this team, maybe among others, or of a rule's subject of that team."""
    teams_alone: Collection[str] = ()
    """Of a budget or rule that is, and was then, on some of these alone; of one team: all that its
    key may see."""
    budget_id: int | None = None
    rule_id: int | None = None
    since: datetime | None = None
    """Crossed then or later."""
    status: str | None = None
    """One of its messages has this delivery status."""
    alert_id: int | None = None


def alerts(
    session: Session,
    tenant: int,
    wanted: Wanted = Wanted(),
    *,
    now: datetime,
    at_most: int,
    before: int | None = None,
) -> list[Alert]:
    """Alerts with an id less than ``before``, newest first; their states are as of ``now``."""
    stand = stand_of(tenant, now)
    asked = stand.rows
    if before is not None:
        asked = asked.where(crossings.c.id < before)
    rows = session.execute(
        _filtered(asked, stand, wanted).order_by(crossings.c.id.desc()).limit(at_most)
    ).all()
    messages = _messages(session, tenant, [row.id for row in rows])
    return [_alert(row, messages.get(row.id, ())) for row in rows]


def one(
    session: Session,
    tenant: int,
    alert_id: int,
    *,
    now: datetime,
    teams_alone: Collection[str] = (),
) -> Alert:
    """An alert. Raises NoSuchAlert, also for one that a key of the team may not see."""
    wanted = Wanted(alert_id=alert_id, teams_alone=teams_alone)
    found = alerts(session, tenant, wanted, now=now, at_most=1)
    if not found:
        raise NoSuchAlert(f"there is no alert {alert_id}")
    return found[0]


def count_by_state(session: Session, tenant: int, wanted: Wanted, now: datetime) -> dict[str, int]:
    """How many alerts are in each state."""
    stand = stand_of(tenant, now)
    found = _filtered(stand.rows, stand, wanted).subquery()
    rows = session.execute(select(found.c.state, func.count()).group_by(found.c.state))
    return {state: count for state, count in rows}  # noqa: C416  # rows, not pairs


def acknowledge(
    session: Session,
    tenant: int,
    alert_id: int,
    *,
    by: str,
    note: str | None,
    now: datetime,
    teams_alone: Collection[str] = (),
) -> bool:
    """Notes that somebody knows of an alert: reminders that wait are dropped.

    False: somebody had said so before, and that stays. Raises NoSuchAlert, also for one that
    whoever acts for the teams alone may not see.
    """
    if teams_alone:
        one(session, tenant, alert_id, now=now, teams_alone=teams_alone)
    its = and_(crossings.c.tenant_id == tenant, crossings.c.id == alert_id)
    if session.scalar(select(crossings.c.id).where(its).with_for_update()) is None:
        raise NoSuchAlert(f"there is no alert {alert_id}")
    said: dict[str, Any] = {"acknowledged_at": now, "acknowledged_by": by}
    if note is not None:
        kept = func.coalesce(crossings.c.detail, literal({}, JSONB))
        said["detail"] = kept.op("||")(literal({_NOTE: note}, JSONB))
    done = update(crossings).where(its, crossings.c.acknowledged_at.is_(None)).values(said)
    first = session.scalar(done.returning(crossings.c.id)) is not None
    if first:
        silences.settle(session, tenant, now, crossing_id=alert_id)
        after = {"by": by, "note": note}
        audit.note(session, tenant, did="acknowledged", noun="alert", noun_id=alert_id, after=after)
    return first


def _filtered(asked: Select[Any], stand: Stand, wanted: Wanted) -> Select[Any]:
    states = wanted.states if wanted.state is None else (wanted.state,)
    if states is not None:
        asked = asked.where(stand.state.in_(states))
    for column, value in (
        (crossings.c.kind, wanted.kind),
        (crossings.c.budget_id, wanted.budget_id),
        (crossings.c.rule_id, wanted.rule_id),
        (crossings.c.id, wanted.alert_id),
    ):
        if value is not None:
            asked = asked.where(column == value)
    if wanted.since is not None:
        asked = asked.where(crossings.c.crossed_at >= wanted.since)
    if wanted.teams_alone:
        alone = list(wanted.teams_alone)
        # Both: a budget that moved to a team tells it nothing of what others spent before.
        asked = asked.where(stand.teams.contained_by(alone), stand.teams_then.contained_by(alone))
    if wanted.team is not None:
        subject = f"team={wanted.team}"
        asked = asked.where(
            or_(
                stand.teams.contains([wanted.team]),
                literal(subject) == func.any(func.string_to_array(crossings.c.subject, ", ")),
            )
        )
    if wanted.status is not None:
        of_it = (
            outbox.c.tenant_id == crossings.c.tenant_id,
            outbox.c.crossing_id == crossings.c.id,
            outbox.c.status == wanted.status,
        )
        asked = asked.where(select(outbox.c.id).where(*of_it).exists())
    return asked


def _messages(
    session: Session, tenant: int, ids: Collection[int]
) -> dict[int, tuple[Message, ...]]:
    its_channel = and_(
        channels.c.tenant_id == outbox.c.tenant_id, channels.c.id == outbox.c.channel_id
    )
    rows = session.execute(
        select(
            outbox.c.crossing_id,
            outbox.c.body["kind"].astext.label("kind"),
            outbox.c.channel_id,
            channels.c.name,
            outbox.c.status,
            outbox.c.attempts,
            outbox.c.last_error,
            outbox.c.next_at,
            outbox.c.sent_at,
        )
        .select_from(outbox.outerjoin(channels, its_channel))
        .where(outbox.c.tenant_id == tenant, outbox.c.crossing_id.in_(ids))
        .order_by(outbox.c.crossing_id, outbox.c.id)
    )
    return {
        crossing: tuple(map(_message, each))
        for crossing, each in groupby(rows, key=lambda row: int(row.crossing_id))
    }


def _message(row: Row[*tuple[Any, ...]]) -> Message:
    return Message(
        # Messages of before revision 0022 do not say: they were of what was spent.
        kind=row.kind or "actual",
        channel_id=row.channel_id,
        channel=row.name or "webhook of the budget or the settings",
        status=row.status,
        attempts=row.attempts,
        last_error=row.last_error,
        next_at=row.next_at,
        sent_at=row.sent_at,
    )


def _alert(row: Row[Any], messages: tuple[Message, ...]) -> Alert:
    detail = dict(row.detail or {})
    note = detail.pop(_NOTE, None)
    of_budget = None if row.budget_id is None else _of_budget(row)
    level = row.level
    if level is None:  # of before revision 0022
        level = "over" if reached(row.spent, row.amount, (100,)) else "warning"
    return Alert(
        id=row.id,
        budget_id=row.budget_id,
        rule_id=row.rule_id,
        name=row.name or "(gone)",
        version=row.version,
        kind=row.kind,
        subject=row.subject,
        level=level,
        state=row.state,
        silent_until=row.silent_until if row.state != RECOVERED else None,
        began=row.period_start,
        crossed_at=row.crossed_at,
        as_of=row.as_of,
        recovered_at=row.recovered_at,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
        acknowledged_note=note,
        reminded_at=row.reminded_at,
        of_budget=of_budget,
        detail=detail,
        messages=messages,
    )


def _of_budget(row: Row[Any]) -> OfBudget:
    zone = zone_named(row.timezone)
    fiscal, own = fiscal_year(row.fiscal), own_period(row.own_period)
    period = period_at(row.period_start, row.period, zone, fiscal, own)
    return OfBudget(
        currency=row.currency,
        period=period,
        period_name=period_name(period, row.period, zone, fiscal),
        threshold=row.threshold,
        spent=row.spent,
        amount=row.amount,
    )
