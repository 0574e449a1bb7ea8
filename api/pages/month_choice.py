"""Which months a page offers, how far their books are closed, and what the others are told in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import Field
from sqlalchemy.orm import Session

from api.pages.asked import PageAsked, Text
from api.pages.visitor import Visitor
from spend.fiscal import Calendar, FiscalPeriod
from spend.months.months import CLOSED, OPEN, SOFT_CLOSED, LedgerMonth, MonthAct
from store import rates
from store.months import months

BACK: Final = 12
"""Months before the present one that are offered."""
_RATES: Final = 200
"""Of the last days, currencies are looked for in so many rates."""
TONES: Final = {OPEN: "", SOFT_CLOSED: "warn", CLOSED: "good"}

Policy = Literal["daily", "period-end", "period-average"]
POLICIES: Final = (
    ("daily", "rates of each day"),
    ("period-end", "rate of the last day"),
    ("period-average", "average rate of the month"),
)


class MonthAsked(PageAsked):
    """A month, and how its amounts are told."""

    month: Text | None = None
    currency: Annotated[Text | None, Field(description="ISO 4217.")] = None
    rate_policy: Policy | None = None


@dataclass(frozen=True, slots=True)
class Books:
    """How far a month's books are closed, for a badge."""

    state: str
    hash: str | None
    done: MonthAct | None
    """What was done with it last; None: nothing, or it is not theirs to know."""

    @property
    def tone(self) -> str:
        """Of its badge."""
        return TONES.get(self.state, "")


def calendar_of(visitor: Visitor, timezone: str | None) -> Calendar:
    """The books' own calendar; the same years in another zone where one is asked for."""
    if timezone is None:
        return visitor.settings.calendar
    return Calendar(visitor.zone, visitor.settings.fiscal_year)


def present(calendar: Calendar, now: datetime) -> str:
    """The name of the month that is running."""
    return calendar.period_at(now).name


def offered(
    calendar: Calendar, held: Sequence[LedgerMonth], now: datetime, chosen: str
) -> list[str]:
    """Names of months, the last one first: a year of them, all that were closed, the chosen one."""
    found: dict[str, None] = {}
    period: FiscalPeriod = calendar.period_at(now)
    for _each in range(BACK + 1):
        found[period.name] = None
        period = calendar.previous(period)
    names = list(found | {each.name: None for each in reversed(held)})
    return names if chosen in found or chosen in names else [chosen, *names]


def currencies(session: Session, tenant: int, visitor: Visitor, chosen: str | None) -> list[str]:
    """Currencies that amounts can be told in: the ledger's, and those that rates are known of."""
    known = rates.last_days(session, tenant, at_most=_RATES)
    codes = {each.from_currency for each in known} | {each.to_currency for each in known}
    codes |= {chosen} if chosen else set()
    return [visitor.currency, *sorted(codes - {visitor.currency})]


def books_of(
    session: Session, tenant: int, visitor: Visitor, month: str, *, state: str, sha256: str | None
) -> Books:
    """The state of a month's books, and who did that."""
    if visitor.team is not None or state == OPEN:
        return Books(state, sha256, None)
    done = months.acts(session, tenant).get(month, [])
    return Books(state, sha256, done[-1] if done else None)
