"""From what was measured to what is told: OK, WARNING, OVER and back, each once.

A subject that passes a bound opens a crossing, and is told. Passing the higher bound while the
lower one's crossing is open opens another one, and is told too; coming back below the higher bound
alone is not. Being good for a while recovers all that is open, and is told once. No data neither
opens nor recovers anything.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from spend.alerts.alert_rules import NO_DATA, OK, OVER, WARNING, Measured, RuleTerms, level_of

RECOVERED: Final = "recovered"
FAILING: Final = "failing"
"""It could not be measured."""

LEVELS: Final = (OVER, WARNING, OK, NO_DATA)
"""What a measuring can say, the worst first."""

SHOWN_RECOVERED: Final = timedelta(hours=1)
"""So long it is said that it has recovered, before it is just OK."""
FORGOTTEN: Final = timedelta(days=7)
"""After so long without data what is open is closed without a word, and the subject forgotten."""


@dataclass(frozen=True, slots=True)
class Open:
    """A crossing that has not recovered."""

    id: int
    level: str
    crossed_at: datetime
    acknowledged: bool = False
    reminded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class State:
    """What is remembered of a subject from one measuring to the next. Times are UTC."""

    state: str
    since: datetime
    good_since: datetime | None = None
    """While a crossing is open: the end of the first of all those measurings in a row that found
    it good."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one measuring leads to."""

    state: State | None
    """None: the subject is forgotten."""
    opens: str | None = None
    """The level of a crossing to be written, and told."""
    recovers: tuple[Open, ...] = ()
    """What has recovered. The first is told, if ``tells``."""
    tells: bool = True
    reminds: Open | None = None
    """Of what somebody is reminded."""


def step(
    terms: RuleTerms,
    before: State | None,
    opened: Collection[Open],
    measured: Measured,
    now: datetime,
) -> Step:
    """What follows from a measuring, where ``opened`` has not recovered yet."""
    level = level_of(terms, measured)
    # The gravest first: it is the one that is told to have recovered.
    known = tuple(sorted(opened, key=lambda each: each.level != OVER))
    if level == NO_DATA:
        return _without_data(before, known, now)
    if level == OK:
        return _good(terms, before, known, measured, now)
    levels = {each.level for each in known}
    opens = level if (level == OVER and OVER not in levels) or not levels else None
    state = State(level, _since(before, level, now))
    reminds = None if opens else _due(terms, known, now)
    return Step(state, opens=opens, reminds=reminds)


def gone(before: State, opened: Collection[Open], now: datetime) -> Step:
    """What follows for a subject that was measured before and is not any more."""
    if before.state == FAILING and not opened:
        # The rule was, and works again: it was of no subject.
        return Step(None)
    return _without_data(before, tuple(opened), now)


def _without_data(before: State | None, known: tuple[Open, ...], now: datetime) -> Step:
    since = _since(before, NO_DATA, now)
    if now - since >= FORGOTTEN:
        return Step(None, recovers=known, tells=False)
    # What was good stays good until something else is heard.
    return Step(State(NO_DATA, since, before.good_since if before else None))


def _good(
    terms: RuleTerms,
    before: State | None,
    known: tuple[Open, ...],
    measured: Measured,
    now: datetime,
) -> Step:
    if not known:
        recent = (
            before is not None
            and before.state == RECOVERED
            and now - before.since < SHOWN_RECOVERED
        )
        state = RECOVERED if recent else OK
        return Step(State(state, _since(before, state, now)))
    good_since = (before.good_since if before else None) or measured.end
    if measured.end - good_since >= timedelta(minutes=terms.recover_minutes):
        return Step(State(RECOVERED, now), recovers=known)
    kept = before.state if before and before.state in (WARNING, OVER) else known[0].level
    return Step(State(kept, _since(before, kept, now), good_since))


def _since(before: State | None, state: str, now: datetime) -> datetime:
    return before.since if before is not None and before.state == state else now


def _due(terms: RuleTerms, known: tuple[Open, ...], now: datetime) -> Open | None:
    gravest = known[0]
    if terms.remind_hours is None or gravest.acknowledged:
        return None
    last = gravest.reminded_at or gravest.crossed_at
    return gravest if now - last >= timedelta(hours=terms.remind_hours) else None
