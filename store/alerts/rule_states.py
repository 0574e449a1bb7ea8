"""Remembers where each subject of each alert rule stands, and which of its crossings are open."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Row, delete, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from spend.alerts.alert_rules import OVER, Measured, Rule
from spend.alerts.rule_states import Open, State
from spend.checked_fields import shortest
from spend.moments import moment_text
from store.tables.alerting import rule_states
from store.tables.budgets import crossings

_AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True)
class Kept:
    """A subject's state as it is shown."""

    subject: str
    state: State
    evaluated_at: datetime
    found: Measured | None
    """What was measured last; None: nothing was yet."""
    last_error: str | None
    """Why it could not be measured."""


def states(session: Session, tenant: int, rule_id: int | None = None) -> dict[int, list[Kept]]:
    """Rule -> its subjects, by name; of one rule, or of all."""
    asked = select(rule_states).where(rule_states.c.tenant_id == tenant)
    if rule_id is not None:
        asked = asked.where(rule_states.c.rule_id == rule_id)
    found: defaultdict[int, list[Kept]] = defaultdict(list)
    for row in session.execute(asked.order_by(rule_states.c.rule_id, rule_states.c.subject)):
        detail = row.detail or {}
        good = detail.get("good_since")
        good_since = None if good is None else datetime.fromisoformat(good).astimezone(UTC)
        state = State(row.state, row.since, good_since)
        found[row.rule_id].append(
            Kept(row.subject, state, row.evaluated_at, _found(row), row.last_error)
        )
    return dict(found)


def opened(session: Session, tenant: int) -> dict[tuple[int, str], list[Open]]:
    """Rule and subject -> its crossings that have not recovered."""
    rows = session.execute(
        select(crossings).where(
            crossings.c.tenant_id == tenant,
            crossings.c.rule_id.is_not(None),
            crossings.c.recovered_at.is_(None),
        )
    )
    found: defaultdict[tuple[int, str], list[Open]] = defaultdict(list)
    for row in rows:
        found[row.rule_id, row.subject].append(
            Open(
                row.id,
                row.level,
                row.crossed_at,
                row.acknowledged_at is not None,
                row.reminded_at,
            )
        )
    return dict(found)


def open_crossing(
    session: Session, tenant: int, rule: Rule, measured: Measured, level: str, now: datetime
) -> int | None:
    """Writes that a bound was passed; answers its id, or None where somebody else already has."""
    bound = rule.terms.over if level == OVER else rule.terms.warning
    alert_id: int | None = session.scalar(
        insert(crossings)
        .values(
            tenant_id=tenant,
            rule_id=rule.id,
            version=rule.version,
            period_start=measured.start,
            kind=rule.terms.kind,
            threshold=0,
            subject=measured.subject,
            level=level,
            crossed_at=now,
            detail=found_json(measured) | {"bound": None if bound is None else shortest(bound)},
            as_of=measured.end,
        )
        .on_conflict_do_nothing()
        .returning(crossings.c.id)
    )
    return alert_id


def recover(session: Session, tenant: int, crossing_id: int, now: datetime) -> bool:
    """Writes that a crossing has recovered; False where somebody else already has."""
    found = session.execute(
        update(crossings)
        .where(
            crossings.c.tenant_id == tenant,
            crossings.c.id == crossing_id,
            crossings.c.recovered_at.is_(None),
        )
        .values(recovered_at=now)
        .returning(crossings.c.id)
    )
    return found.one_or_none() is not None


def remind(session: Session, tenant: int, crossing: Open, now: datetime) -> bool:
    """Writes that somebody is reminded of a crossing; False where somebody else already has."""
    found = session.execute(
        update(crossings)
        .where(
            crossings.c.tenant_id == tenant,
            crossings.c.id == crossing.id,
            crossings.c.recovered_at.is_(None),
            crossings.c.acknowledged_at.is_(None),
            crossings.c.reminded_at.is_not_distinct_from(crossing.reminded_at),
        )
        .values(reminded_at=now)
        .returning(crossings.c.id)
    )
    return found.one_or_none() is not None


def put_states(
    session: Session,
    tenant: int,
    rule_id: int,
    found: Sequence[tuple[State, Measured]],
    now: datetime,
) -> None:
    """Remembers what was found of subjects of a rule."""
    rows = [
        {
            "tenant_id": tenant,
            "rule_id": rule_id,
            "subject": measured.subject,
            "state": state.state,
            "since": state.since,
            "evaluated_at": now,
            "detail": found_json(measured)
            | {"good_since": None if state.good_since is None else state.good_since.isoformat()},
            "last_error": None,
        }
        for state, measured in found
    ]
    _put(session, rows, ("state", "since", "evaluated_at", "detail", "last_error"))


def put_known(
    session: Session, tenant: int, rule_id: int, found: Mapping[str, State], now: datetime
) -> None:
    """Remembers the states of subjects of which nothing was found: what was found last stays."""
    rows = [
        {
            "tenant_id": tenant,
            "rule_id": rule_id,
            "subject": subject,
            "state": state.state,
            "since": state.since,
            "evaluated_at": now,
        }
        for subject, state in found.items()
    ]
    _put(session, rows, ("state", "since", "evaluated_at"))


def put_failing(
    session: Session, tenant: int, rule_id: int, state: State, error: str, now: datetime
) -> None:
    """Remembers that a rule could not be measured, and why."""
    row = {
        "tenant_id": tenant,
        "rule_id": rule_id,
        "subject": "",
        "state": state.state,
        "since": state.since,
        "evaluated_at": now,
        "last_error": error,
    }
    _put(session, [row], ("state", "since", "evaluated_at", "last_error"))


def forget(session: Session, tenant: int, rule_id: int, subjects: Sequence[str]) -> None:
    """Forgets the states of subjects of a rule."""
    if subjects:
        session.execute(
            delete(rule_states).where(
                rule_states.c.tenant_id == tenant,
                tuple_(rule_states.c.rule_id, rule_states.c.subject).in_(
                    [(rule_id, subject) for subject in subjects]
                ),
            )
        )


def found_json(measured: Measured) -> dict[str, Any]:
    """What was measured, as it is kept and shown."""
    return {
        "value": None if measured.value is None else format(measured.value, "f"),
        "unit": measured.unit,
        "start": moment_text(measured.start),
        "end": moment_text(measured.end),
        "facts": [list(fact) for fact in measured.facts],
        "detail": dict(measured.detail),
    }


def _found(row: Row[Any]) -> Measured | None:
    if row.detail is None:
        return None
    kept = row.detail
    return Measured(
        row.subject,
        None if kept["value"] is None else Decimal(kept["value"]),
        kept["unit"],
        datetime.fromisoformat(kept["start"]),
        datetime.fromisoformat(kept["end"]),
        facts=tuple((label, text) for label, text in kept["facts"]),
        detail=kept["detail"],
    )


def _put(session: Session, rows: Sequence[dict[str, Any]], changed: Sequence[str]) -> None:
    for start in range(0, len(rows), _AT_ONCE):
        put = insert(rule_states).values(rows[start : start + _AT_ONCE])
        session.execute(
            put.on_conflict_do_update(
                index_elements=["tenant_id", "rule_id", "subject"],
                set_={name: put.excluded[name] for name in changed},
            )
        )
