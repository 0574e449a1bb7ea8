"""How complete a month's figures are, and what is open: for the foot of the overview."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from api.pages.overview.overview_month import ShownMonth
from api.pages.visitor import Visitor
from spend.months.months import CLOSED, OPEN, LedgerMonth, next_open
from store.alerts import alerts
from store.alerts.alert_states import OPEN as OPEN_ALERT
from store.alerts.alert_words import said_of
from store.months import months

MOST_ALERTS: Final = 6
LATE: Final = timedelta(minutes=15)
"""Jobs that are behind by more are worth a word."""


@dataclass(frozen=True, slots=True)
class Complete:
    """How far the figures can be relied on."""

    until: datetime | None
    """Everything heard before (UTC) is counted; None: not known."""
    is_late: bool
    state: str
    """Of the shown month's books; '' where that is not told."""
    not_closed: tuple[str, ...]
    """Months that are over and not closed, from the last closed one on; of all, none was closed."""
    last_closed: str | None


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An alert in a line."""

    id: int
    said: str
    level: str
    crossed_at: datetime


def complete(
    session: Session, tenant: int, visitor: Visitor, shown: ShownMonth, until: datetime | None
) -> Complete:
    """What a key of one team is not told of are the books of months."""
    is_late = until is None or visitor.now - until > LATE
    if visitor.team is not None:
        return Complete(until, is_late, "", (), None)
    held = months.held(session, tenant)
    state = next((each.state for each in held if each.period == shown.period), OPEN)
    closed = [each for each in held if each.state == CLOSED]
    return Complete(
        until=until,
        is_late=is_late,
        state=state,
        not_closed=tuple(_not_closed(held, visitor)),
        last_closed=closed[-1].name if closed else None,
    )


def open_alerts(session: Session, tenant: int, visitor: Visitor) -> tuple[Sequence[OpenAlert], int]:
    """The latest that nobody has acknowledged, and how many there are."""
    only = () if visitor.team is None else (visitor.team,)
    wanted = alerts.Wanted(state=OPEN_ALERT, teams_alone=only)
    found = alerts.alerts(session, tenant, wanted, now=visitor.now, at_most=MOST_ALERTS)
    count = len(found)
    if count == MOST_ALERTS:
        count = alerts.count_by_state(session, tenant, wanted, visitor.now).get(OPEN_ALERT, 0)
    shown = [OpenAlert(each.id, said_of(each), each.level, each.crossed_at) for each in found]
    return shown, count


def _not_closed(held: Sequence[LedgerMonth], visitor: Visitor) -> list[str]:
    """Months after the last that is not open, as far as they are over; and those soft-closed."""
    found = [each.name for each in held if each.state not in {OPEN, CLOSED}]
    following = next_open(held, visitor.settings.calendar)
    if following is None:
        return found
    period = visitor.settings.calendar.period_at(following.period.start)
    while period.end <= visitor.now and len(found) < 24:  # noqa: PLR2004 - two years
        found.append(period.name)
        period = visitor.settings.calendar.next(period)
    return found
