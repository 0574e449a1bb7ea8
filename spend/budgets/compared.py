"""Which periods of a budget are compared at a moment, and by which of its versions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from spend.budgets.budget_periods import last_period_of, period_of
from spend.budgets.budgets import Budget
from spend.periods import Period

LONGEST_CHAIN: Final = 60
"""Periods that are caught up with, where nobody compared them in time."""
_INSTANT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Compared:
    """A period of a budget, and the version by which it is compared."""

    budget: Budget
    period: Period
    present: bool
    """It goes on; else it has ended."""


def present_of(versions: Sequence[Budget], now: datetime) -> Compared | None:
    """The period that goes on, by the version in force; None: custom ones are over, or to come."""
    current = versions[-1]
    period = period_of(current.terms, now)
    return None if period is None else Compared(current, period, present=True)


def last_of(version: Budget, now: datetime) -> Compared | None:
    """The last period of a version; None unless it was in force when that ended.

    Not by what was set later: what was told of it would change.
    """
    last = last_period_of(version.terms, now)
    if last is None or not version.in_force(last.end - _INSTANT):
        return None
    return Compared(version, last, present=False)


def chain(
    versions: Sequence[Budget], of: Compared, is_known: Callable[[Period], bool]
) -> list[Compared]:
    """The periods before one, latest first, that have to be measured to know what rolls into it.

    Back to where it is known what a period came to, or nothing rolls into one.
    """
    found: list[Compared] = []
    while of.budget.terms.rollover_cap is not None and len(found) < LONGEST_CHAIN:
        before = before_of(versions, of)
        if before is None or is_known(before.period):
            break
        found.append(before)
        of = before
    return found


def before_of(versions: Sequence[Budget], of: Compared) -> Compared | None:
    """The period that ends where one begins, by the version in force at its end.

    None: the budget was not in force, or in another currency, or of periods that end elsewhere.
    """
    moment = of.period.start - _INSTANT
    held = [each for each in versions if each.in_force(moment)]
    if not held or held[-1].unreadable is not None:
        return None
    if held[-1].terms.currency != of.budget.terms.currency:
        return None
    period = period_of(held[-1].terms, moment)
    if period is None or period.end != of.period.start:
        return None
    return Compared(held[-1], period, present=False)
