"""Where budgets stood when they were last compared: what lists of them show."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from api.auth import Caller
from api.budgets.budgets import seen_by
from spend.budgets.budget_attention import Stands
from spend.budgets.budget_periods import period_of
from spend.budgets.budgets import Budget
from spend.forecasts.forecast import Forecast
from store.budgets.budget_names import Names
from store.budgets.forecasts import Key, forecast_among, forecasts
from store.budgets.standings import Standing, standings


@dataclass(frozen=True, slots=True)
class Board:
    """The budgets that somebody may see."""

    there: Names
    stands: dict[int, Stands]
    """By id."""
    as_of: datetime | None
    """Everything heard before (UTC) is in it; None: nothing was compared yet."""

    def children(self, budget_id: int) -> list[Stands]:
        """Those that are parts of a budget."""
        return [self.stands[each.id] for each in self.there.children(budget_id)]

    def roots(self) -> list[Stands]:
        """Those that are part of none that is to be seen."""
        return [
            each for each in self.stands.values() if each.budget.terms.parent_id not in self.stands
        ]


def board_of(session: Session, tenant: int, who: Caller, now: datetime) -> Board:
    """Where each budget stands that a caller may see, in a constant few statements."""
    there = seen_by(who, session, tenant, now)
    kept = {each.budget_id: each for each in standings(session, tenant)}
    expected = forecasts(session, tenant)
    stands = {
        number: _stands(versions[0], kept.get(number), expected, now)
        for number, versions in there.live.items()
    }
    known = [each.as_of for each in kept.values() if each.as_of is not None]
    return Board(there, stands, max(known, default=None))


def _stands(
    budget: Budget, kept: Standing | None, expected: dict[Key, Forecast], now: datetime
) -> Stands:
    try:
        period = period_of(budget.terms, now)
    except Exception:  # noqa: BLE001  # a zone that this machine does not have, …
        return Stands(budget, None, budget.terms.amount, None)
    # A standing of another period, or of terms that measured something else, says nothing of this.
    if (
        period is None
        or kept is None
        or kept.version < budget.armed
        or kept.period.start != period.start
    ):
        return Stands(budget, period, budget.terms.amount, None)
    forecast = forecast_among(expected, budget, period)
    without = sorted(kept.without_rate)
    return Stands(budget, period, kept.limit, kept.spent, kept.state, forecast, without)


def in_order(board: Board, shown: Collection[int]) -> list[tuple[Stands, int]]:
    """Budgets and how deep each lies, its children below it; what needs a look first comes first.

    A parent stands where the most urgent of it and its children would. ``shown``: these alone, the
    others leave no gap.
    """
    found: list[tuple[Stands, int]] = []

    def urgency(stands: Stands) -> tuple[tuple[int, object], str]:
        below = [urgency(each)[0] for each in board.children(stands.budget.id)]
        own = [stands.urgency] if stands.budget.id in shown else []
        return min([*own, *below], default=(99, 0)), stands.budget.terms.name

    def add(some: list[Stands], depth: int) -> None:
        for each in sorted(some, key=urgency):
            is_shown = each.budget.id in shown
            if is_shown:
                found.append((each, depth))
            add(board.children(each.budget.id), depth + is_shown)

    add(board.roots(), 0)
    return found
