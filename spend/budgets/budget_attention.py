"""Which budgets need a look first: how each stands in its present period, in one word."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from spend.budgets.budgets import Budget, percent, reached
from spend.forecasts.forecast import Forecast
from spend.periods import Period

OVER: Final = "over"
EXPECTED: Final = "expected over"
WARNING: Final = "warning"
RECOVERED: Final = "recovered"
OK: Final = "ok"
NOT_COMPARED: Final = "not compared"
NO_PERIOD: Final = "no period now"
WORDS: Final = (OVER, EXPECTED, WARNING, RECOVERED, OK, NOT_COMPARED, NO_PERIOD)
"""The one that needs a look first, first."""

_DAY: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Stands:
    """A budget in its present period."""

    budget: Budget
    period: Period | None
    """None: there is none now."""
    limit: Decimal
    """The amount, and what was rolled in."""
    spent: Decimal | None
    """None: it was not compared yet, in this period or with its present terms."""
    state: str = OK
    """As ``spend/budgets/budget_states.py`` has it: ok, warning, over or recovered."""
    forecast: Forecast | None = None
    without_rate: Collection[str] = ()
    """Currencies in which something was spent that is not in ``spent``: they have no rate."""

    @property
    def word(self) -> str:
        """One of WORDS: over goes before what is expected, that before a warning."""
        if self.period is None:
            return NO_PERIOD
        if self.spent is None:
            return NOT_COMPARED
        if self.state != OVER and self.expected_over:
            return EXPECTED
        return self.state

    @property
    def expected_over(self) -> bool:
        """Whether its period should come to all of its limit, or more."""
        return self.forecast is not None and bool(
            reached(self.forecast.expected, self.limit, (100,))
        )

    @property
    def runs_out(self) -> datetime | None:
        """When its limit is reached, if spend goes evenly from here to what is expected; UTC.

        None: it is reached already, or not expected to be.
        """
        if self.word != EXPECTED or self.forecast is None or self.period is None:
            return None
        spent, expected = self.spent or Decimal(0), self.forecast.expected
        begins = max(self.forecast.through, self.period.start)
        if not spent < self.limit <= expected or begins >= self.period.end:
            return None
        seconds = (self.period.end - begins) // _SECOND
        return begins + timedelta(seconds=int((self.limit - spent) * seconds / (expected - spent)))

    @property
    def percent(self) -> Decimal | None:
        """Spent of the limit, cut to 2 decimals; None of a limit of 0."""
        return None if self.spent is None else percent(self.spent, self.limit)

    @property
    def urgency(self) -> tuple[int, Decimal]:
        """Sorts: what needs a look first is least."""
        share = self.percent
        # Of a limit of 0 whatever is spent is more than any share.
        most = Decimal("Infinity") if self.spent else Decimal(0)
        return WORDS.index(self.word), -(most if share is None else share)


def days_left(period: Period, now: datetime) -> int:
    """How many days a period goes on, the one that has begun included; 0: it is over."""
    return max(0, -((now - period.end) // _DAY))
