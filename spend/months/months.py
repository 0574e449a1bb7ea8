"""Months: periods of the ledger's calendar whose books are closed, one after the other.

open -> soft-closed -> closed. Soft-closed, its usage, prices and rules have stopped: what comes
late is booked in the next open month; adjusting entries may still be booked into it, and it may be
opened again, for a reason. Closed, nothing of it moves any more, and what it says is recorded.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from spend.fiscal import Calendar, FiscalPeriod
from spend.periods import Period, local_day

OPEN: Final = "open"
SOFT_CLOSED: Final = "soft-closed"
CLOSED: Final = "closed"

SOFT_CLOSE: Final = "soft-close"
CLOSE: Final = "close"
REOPEN: Final = "reopen"

ALL: Final = "all"
"""Accepts every warning."""


@dataclass(frozen=True, slots=True)
class Warned:
    """Something that is wrong with a month and can be accepted, or that it waits for."""

    name: str
    """What it is accepted by: ``unpriced``."""
    said: str
    """With its volume, for people."""


@dataclass(frozen=True, slots=True)
class MonthAct:
    """What somebody did with a month."""

    act: str
    """SOFT_CLOSE, CLOSE or REOPEN."""
    at: datetime
    """UTC."""
    by: str
    note: str | None
    accepted: tuple[Warned, ...]
    """Warnings, as they were when they were accepted."""


@dataclass(frozen=True, slots=True)
class LedgerMonth:
    """A period of the ledger's calendar, and how far its books are closed."""

    name: str
    period: Period
    """UTC; of one that is not open as of when it was closed, whatever the calendar is now."""
    calendar: Calendar
    """That of then."""
    state: str = OPEN
    record: str | None = None
    """What it was closed with (spend/months/month_records.py); None: it is not closed."""
    hash: str | None = None
    """Of the record: SHA-256 in hex."""


class MonthUnknownError(ValueError):
    """There is no such month; the text can be shown."""


class MonthRefusedError(ValueError):
    """A month cannot be closed or opened now; nothing was changed."""

    def __init__(self, reasons: Sequence[str], *, to_accept: Sequence[Warned] = ()) -> None:
        """``to_accept``: the warnings that would have to be accepted, where only that lacks."""
        super().__init__("; ".join(reasons))
        self.reasons = tuple(reasons)
        self.to_accept = tuple(to_accept)


class WarningUnknownError(ValueError):
    """There is no warning of that name to be accepted; the text can be shown."""


def to_soft_close(
    name: str, held: Sequence[LedgerMonth], calendar: Calendar, now: datetime
) -> LedgerMonth:
    """The month to soft-close, with its bounds; raises the two errors above.

    ``held`` are all that were ever closed, softly or for good. The first one may be any; after it
    each begins where the one before ends, also if the calendar is another one now.
    """
    month = month_named(name, held, calendar)
    if month.state != OPEN:
        raise MonthRefusedError([f"{name} is {month.state} already"])
    shut = _shut(held)
    if shut and month.period.end <= shut[0].period.start:
        first = shut[0].name
        raise MonthRefusedError([f"{name} was closed with {first}, the first month to be closed"])
    expected = next_open(held, calendar)
    if expected is not None and month.name != expected.name:
        raise MonthRefusedError([f"{expected.name} comes first: months close in order"])
    if now < month.period.end:
        raise MonthRefusedError([f"{name} is not over: it ends {_shown(month.period.end)}"])
    return month


def to_close(
    name: str, held: Sequence[LedgerMonth], calendar: Calendar, now: datetime
) -> LedgerMonth:
    """The month to close, likewise: open, or soft-closed."""
    month = month_named(name, held, calendar)
    if month.state == CLOSED:
        raise MonthRefusedError([f"{name} is closed already"])
    first = next((each for each in _shut(held) if each.state == SOFT_CLOSED), None)
    if first is not None and first.name != name:
        raise MonthRefusedError([f"{first.name} comes first: months close in order"])
    return month if month.state == SOFT_CLOSED else to_soft_close(name, held, calendar, now)


