"""Where budgets stand: what is spent in the period that a moment is in, and what was reached."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from spend.budgets.budget_states import ACTUAL, Key, Measure, Recorded, state
from spend.budgets.budgets import Budget, percent
from spend.money import EXACT
from spend.periods import Period
from store.budgets import budgets as kept
from store.budgets.budget_measures import Measured, measure
from store.budgets.crossings import recorded
from store.budgets.forecasts import forecast_among, forecasts
from store.completeness import complete_until


@dataclass(frozen=True, slots=True)
class Status:
    """A budget in its present period."""

    budget: Budget
    period: Period | None
    """None: custom ones are over or to come, or nobody can tell (``trouble``)."""
    spent: Decimal
    """Exact, in the budget's currency."""
    crossed_at: Mapping[int, datetime | None]
    """By threshold (percent): when it was found reached (UTC); None: it is not, or not any more."""
    complete_until: datetime | None
    """Everything heard before (UTC) is in ``spent``; None: not known."""
    without_rate: Mapping[str, Decimal] = field(default_factory=dict)
    """Currency -> what was spent in it and is not in ``spent``, as it has no rate."""
    rolled_in: Decimal = Decimal(0)
    """What the last period left over, to its cap."""
    pace: int | None = None
    """Percent of the even rate of late, cut; None: it is not measured."""
    state: str = "ok"
    """ok, warning, over or recovered."""
    trouble: str | None = None
    """Why it cannot be compared; None: it can."""

    @property
    def limit(self) -> Decimal:
        """The amount, and what was rolled in."""
        return EXACT.add(self.budget.terms.amount, self.rolled_in)

    @property
    def percent(self) -> Decimal | None:
        """Of the limit, cut to 2 decimals; None of a limit of 0."""
        return percent(self.spent, self.limit)

    @property
    def left(self) -> Decimal:
        """What is left of the limit; negative when over."""
        return EXACT.subtract(self.limit, self.spent)


def statuses(
    session: Session, tenant: int, budgets: Sequence[Budget], now: datetime
) -> list[Status]:
    """Where each budget stands at ``now``, in a constant few statements."""
    ids = {budget.id for budget in budgets}
    history = kept.with_history(session, tenant, now, ids)
    complete = complete_until(session)
    measures = measure(session, tenant, history, now, as_of=complete, present_alone=True)
    present = {each.budget.id: each for each in measures.found if each.present}
    since = min((each.period.start for each in present.values()), default=now)
    known = recorded(session, tenant, ids, since)
    expected = forecasts(session, tenant)
    found = []
    for budget in budgets:
        measured = present.get(budget.id)
        if measured is None:
            trouble = measures.troubles.get(budget.id)
            crossed_at = dict.fromkeys(budget.terms.thresholds)
            found.append(Status(budget, None, Decimal(0), crossed_at, complete, trouble=trouble))
        else:
            its = known.get((budget.id, budget.armed, measured.period.start), {})
            forecast = forecast_among(expected, budget, measured.period)
            judged = Measure(measured.spent, measured.limit, True, forecast, measured.pace)
            found.append(_status(judged, measured, its, complete))
    return found


def _status(
    judged: Measure,
    measured: Measured,
    known: Mapping[Key, Recorded],
    complete: datetime | None,
) -> Status:
    budget, terms = measured.budget, measured.budget.terms
    reached = {each: known.get((ACTUAL, each)) for each in terms.thresholds}
    return Status(
        budget,
        measured.period,
        measured.spent,
        {
            threshold: crossing.crossed_at if crossing is not None and crossing.open else None
            for threshold, crossing in reached.items()
        },
        complete,
        measured.without_rate,
        rolled_in=measured.rolled_in,
        pace=None if measured.pace is None else measured.pace.percent,
        state=state(judged, terms, known.values()),
    )
