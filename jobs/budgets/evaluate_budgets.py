"""Compares spend with budgets; writes what was passed, has recovered or lasts, and tells it once.

A crossing and its message are written in one transaction under a unique key (version, period, kind,
threshold): whoever comes second writes nothing. The last period is looked at too, as late calls and
corrected prices can still reach a threshold of it, or fall below.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.orm import Session

from jobs.budgets.budget_notices import Warned, notice
from jobs.context import Done, JobContext, JobSettings
from spend.budgets.budget_states import (
    ACTUAL,
    FORECAST,
    PACE,
    Change,
    Key,
    Measure,
    Recorded,
    changes,
    state,
)
from spend.money import plain
from spend.periods import local_day
from store.budgets import budgets, crossings, forecasts, standings
from store.budgets.budget_measures import Measured, Measures, measure
from store.budgets.crossings import Crossing
from store.budgets.late_spend import days_added
from store.budgets.standings import Standing
from store.channels.notify import tell
from store.completeness import complete_until
from store.tenants import TENANT

log = structlog.get_logger(__name__)

_Known = Mapping[Key, Recorded]


@dataclass(frozen=True, slots=True)
class _Compared:
    """A period of a budget, what it is judged by, and what is known of it."""

    measured: Measured
    judged_by: Measure
    known: _Known
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class _Round:
    """What all that is told in a round has in common."""

    now: datetime
    as_of: datetime | None
    settings: JobSettings
    names: Mapping[int, str]
    """Of budgets in force."""
    held: Mapping[tuple[int, datetime], Standing]
    """Where they stood before."""


def run(context: JobContext) -> Done:
    """One round over all budgets, at ``context.now``."""
    now = context.now
    with context.database.read() as session:
        history = budgets.with_history(session, TENANT, now)
        as_of = complete_until(session)
        measures = measure(session, TENANT, history, now, as_of=as_of)
        found = list(_compared(session, measures, now))
    for budget_id, why in measures.troubles.items():
        log.warning("a budget could not be compared", budget=budget_id, why=why)
    names = {each.id: each.terms.name for each in history}
    looked_at = {each.budget.id for each in measures.found}
    lost = (measures.troubles.keys() | looked_at) - {each.measured.budget.id for each in found}
    its = _Round(now, as_of, context.settings, names, measures.held)
    new = standings.changed([_standing(each, its) for each in found], measures.held, now)
    sent = 0
    with context.database.write() as session:
        written = _written(session, new, lost, now)
        for each in found:
            sent += _recorded(session, each, its)
    note = f"{len(names) - len(lost)} budgets, {sent} messages"
    if lost:
        note += f", {len(lost)} cannot be compared"
    # As of when all standings are: not of this run, if they are not its.
    return Done(note, complete_until=as_of if written else None)


def _written(
    session: Session, new: Collection[Standing], lost: Collection[int], now: datetime
) -> bool:
    """Writes where budgets stand; False if that cannot be."""
    try:
        with session.begin_nested():
            standings.forget(session, TENANT, lost, now)
            standings.put(session, TENANT, new, now)
    except Exception:  # who has to be told is told all the same
        log.exception("where budgets stand could not be written")
        return False
    return True


def _compared(session: Session, measures: Measures, now: datetime) -> Iterator[_Compared]:
    """Each period with what changed of it."""
    if not measures.found:
        return
    ids = {each.budget.id for each in measures.found}
    since = min(each.period.start for each in measures.found)
    known = crossings.recorded(session, TENANT, ids, since)
    expected = forecasts.forecasts(session, TENANT)
    for each in measures.found:
        budget, start = each.budget, each.period.start
        forecast = forecasts.forecast_among(expected, budget, each.period)
        judged = Measure(each.spent, each.limit, each.present, forecast, each.pace)
        its = known.get((budget.id, budget.armed, start), {})
        try:
            found = tuple(changes(judged, budget.terms, its, now)) if each.compared else ()
        except Exception:  # one that raises must not silence the others
            log.exception("a budget could not be judged", budget=budget.id)
            continue
        yield _Compared(each, judged, its, found)


def _standing(each: _Compared, its: _Round) -> Standing:
    measured = each.measured
    return Standing(
        budget_id=measured.budget.id,
        version=measured.budget.version,
        period=measured.period,
        spent=measured.spent,
        rolled_in=measured.rolled_in,
        limit=measured.limit,
        state=state(each.judged_by, measured.budget.terms, _after(each, its.now)),
        pace=None if measured.pace is None else measured.pace.percent,
        without_rate=measured.without_rate,
        as_of=its.as_of,
    )


def _after(each: _Compared, now: datetime) -> list[Recorded]:
    """What is known of its crossings once the changes are written."""
    new = {(change.kind, change.threshold): change.after(now) for change in each.changes}
    return list({**each.known, **new}.values())


def _recorded(session: Session, each: _Compared, its: _Round) -> int:
    """Writes what changed of one period, with what is told; answers how many messages."""
    sent = 0
    for change in each.changes:
        try:
            with session.begin_nested():
                sent += _record(session, each, change, its)
        except Exception:  # one budget's trouble must not silence the others
            log.exception("a crossing could not be recorded", budget=each.measured.budget.id)
    return sent


def _record(session: Session, each: _Compared, change: Change, its: _Round) -> int:
    measured, known = each.measured, change.known
    budget, now = measured.budget, its.now
    if known is None:
        alert_id = _crossed(session, each, change, its)
        if alert_id is None:
            return 0
        key = f"crossing:{alert_id}"
    else:
        write = _WRITERS[change.what] if change.told else _QUIET_WRITERS[change.what]
        if not write(session, TENANT, known, now) or not change.told:
            return 0
        alert_id, key = known.id, _key(change.what, known)
    late: tuple[date, ...] = ()
    if change.kind == ACTUAL and change.what in {"crossed", "again"}:
        late = _late_days(session, measured, its)
    parent = budget.terms.parent_id
    warned = Warned(
        alert_id=alert_id,
        budget_id=budget.id,
        terms=budget.terms,
        period=measured.period,
        change=change,
        spent=measured.spent,
        as_of=its.as_of,
        noticed_at=now,
        rolled_in=measured.rolled_in,
        forecast=each.judged_by.forecast,
        pace=measured.pace,
        parent=None if parent is None else its.names.get(parent),
        late_days=late,
    )
    said = notice(warned, its.settings.api_url)
    where = budget.terms.channel_ids
    return tell(session, TENANT, said, key=key, channel_ids=where, now=now)


_WRITERS: Final = {
    "again": crossings.reopen,
    "recovered": crossings.recover,
    "reminder": crossings.remind,
}
_QUIET_WRITERS: Final = {"again": crossings.reopen_quietly, "recovered": crossings.recover}


def _key(what: str, known: Recorded) -> str:
    """What is told of a crossing that is known: each time of its own."""
    if what == "recovered":
        return f"recovered:{known.id}" + (f":{known.again}" if known.again else "")
    number = known.again if what == "again" else known.reminders
    return f"{what}:{known.id}:{number + 1}"


def _crossed(session: Session, each: _Compared, change: Change, its: _Round) -> int | None:
    measured, forecast = each.measured, each.judged_by.forecast
    budget = measured.budget
    expected = change.kind == FORECAST and forecast is not None
    return crossings.record(
        session,
        TENANT,
        Crossing(budget.id, budget.armed, measured.period.start, change.threshold, change.kind),
        level=change.level,
        spent=forecast.expected if expected and forecast is not None else measured.spent,
        limit=measured.limit,
        as_of=its.as_of,
        now=its.now,
        detail=_detail(change, each),
    )


def _detail(change: Change, each: _Compared) -> dict[str, object] | None:
    """What else there is to know of a crossing later."""
    forecast, pace = each.judged_by.forecast, each.measured.pace
    if change.kind == FORECAST and forecast is not None:
        error = forecast.past_error
        return {
            "low": plain(forecast.low),
            "high": plain(forecast.high),
            "past_error_percent": None if error is None else plain(error),
        }
    if change.kind == PACE and pace is not None:
        return {"pace_percent": pace.percent, "spent_in_window": plain(pace.spent)}
    return None


def _late_days(session: Session, measured: Measured, its: _Round) -> tuple[date, ...]:
    """Days before the one on which it is noticed, of what was added since the last round."""
    before = its.held.get((measured.budget.id, measured.period.start))
    if before is None or before.changed_at is None:
        return ()
    terms = measured.budget.terms
    zone = ZoneInfo(terms.timezone)
    added = days_added(session, TENANT, terms.filter, measured.period, before.changed_at, zone)
    today = local_day(its.now, zone)
    return tuple(day for day in added if day < today)
