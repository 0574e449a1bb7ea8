"""A month's teams beside their budgets: a table, and all budgets of teams together."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from fastapi import Request
from markupsafe import Markup
from sqlalchemy.orm import Session

from api.pages.budgets.budget_bar import TONES, budget_bar
from api.pages.budgets.budget_stands import board_of
from api.pages.links import elsewhere
from api.pages.overview.overview_month import ShownMonth
from api.pages.overview.overview_spend import MonthSpend
from api.pages.tables import Cell, Column, Held, Table
from api.pages.teams.team_list import NOBODYS, team_address
from api.pages.visitor import Visitor
from spend.budgets.budget_attention import OK, OVER, Stands
from spend.budgets.budgets import Budget, only_team, reached
from spend.money import EXACT, ROUNDING
from spend.statements.statement_sides import exact_sum
from store.statements.statements import budgets_of

MOST_TEAMS: Final = 15
"""Shown, and as many whose budget needs a look; /teams has all."""
_SILENT: Final = Cell("", show="")


_BUDGETS: Final = (
    Column("limit", "Budget", "money", narrow=False),
    Column("used", "Used", hint="Spend and what is expected, of the budget"),
)


@dataclass(frozen=True, slots=True)
class Budgeted:
    """Monthly budgets, in the visitor's currency."""

    of_all: Stands | None
    """On everything, of those the one of which the least is left."""
    of_teams: Mapping[str, Stands]
    """On one team alone, likewise."""

    @property
    def limit(self) -> Decimal:
        """What all teams' come to."""
        return exact_sum(each.limit for each in self.of_teams.values())

    @property
    def spent(self) -> Decimal:
        """What those teams spent of them."""
        return exact_sum(each.spent or Decimal(0) for each in self.of_teams.values())

    @property
    def over(self) -> int:
        """How many teams are over."""
        return sum(each.word == OVER for each in self.of_teams.values())


def budgeted(
    session: Session, tenant: int, visitor: Visitor, shown: ShownMonth, spend: MonthSpend
) -> Budgeted:
    """As they were last compared; of a month that is over, by its spend and the amounts then."""
    if shown.is_present:
        board = board_of(session, tenant, visitor.caller, visitor.now)
        stands: list[Stands] = list(board.stands.values())
    else:
        held = budgets_of(session, tenant, shown.period, visitor.now)
        stands = [_stands(each, shown, spend) for each in held]
    found = [each for each in stands if _is_monthly(each.budget, visitor)]
    teams: dict[str, Stands] = {}
    for each in sorted(found, key=_left, reverse=True):
        team = only_team(each.budget.terms.filter)
        if team is not None and len(each.budget.terms.filter) == 1:
            teams[team] = _with_spent(each, spend.teams.get(team, Decimal(0)))
    if visitor.team is not None:
        return Budgeted(None, {team: its for team, its in teams.items() if team == visitor.team})
    every = [each for each in found if not each.budget.terms.filter]
    of_all = _with_spent(min(every, key=_left), spend.total) if every else None
    return Budgeted(of_all, teams)


def teams_table(
    request: Request,
    visitor: Visitor,
    shown: ShownMonth,
    spend: MonthSpend,
    budgets: Budgeted,
    *,
    every: bool,
) -> Table:
    """Teams, the dearest first; what is nobody's after them. Not ``every``: the first ones."""
    names = {*spend.teams, *spend.teams_before, *budgets.of_teams}
    ordered = sorted(names, key=lambda each: (each in NOBODYS, -spend.teams.get(each, 0), each))
    own = [team for team in ordered if team not in NOBODYS]
    listed = own if every else _listed(own, budgets)
    left = [team for team in own if team not in listed]
    rows = [
        _row(request, visitor, shown, spend, budgets.of_teams.get(team), team)
        for team in (*listed, *(each for each in ordered if each in NOBODYS))
    ]
    if left:
        rows.insert(len(listed), _others(request, shown, spend, left))
    share = _share(budgets.spent, budgets.limit)
    return Table(
        columns=(
            Column("team", "Team"),
            Column("cost", "Spend", "money"),
            Column(
                "difference",
                "Change",
                "difference",
                "Against the same part of the month before",
                narrow=False,
            ),
            *(_BUDGETS if budgets.of_teams else ()),
        ),
        rows=rows,
        caption="Teams against budgets" if budgets.of_teams else "Teams",
        file=f"teams-{shown.month}",
        currency=visitor.currency,
        total={
            "team": "Total",
            "cost": spend.total,
            "difference": EXACT.subtract(spend.total, spend.before),
            "limit": budgets.limit,
            "used": Cell(
                share, show=visitor.formats.percent(share, 0), note="of teams that have one"
            ),
        },
    )


