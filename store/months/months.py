"""Remembers months: how far the books of each are closed, and who did what with them when."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, insert, select
from sqlalchemy.dialects.postgresql import insert as insert_new
from sqlalchemy.orm import Session

from spend.fiscal import Calendar, FiscalPeriod, FiscalYear
from spend.months.month_records import calendar_fields
from spend.months.months import (
    OPEN,
    REOPEN,
    SOFT_CLOSE,
    SOFT_CLOSED,
    LedgerMonth,
    MonthAct,
    MonthRefusedError,
    Warned,
    period_before,
    period_of,
    to_reopen,
    to_soft_close,
)
from spend.ownership.ownership import FIRST
from spend.periods import Period
from store import audit, closing, waiting
from store.ledger import split_days
from store.months import month_waits
from store.ownership import ownership
from store.tables.months import month_acts, months


def held(session: Session, tenant: int) -> list[LedgerMonth]:
    """Every month that was ever closed, softly or for good, in order; also those open again."""
    rows = session.execute(
        select(months).where(months.c.tenant_id == tenant).order_by(months.c.starts, months.c.name)
    )
    return [_month(row) for row in rows]


def period_named(
    session: Session, tenant: int, name: str, calendar: Calendar
) -> tuple[Calendar, FiscalPeriod]:
    """What a name means in reports, with its calendar (``spend.months.months.period_of``).

    A month that was closed keeps its bounds, whatever the calendar is now. ValueError likewise.
    """
    return period_of(name, held(session, tenant), calendar)


def month_before(
    session: Session, tenant: int, period: FiscalPeriod, calendar: Calendar
) -> FiscalPeriod:
    """What a period is compared with (``spend.months.months.period_before``)."""
    return period_before(period, held(session, tenant), calendar)


def acts(session: Session, tenant: int) -> dict[str, list[MonthAct]]:
    """What was done with each month, the first act first."""
    rows = session.execute(
        select(month_acts).where(month_acts.c.tenant_id == tenant).order_by(month_acts.c.id)
    )
    found: dict[str, list[MonthAct]] = {}
    for row in rows:
        found.setdefault(row.month, []).append(_act(row))
    return found


def soft_close(
    session: Session,
    tenant: int,
    name: str,
    *,
    calendar: Calendar,
    clock: Callable[[], datetime],
    by: str,
    note: str | None = None,
) -> LedgerMonth:
    """Stops usage, prices and rules of a month that is over and settled.

    ``clock`` (UTC) is asked once the ledger is locked: rules that came before it hold for the
    month. Raises MonthUnknownError and MonthRefusedError; then nothing was changed.
    """
    waiting.lock_ledger(session)
    now = clock()
    month = to_soft_close(name, held(session, tenant), calendar, now)
    waits = month_waits.waits(session, tenant, month.period, now=now)
    if waits:
        raise MonthRefusedError([each.said for each in waits])
    write(session, tenant, month, state=SOFT_CLOSED)
    note_act(session, tenant, name, MonthAct(SOFT_CLOSE, now, by, note, ()))
    closing.close(session, tenant, month.period.end)
    return _named(session, tenant, name)


def reopen(
    session: Session,
    tenant: int,
    name: str,
    *,
    calendar: Calendar,
    clock: Callable[[], datetime],
    by: str,
    note: str | None,
) -> LedgerMonth:
    """Opens the last soft-closed month again, for a reason (``note``). Likewise.

    What was booked after it meanwhile stays where it is.
    """
    waiting.lock_ledger(session)
    now = clock()
    there = held(session, tenant)
    month = to_reopen(name, there, calendar, note)
    before = [each for each in there if each.state != OPEN and each.name != name]
    write(session, tenant, month, state=OPEN)
    note_act(session, tenant, name, MonthAct(REOPEN, now, by, note, ()))
    since = month.period.start if before else None
    closing.reopen(session, tenant, since)
    # The rules in force hold for it again.
    ownership.follow_again(session, tenant)
    split_days.mark_between(session, tenant, since or FIRST, month.period.end)
    return _named(session, tenant, name)


def write(
    session: Session,
    tenant: int,
    month: LedgerMonth,
    *,
    state: str,
    record: str | None = None,
    sha256: str | None = None,
) -> None:
    """Puts a month into a state, with the bounds that it has now."""
    values = {
        "starts": month.period.start,
        "ends": month.period.end,
        "calendar": calendar_fields(month.calendar),
        "state": state,
        "record": record,
        "hash": sha256,
    }
    new = insert_new(months).values(tenant_id=tenant, name=month.name, **values)
    session.execute(new.on_conflict_do_update(index_elements=["tenant_id", "name"], set_=values))


def note_act(session: Session, tenant: int, name: str, act: MonthAct) -> None:
    """Adds to what was done with a month."""
    values = asdict(act) | {"accepted": [asdict(each) for each in act.accepted]}
    session.execute(insert(month_acts).values(tenant_id=tenant, month=name, **values))
    audit.note(session, tenant, did=act.act, noun="month", noun_id=name, name=name, after=act)


def _named(session: Session, tenant: int, name: str) -> LedgerMonth:
    return _month(
        session.execute(
            select(months).where(months.c.tenant_id == tenant, months.c.name == name)
        ).one()
    )


def _month(row: Row[Any]) -> LedgerMonth:
    return LedgerMonth(
        name=row.name,
        period=Period(row.starts, row.ends),
        calendar=calendar_of(row.calendar),
        state=row.state,
        record=row.record,
        hash=row.hash,
    )


def calendar_of(kept: Mapping[str, Any]) -> Calendar:
    """A calendar, from how a row has it."""
    fiscal = {name: value for name, value in kept.items() if name != "zone"}
    return Calendar(ZoneInfo(kept["zone"]), FiscalYear(**fiscal))


def _act(row: Row[Any]) -> MonthAct:
    return MonthAct(row.act, row.at, row.by, row.note, _warned(row.accepted))


def _warned(kept: Iterable[Mapping[str, str]]) -> tuple[Warned, ...]:
    return tuple(Warned(each["name"], each["said"]) for each in kept)
