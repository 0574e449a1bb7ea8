"""A month's statement: lines by team, provider and model that add up, to the coin.

Exact amounts are rounded once: the month's total, then the teams' so that they add up to it, then
each team's lines so that they add up to the team's (largest remainder, ``spend/money.py``). So a
team's own statement says what its line in everybody's statement says.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from spend.budgets import Budget
from spend.money import EXACT, minor_digits, rounded, rounded_lines
from spend.owners import COMMITMENTS, IDLE, UNALLOCATED, UNUSED
from spend.periods import Month, Period, month_period
from spend.totals import Totals, together

_LAST: Final = {UNALLOCATED: 1, IDLE: 2, UNUSED: 3, COMMITMENTS: 4}

LineKey = tuple[str, str | None, str | None]
"""Team, provider, model."""

Spent = Mapping[LineKey, Totals]


@dataclass(frozen=True, slots=True)
class Figures:
    """What one line, or a sum of lines, says."""

    spent: Totals
    """This month, exact."""
    amount: Decimal | None
    """The same in whole coins; None where its cost is unknown."""
    last_cost: Decimal | None
    """Last month, exact."""
    last_amount: Decimal | None

    @property
    def difference(self) -> Decimal | None:
        """The amount less last month's, in whole coins; None where one of them is unknown."""
        if self.amount is None or self.last_amount is None:
            return None
        return EXACT.subtract(self.amount, self.last_amount)


@dataclass(frozen=True, slots=True)
class Line:
    """What a team spent on a provider's model."""

    team: str
    provider: str | None
    model: str | None
    figures: Figures


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """A team's monthly budget, and what the month left of it."""

    id: int
    name: str
    amount: Decimal
    difference: Decimal
    """Budget less spent, in whole coins: negative when it is over."""


@dataclass(frozen=True, slots=True)
class TeamPart:
    """A team's lines and their sum."""

    team: str
    lines: tuple[Line, ...]
    figures: Figures
    budgets: tuple[BudgetLine, ...]


@dataclass(frozen=True, slots=True)
class PoolLine:
    """What a pool cost in the month, and how much of that nobody used. Exact."""

    name: str
    cost: Decimal
    idle: Decimal


@dataclass(frozen=True, slots=True)
class Statement:
    """A month, of all teams or of one."""

    month: Month
    period: Period
    zone: ZoneInfo
    currency: str
    team: str | None
    parts: tuple[TeamPart, ...]
    """The dearest team first; unallocated and idle last."""
    total: Figures
    pools: tuple[PoolLine, ...]
    """Empty in the statement of one team."""
    complete_until: datetime | None

    @property
    def lines(self) -> tuple[Line, ...]:
        """Every team's."""
        return tuple(line for part in self.parts for line in part.lines)

    def part(self, team: str) -> TeamPart | None:
        """A team's part, if it has one."""
        return next((part for part in self.parts if part.team == team), None)


def draw_up(
    month: Month,
    zone: ZoneInfo,
    currency: str,
    *,
    spent: Spent,
    last: Spent,
    budgets: Sequence[Budget],
    pools: Sequence[PoolLine],
    complete_until: datetime | None,
    team: str | None = None,
) -> Statement:
    """The statement of a month from what was spent in it and in the month before.

    ``budgets`` are all that hold; those of one team, for a month, in this currency are shown.
    """
    amounts, last_amounts = _in_coins(spent, currency), _in_coins(last, currency)
    by_team: defaultdict[str, list[LineKey]] = defaultdict(list)
    for key in {*spent, *last}:
        by_team[key[0]].append(key)
    if team is not None:
        by_team = defaultdict(list, {team: by_team[team]} if team in by_team else {})
    sums = {
        name: together(spent.get(key, Totals()) for key in keys) for name, keys in by_team.items()
    }
    parts = []
    for name in sorted(by_team, key=lambda each: (_LAST.get(each, 0), *_dearest(sums[each]), each)):
        keys = sorted(by_team[name], key=lambda key: _order(key, spent.get(key, Totals())))
        lines = [
            Line(
                *key,
                Figures(
                    spent=spent.get(key, Totals()),
                    amount=amounts.get(key, _nothing(currency)),
                    last_cost=last[key].cost if key in last else None,
                    last_amount=last_amounts.get(key, _nothing(currency)),
                ),
            )
            for key in keys
        ]
        figures = _sum([line.figures for line in lines], currency)
        parts.append(
            TeamPart(name, tuple(lines), figures, _of_team(budgets, name, figures, currency))
        )
    return Statement(
        month=month,
        period=month_period(month, zone),
        zone=zone,
        currency=currency,
        team=team,
        parts=tuple(parts),
        total=_sum([part.figures for part in parts], currency),
        pools=tuple(pools) if team is None else (),
        complete_until=complete_until,
    )


