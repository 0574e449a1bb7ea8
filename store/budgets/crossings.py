"""The thresholds of budgets that were passed: each once for an armed version, a period and a kind.

What is written here is written once, whoever else tries at the same time: whoever comes second is
told that it has been done.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, func, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Session

from spend.budgets.budget_states import ACTUAL, Key, Recorded
from spend.money import ATOM_DIGITS, ROUNDING
from store.tables.budgets import crossings

_ATOM: Final = Decimal(1).scaleb(-ATOM_DIGITS)


@dataclass(frozen=True, slots=True)
class Crossing:
    """A threshold (percent) of a budget's version that was passed in the period that starts so."""

    budget_id: int
    version: int
    """The version that it was armed by (``Budget.armed``)."""
    period_start: datetime
    threshold: int
    kind: str = ACTUAL


OfPeriod = tuple[int, int, datetime]
"""A budget, the version that armed its crossings, and the start of a period."""


def recorded(
    session: Session, tenant: int, budget_ids: Iterable[int], since: datetime
) -> dict[OfPeriod, dict[Key, Recorded]]:
    """Crossings of budgets in periods that start at or after ``since`` (UTC)."""
    rows = session.execute(
        select(crossings).where(
            crossings.c.tenant_id == tenant,
            crossings.c.budget_id.in_(list(budget_ids)),
            crossings.c.period_start >= since,
        )
    )
    found: dict[OfPeriod, dict[Key, Recorded]] = defaultdict(dict)
    for row in rows:
        its = found[row.budget_id, row.version, row.period_start]
        its[row.kind, row.threshold] = Recorded(
            id=row.id,
            kind=row.kind,
            threshold=row.threshold,
            crossed_at=row.crossed_at,
            recovered_at=row.recovered_at,
            acknowledged_at=row.acknowledged_at,
            reminded_at=row.reminded_at,
            again=(row.detail or {}).get("again", 0),
            reminders=(row.detail or {}).get("reminders", 0),
            quiet=(row.detail or {}).get("quiet", False),
        )
    return found


def record(
    session: Session,
    tenant: int,
    crossing: Crossing,
    *,
    level: str,
    spent: Decimal,
    limit: Decimal,
    as_of: datetime | None,
    now: datetime,
    detail: Mapping[str, Any] | None = None,
) -> int | None:
    """Writes a crossing; answers its id, or None when somebody else already has.

    ``spent`` is so of ``limit``: of a forecast, what is expected.
    """
    alert_id: int | None = session.scalar(
        insert(crossings)
        .values(
            tenant_id=tenant,
            budget_id=crossing.budget_id,
            version=crossing.version,
            period_start=crossing.period_start,
            kind=crossing.kind,
            threshold=crossing.threshold,
            level=level,
            crossed_at=now,
            # What was converted may be finer than the ledger.
            spent=spent.quantize(_ATOM, context=ROUNDING),
            amount=limit,
            as_of=as_of,
            detail=None if detail is None else dict(detail),
        )
        .on_conflict_do_nothing()
        .returning(crossings.c.id)
    )
    return alert_id


def recover(session: Session, tenant: int, known: Recorded, now: datetime) -> bool:
    """Notes that spend is below a threshold again; False: somebody else has."""
    still_open = crossings.c.recovered_at.is_(None)
    return _changed(session, tenant, known, still_open, recovered_at=now)


def reopen(session: Session, tenant: int, known: Recorded, now: datetime) -> bool:
    """Notes that it is told that what had recovered was reached again; False: somebody else has.

    Nobody has acknowledged that yet, and reminders begin anew.
    """
    return _changed(
        session,
        tenant,
        known,
        _as_known(known),
        recovered_at=None,
        acknowledged_at=None,
        acknowledged_by=None,
        reminded_at=now,
        detail=_with(again=known.again + 1, quiet=False),
    )


def reopen_quietly(session: Session, tenant: int, known: Recorded, _now: datetime) -> bool:
    """Notes that what had recovered was reached again, of which nobody is told."""
    detail = _with(quiet=True)
    return _changed(session, tenant, known, _as_known(known), recovered_at=None, detail=detail)


def remind(session: Session, tenant: int, known: Recorded, now: datetime) -> bool:
    """Notes that somebody is reminded; False: somebody else has, or it was acknowledged."""
    as_known = and_(
        crossings.c.reminded_at.is_not_distinct_from(known.reminded_at),
        crossings.c.acknowledged_at.is_(None),
        crossings.c.recovered_at.is_(None),
    )
    its = {"reminded_at": now, "detail": _with(reminders=known.reminders + 1)}
    return _changed(session, tenant, known, as_known, **its)


def _as_known(known: Recorded) -> ColumnElement[bool]:
    return and_(
        crossings.c.recovered_at.is_not_distinct_from(known.recovered_at),
        crossings.c.reminded_at.is_not_distinct_from(known.reminded_at),
    )


def _with(**said: int) -> ColumnElement[Any]:
    kept = func.coalesce(crossings.c.detail, literal({}, JSONB))
    return kept.concat(literal(said, JSONB))


def _changed(
    session: Session, tenant: int, known: Recorded, where: ColumnElement[bool], **values: Any
) -> bool:
    found = session.scalar(
        update(crossings)
        .where(crossings.c.tenant_id == tenant, crossings.c.id == known.id, where)
        .values(**values)
        .returning(crossings.c.id)
    )
    return found is not None