def to_reopen(
    name: str, held: Sequence[LedgerMonth], calendar: Calendar, reason: str | None
) -> LedgerMonth:
    """The month to open again, likewise: the last one that is soft-closed."""
    month = month_named(name, held, calendar)
    if month.state == CLOSED:
        told = f"{name} is closed for good: what belongs to it is booked in the open month"
        raise MonthRefusedError([told])
    if month.state == OPEN:
        raise MonthRefusedError([f"{name} is open"])
    last = _shut(held)[-1]
    if last.name != name:
        raise MonthRefusedError([f"{last.name} is soft-closed after it: open that first"])
    if not (reason or "").strip():
        raise MonthRefusedError([f"{name} is opened again for a reason: say it"])
    return month


def month_named(name: str, held: Sequence[LedgerMonth], calendar: Calendar) -> LedgerMonth:
    """The month of a name, open where it was never closed. Raises MonthUnknownError."""
    shut = {each.name: each for each in _shut(held)}
    if name in shut:
        return shut[name]
    expected = next_open(held, calendar)
    if expected is not None and expected.name == name:
        return expected
    try:
        found = calendar.named(name)
    except ValueError as error:
        raise MonthUnknownError(str(error)) from None
    its = calendar.period_at(found.start)
    if its != found:
        told = f"the books are kept in periods such as {its.name}, and {found.name} is none"
        raise MonthUnknownError(told)
    return LedgerMonth(found.name, found.period, calendar)


def next_open(held: Sequence[LedgerMonth], calendar: Calendar) -> LedgerMonth | None:
    """The month after the last that is not open; None: none was ever closed, it may be any."""
    shut = _shut(held)
    if not shut:
        return None
    names = {each.name for each in shut}
    start = shut[-1].period.end
    following = calendar.period_at(start)
    # With another calendar than before, a rest of a month that is closed may come first.
    while following.name in names:
        following = calendar.next(following)
    return LedgerMonth(following.name, Period(start, following.end), calendar)


def period_of(
    name: str, held: Sequence[LedgerMonth], calendar: Calendar
) -> tuple[Calendar, FiscalPeriod]:
    """What a name means in reports: of a month that is not open, what it was closed as.

    The next one begins where the last one ended, also if the calendar is another one now.

    Any period of the calendar has a name, also a quarter; ValueError, whose text can be shown, if
    there is none of it.
    """
    kept = next((each for each in _in_books(held, calendar) if each.name == name), None)
    if kept is None:
        return calendar, calendar.named(name)
    return kept.calendar, _as_period(kept)


def period_before(
    period: FiscalPeriod, held: Sequence[LedgerMonth], calendar: Calendar
) -> FiscalPeriod:
    """What a period of a calendar is compared with: the one of the same kind before it.

    Of a month of the books that is the month closed before it, by whatever calendar.
    """
    books = _in_books(held, calendar)
    if any((each.name, each.period) == (period.name, period.period) for each in books):
        last = next((each for each in books if each.period.end == period.start), None)
        if last is not None:
            return _as_period(last)
    return calendar.previous(period)


def _in_books(held: Sequence[LedgerMonth], calendar: Calendar) -> list[LedgerMonth]:
    """The months that are not open, and the one that is next."""
    following = next_open(held, calendar)
    return _shut(held) if following is None else [*_shut(held), following]


def _as_period(month: LedgerMonth) -> FiscalPeriod:
    first, last = (
        local_day(moment, month.calendar.zone)
        for moment in (month.period.start, month.period.end - timedelta(microseconds=1))
    )
    return FiscalPeriod(month.name, first, last, month.period)


def check_accepted(
    warnings: Sequence[Warned], accepted: Collection[str], known: Collection[str]
) -> tuple[Warned, ...]:
    """The warnings that are accepted; raises MonthRefusedError where some are not.

    ``known``: all names that a warning can have; another one raises WarningUnknownError.
    """
    unknown = sorted(set(accepted) - {*known, ALL})
    if unknown:
        names = ", ".join(sorted({*known, ALL}))
        raise WarningUnknownError(f"there is no warning {unknown[0]!r}: accept any of {names}")
    lacking = [each for each in warnings if ALL not in accepted and each.name not in accepted]
    if lacking:
        told = [f"{each.name}: {each.said}" for each in lacking]
        raise MonthRefusedError(told, to_accept=lacking)
    return tuple(warnings)


def _shut(held: Sequence[LedgerMonth]) -> list[LedgerMonth]:
    """Those that are not open, in order."""
    return sorted((each for each in held if each.state != OPEN), key=lambda each: each.period.start)


def _shown(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
