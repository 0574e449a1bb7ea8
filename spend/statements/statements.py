"""A month's statement: one value, from which every format is made.

Lines add up to the coin (``spend/statements/statement_lines.py``); the difference to the month
before is in parts (``spend/statements/why.py``); where the work was done and what mends earlier
months stand beside (``spend/statements/statement_parts.py``).
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from spend.booked import Booked, BookedCommitment, BookedPool
from spend.budgets.budgets import Budget
from spend.currencies.exchange import UsedRate
from spend.fiscal import FiscalPeriod
from spend.money import EXACT, rounded
from spend.statements.rounded_parts import rounded_table
from spend.statements.statement_lines import Figures, Line, lines_of, no_coins, sum_of, team_order
from spend.statements.statement_parts import CorrectedLine, Place, corrected_lines, places_of
from spend.statements.statement_sides import exact_sum, side_of
from spend.statements.why import Why, amounts_of, why_changed


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
    why: Why
    """Why its amount changed, in whole coins that add up to the difference, and over teams."""
    budgets: tuple[BudgetLine, ...]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Money that no rate was for: it is in no other figure of the statement."""

    currency: str
    cost: Decimal
    billed_cost: Decimal


@dataclass(frozen=True, slots=True)
class Books:
    """How sure a month's books are."""

    state: str = "open"
    """``open``, ``soft-closed`` or ``closed``."""
    hash: str | None = None
    """Of the record that a closed month was closed with."""
    complete_until: datetime | None = None
    """Everything heard before it is counted (UTC). None: not known, or it is closed, and what was
    heard since is not in it."""
    as_known_at: datetime | None = None
    """The moment (UTC) whose knowledge the statement shows; None: as it is known now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A month, of all teams or of one."""

    month: FiscalPeriod
    before: FiscalPeriod
    """The month that it is compared with."""
    zone: ZoneInfo
    currency: str
    team: str | None
    parts: tuple[TeamPart, ...]
    """The dearest team first; unallocated, idle, unused and commitments last."""
    total: Figures
    why: Why
    """Why the total changed, in whole coins."""
    places: tuple[Place, ...]
    corrected: tuple[CorrectedLine, ...]
    pools: tuple[BookedPool, ...]
    """Empty in the statement of one team; so are commitments."""
    commitments: tuple[BookedCommitment, ...]
    elsewhere: tuple[Elsewhere, ...]
    rates: tuple[UsedRate, ...]
    books: Books

    @property
    def lines(self) -> tuple[Line, ...]:
        """Every team's."""
        return tuple(line for part in self.parts for line in part.lines)

    def part(self, team: str) -> TeamPart | None:
        """A team's part, if it has one."""
        return next((part for part in self.parts if part.team == team), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What a statement is made from; all money that is counted is in its currency.

    Money in another one, for which there is no rate, is told of and not counted.
    """

    now: Sequence[Booked]
    last: Sequence[Booked]
    at_last_rates: Sequence[Booked] | None = None
    """The month's, converted as last month's were; None: nothing was converted."""
    budgets: Sequence[Budget] = ()
    """All that hold; those of one team, for a month, in this currency are shown."""
    pools: Sequence[BookedPool] = ()
    commitments: Sequence[BookedCommitment] = ()
    rates: Sequence[UsedRate] = ()
    books: Books = field(default_factory=Books)


def draw_up(
    month: FiscalPeriod,
    before: FiscalPeriod,
    zone: ZoneInfo,
    currency: str,
    sources: Sources,
    *,
    month_of: Callable[[date], str] = lambda day: f"{day:%Y-%m}",
    team: str | None = None,
) -> Statement:
    """The statement of a month from what is booked in it and in the one before.

    ``month_of`` names the month that a day is of.
    """
    rows = [row for row in sources.now if row.currency in {None, currency}]
    now = side_of(rows)
    last = side_of(row for row in sources.last if row.currency in {None, currency})
    at_last = now
    if sources.at_last_rates is not None:
        at_last = side_of(row for row in sources.at_last_rates if row.currency in {None, currency})
    lines = lines_of(now, last, why_changed(now, last, at_last), currency)
    sums = {name: sum_of([line.figures for line in own], currency) for name, own in lines.items()}
    reasons = _in_coins(sums, currency)
    names = sorted(lines, key=lambda name: team_order(name, sums[name].spent))
    if team is not None:
        names = [name for name in names if name == team]
        rows = [row for row in rows if row.team == team]
    parts = tuple(
        TeamPart(
            team=name,
            lines=tuple(lines[name]),
            figures=sums[name],
            why=reasons[name],
            budgets=_of_team(sources.budgets, name, sums[name], currency),
        )
        for name in names
    )
    total = sum_of([part.figures for part in parts], currency)
    return Statement(
        month=month,
        before=before,
        zone=zone,
        currency=currency,
        team=team,
        parts=parts,
        total=total,
        why=Why.together(part.why for part in parts),
        places=places_of(rows, currency, total.amount or no_coins(currency)),
        corrected=corrected_lines(rows, currency, month_of),
        pools=tuple(sources.pools) if team is None else (),
        commitments=tuple(sources.commitments) if team is None else (),
        elsewhere=_elsewhere(sources.now, currency, team),
        rates=tuple(sources.rates),
        books=sources.books,
    )


def _in_coins(sums: Mapping[str, Figures], currency: str) -> dict[str, Why]:
    """Why each team's amount changed, in whole coins."""
    rows = [amounts_of(figures.why) for figures in sums.values()]
    # An amount that is unknown is in no total either: what is known of the other is the difference.
    nothing = no_coins(currency)
    wholes = [
        EXACT.subtract(figures.amount or nothing, figures.last_amount or nothing)
        for figures in sums.values()
    ]
    table = rounded_table(rows, wholes, currency)
    return {name: Why(*parts) for name, parts in zip(sums, table, strict=True)}


def _of_team(
    budgets: Sequence[Budget], team: str, figures: Figures, currency: str
) -> tuple[BudgetLine, ...]:
    spent = figures.amount if figures.amount is not None else no_coins(currency)
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


def _elsewhere(rows: Sequence[Booked], currency: str, team: str | None) -> tuple[Elsewhere, ...]:
    groups: defaultdict[str, list[Booked]] = defaultdict(list)
    for row in rows:
        if row.currency not in {None, currency} and team in {None, row.team}:
            groups[str(row.currency)].append(row)
    return tuple(
        Elsewhere(
            code,
            exact_sum(row.totals.cost or Decimal(0) for row in groups[code]),
            exact_sum(row.totals.billed_cost or Decimal(0) for row in groups[code]),
        )
        for code in sorted(groups)
    )
