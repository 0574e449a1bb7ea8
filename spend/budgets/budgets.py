"""Budgets: what a limit is on, and when it is reached.

A budget has versions. A change makes a new one at once and keeps what was spent: spend belongs to
the period and the filter, not to the version. A version that measures the same thing as the one
before it (a new name, another webhook, one threshold more) carries on with its crossings; one that
measures another thing (amount, filter, period, zone) warns again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Final

from spend.fiscal import CALENDAR_YEAR, FiscalYear
from spend.money import EXACT

OWNER_DIMENSIONS: Final = ("team", "project", "service", "environment", "feature", "customer")
ROUTE_DIMENSIONS: Final = (
    "provider",
    "model",
    "request_model",
    "operation",
    "deployment",
    "region",
)
DIMENSIONS: Final = (*OWNER_DIMENSIONS, *ROUTE_DIMENSIONS)
"""What a budget can be on: what spend can be asked by."""

NOT_SAID: Final = ""
"""As a value of a filter: spend that has no value there."""

DEFAULT_THRESHOLDS: Final = (80, 100)


@dataclass(frozen=True, slots=True)
class OwnPeriod:
    """Periods that no calendar has: from a day on, in the budget's zone."""

    starts_on: date
    days: int | None = None
    """Each has so many days, and the next follows; None: there is one alone."""
    ends_on: date | None = None
    """The last day of the one that there is; None where they go on."""


Filter = Mapping[str, tuple[str, ...]]
"""Dimension -> values, of which one must be; all dimensions must fit. Empty: everything."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a budget says: made by ``budget_terms.py``, which refuses what makes no sense."""

    name: str
    filter: Filter
    amount: Decimal
    """In ``currency``, >= 0; of 0 any spend is over."""
    currency: str
    period: str
    """One of ``spend.budgets.budget_periods.KINDS``."""
    timezone: str
    """IANA name of the zone that its periods are cut in."""
    thresholds: tuple[int, ...]
    """Percent of the amount, ascending."""
    webhook_url: str | None
    """Where to warn, a secret; None: where all warnings go."""
    fiscal: FiscalYear = CALENDAR_YEAR
    """By which its fiscal periods are cut."""
    own_period: OwnPeriod | None = None
    """How its periods are cut, of the period ``custom``."""
    rollover_cap: Decimal | None = None
    """At most so much of what one period leaves over goes into the next; None: nothing does."""
    parent_id: int | None = None
    """The budget that it is a part of."""
    owner: str | None = None
    """Whom to ask about it."""
    forecast_thresholds: tuple[int, ...] = ()
    """Percent of the limit that a period is expected to reach, ascending."""
    pace_thresholds: tuple[int, ...] = ()
    """Percent of the even rate, ascending: of 200 it is spent twice as fast as it would last."""
    channel_ids: tuple[int, ...] = ()
    """Where to warn; none: where its team's, or all, warnings go."""
    remind_hours: int | None = None
    """Who is still over is reminded after so many hours; None: never."""

    def measures_like(self, other: "Terms") -> bool:
        """Whether a crossing of the one is a crossing of the other."""
        measures = attrgetter(
            *("filter", "amount", "currency", "period", "timezone", "fiscal"),
            *("own_period", "rollover_cap"),
        )
        return bool(measures(self) == measures(other))


@dataclass(frozen=True, slots=True)
class Budget:
    """One version of a budget, in force from ``created_at`` to ``replaced_at`` (UTC)."""

    id: int
    version: int
    terms: Terms
    created_at: datetime
    replaced_at: datetime | None = None
    armed: int = 1
    """The first version of those in a row that measure like this one: crossings are its."""
    effective_from: datetime | None = None
    """From when it holds (UTC), should that be later than when it was made."""
    unreadable: str | None = None
    """Why not all of its terms can be read, as a later version of spanledger wrote them."""

    @property
    def starts(self) -> datetime:
        """From when it holds."""
        return self.effective_from or self.created_at

    def in_force(self, at: datetime) -> bool:
        """Whether it holds at a moment."""
        return self.starts <= at and (self.replaced_at is None or at < self.replaced_at)


def reached(spent: Decimal, amount: Decimal, thresholds: Iterable[int]) -> tuple[int, ...]:
    """The thresholds that are reached: exactly at one is. Of an amount of 0, by any spend."""
    if spent <= 0:
        return ()
    hundredfold = EXACT.multiply(spent, Decimal(100))
    return tuple(
        each for each in thresholds if hundredfold >= EXACT.multiply(amount, Decimal(each))
    )


def percent(spent: Decimal, amount: Decimal) -> Decimal | None:
    """Spent in percent of the amount, cut (not rounded up) to 2 decimals; None of an amount of 0.

    Cut, so that 99.999 % does not read as a threshold that it has not reached.
    """
    if amount == 0:
        return None
    basis_points = EXACT.divide_int(EXACT.multiply(spent, Decimal(10_000)), amount)
    return basis_points.scaleb(-2, EXACT)


def filter_text(wanted: Filter) -> str:
    """What a filter lets through, for people: ``team=search or ads, model=gpt-4o``."""
    told = [
        f"{name}={' or '.join(value or '(none)' for value in values)}"
        for name, values in wanted.items()
    ]
    return ", ".join(told) or "everything"


def only_team(wanted: Filter) -> str | None:
    """The one team that a filter is on; None: on several, or on all."""
    teams = wanted.get("team", ())
    return teams[0] if len(teams) == 1 else None


def with_arming(versions: Sequence[tuple[int, Terms]]) -> list[int]:
    """For each version of one budget, ascending, the version that its crossings belong to."""
    armed: list[int] = []
    for position, (version, terms) in enumerate(versions):
        carries_on = position > 0 and terms.measures_like(versions[position - 1][1])
        armed.append(armed[-1] if carries_on else version)
    return armed