def _listed(teams: Sequence[str], budgets: Budgeted) -> Collection[str]:
    """The dearest, and of the others those whose budget needs a look; in the order given."""
    look = [
        team
        for team in teams[MOST_TEAMS:]
        if team in budgets.of_teams and TONES.get(budgets.of_teams[team].word)
    ]
    chosen = {*teams[:MOST_TEAMS], *look[:MOST_TEAMS]}
    return [team for team in teams if team in chosen]


def _others(
    request: Request, shown: ShownMonth, spend: MonthSpend, teams: Sequence[str]
) -> Mapping[str, Held | Cell]:
    cost = exact_sum(spend.teams.get(team, Decimal(0)) for team in teams)
    before = exact_sum(spend.teams_before.get(team, Decimal(0)) for team in teams)
    name = f"{len(teams)} other team{'s' if len(teams) > 1 else ''}"
    return {
        "team": Cell(name, href=elsewhere(request, "/teams", month=str(shown.month))),
        "cost": cost,
        "difference": EXACT.subtract(cost, before),
        "limit": _SILENT,
        "used": _SILENT,
    }


def _row(
    request: Request,
    visitor: Visitor,
    shown: ShownMonth,
    spend: MonthSpend,
    stands: Stands | None,
    team: str,
) -> Mapping[str, Held | Cell]:
    cost, before = spend.teams.get(team), spend.teams_before.get(team)
    row: dict[str, Held | Cell] = {
        "team": Cell(
            team,
            href=team_address(request, team, str(shown.month)),
            note=NOBODYS.get(team),
            tone="quiet" if team in NOBODYS else "",
        ),
        "cost": cost,
        "difference": None
        if cost is None and before is None
        else EXACT.subtract(cost or Decimal(0), before or Decimal(0)),
    }
    row["limit"] = row["used"] = _SILENT
    if stands is not None:
        row["limit"] = Cell(stands.limit, href=elsewhere(request, f"/budgets/{stands.budget.id}"))
        row["used"] = _used(visitor, stands)
    return row


def _used(visitor: Visitor, stands: Stands) -> Cell:
    share = _share(stands.spent or Decimal(0), stands.limit)
    told = Markup("{}{}").format(budget_bar(stands), visitor.formats.percent(share, 0))
    note = None if stands.word == OK else stands.word
    return Cell(share, show=told, note=note, tone=TONES.get(stands.word, ""))


def _share(spent: Decimal, limit: Decimal) -> Decimal | None:
    return round(ROUNDING.divide(spent, limit), 6) if limit else None


def _stands(budget: Budget, shown: ShownMonth, spend: MonthSpend) -> Stands:
    team = only_team(budget.terms.filter)
    spent = spend.total if team is None else spend.teams.get(team, Decimal(0))
    return _with_spent(Stands(budget, shown.period, budget.terms.amount, None), spent)


def _with_spent(stands: Stands, spent: Decimal) -> Stands:
    """One that was not compared yet, by what the page says."""
    if stands.spent is not None:
        return stands
    is_over = bool(reached(spent, stands.limit, (100,)))
    return replace(stands, spent=spent, state=OVER if is_over else OK)


def _is_monthly(budget: Budget, visitor: Visitor) -> bool:
    return (budget.terms.period, budget.terms.currency) == ("month", visitor.currency)


def _left(stands: Stands) -> Decimal:
    return EXACT.subtract(stands.limit, stands.spent or Decimal(0))