def _in_coins(spent: Spent, currency: str) -> dict[LineKey, Decimal | None]:
    """What each line shows: whole coins that add up; None where the cost is unknown."""
    shown: dict[LineKey, Decimal | None] = {
        key: None if _is_unknown(totals) else _nothing(currency)
        for key, totals in spent.items()
        if totals.cost is None
    }
    teams: defaultdict[str, list[tuple[LineKey, Decimal]]] = defaultdict(list)
    for key, totals in sorted(spent.items(), key=lambda each: _order(*each)):
        if totals.cost is not None:
            teams[key[0]].append((key, totals.cost))
    names = sorted(teams)
    wholes = [_exact_sum([cost for _key, cost in teams[name]]) for name in names]
    for name, whole in zip(names, rounded_lines(wholes, currency), strict=True):
        lines = rounded_lines([cost for _key, cost in teams[name]], currency, shown=whole)
        for (key, _cost), coins in zip(teams[name], lines, strict=True):
            shown[key] = coins
    return shown


def _is_unknown(totals: Totals) -> bool:
    """Whether what has no ledger lines may cost something."""
    return bool(totals.lacks_price or totals.waiting_calls or any(totals.usage.values()))


def _exact_sum(amounts: Sequence[Decimal]) -> Decimal:
    found = Decimal(0)
    for each in amounts:
        found = EXACT.add(found, each)
    return found


def _sum(figures: Sequence[Figures], currency: str) -> Figures:
    known = [each.last_cost for each in figures if each.last_cost is not None]
    return Figures(
        spent=together(each.spent for each in figures),
        amount=_coins_together([each.amount for each in figures], currency),
        last_cost=_exact_sum(known) if known else None,
        last_amount=_coins_together([each.last_amount for each in figures], currency),
    )


def _coins_together(amounts: Sequence[Decimal | None], currency: str) -> Decimal | None:
    """The sum of what is known; None where nothing is."""
    known = [each for each in amounts if each is not None]
    if amounts and not known:
        return None
    return _exact_sum([_nothing(currency), *known])


def _of_team(
    budgets: Sequence[Budget], team: str, figures: Figures, currency: str
) -> tuple[BudgetLine, ...]:
    spent = figures.amount if figures.amount is not None else _nothing(currency)
    return tuple(
        BudgetLine(
            id=budget.id,
            name=budget.terms.name,
            amount=budget.terms.amount,
            difference=EXACT.subtract(rounded(budget.terms.amount, currency), spent),
        )
        for budget in budgets
        if dict(budget.terms.filter) == {"team": (team,)}
        and (budget.terms.period, budget.terms.currency) == ("month", currency)
    )


def _nothing(currency: str) -> Decimal:
    return Decimal(0).scaleb(-minor_digits(currency))


def _dearest(totals: Totals) -> tuple[bool, Decimal, int]:
    return totals.cost is None, -(totals.cost or Decimal(0)), -totals.calls


def _order(key: LineKey, totals: Totals) -> tuple[object, ...]:
    names = [(value is None, value or "") for value in key]
    return *_dearest(totals), names
