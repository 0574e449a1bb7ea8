"""/teams: what each team's month came to, and what is nobody's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api.dependencies import Reading, Tenant
from api.pages import month_choice
from api.pages.budgets.budget_bar import TONES
from api.pages.day_bars import amount_bars
from api.pages.links import elsewhere, segment
from api.pages.month_choice import MonthAsked
from api.pages.shell import page
from api.pages.tables import Cell, Column, Held, Table, sorted_rows
from api.pages.teams.budget_words import budget_words
from api.pages.visitor import Visiting, Visitor
from api.statements.statements import statement_for
from reports.statements.statement_words import notes
from spend.budgets.budget_attention import OK, OVER
from spend.money import EXACT, ROUNDING, rounded
from spend.owners import COMMITMENTS, IDLE, UNALLOCATED, UNUSED
from spend.periods import Period, day_period, days_in
from spend.slots import SLOT, slot_of
from spend.statements.statements import BudgetLine, Statement, TeamPart
from store.budgets.spent_apart import spent_apart
from store.conversion import Conversion
from store.months import months

router = APIRouter(include_in_schema=False)

NOBODYS: Final[Mapping[str, str]] = {
    UNALLOCATED: "nobody has claimed it",
    IDLE: "capacity that nobody used",
    UNUSED: "committed to and not used",
    COMMITMENTS: "paid in advance, for whoever uses it",
}
"""Teams that are none, in the order in which they stand last, and what they are."""
_LEAST: Final = Decimal(1)
_MILLIONTH: Final = Decimal("0.000001")
_SILENT: Final = Cell(None, show="")


@dataclass(frozen=True, slots=True)
class ByTime:
    """What teams spent by day, and in the same part of the month before."""

    days: Mapping[str, Sequence[Decimal]]
    until_then: Mapping[str, Decimal] | None
    """None: the month is over, and compared with the whole of the one before."""


@router.get("/teams")
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    query: Annotated[MonthAsked, Query()],
) -> Response:
    """Teams with their spend, the dearest first, and what is nobody's after them."""
    calendar = month_choice.calendar_of(visitor, query.timezone)
    month = query.month or month_choice.present(calendar, visitor.now)
    found = statement_for(
        session, tenant, visitor.settings, month, query, team=visitor.team, now=visitor.now
    )
    conversion = Conversion(
        to=found.currency,
        policy=query.rate_policy or visitor.settings.rate_policy,
        zone=found.zone,
        now=visitor.now,
    )
    times = _by_time(session, tenant, found, conversion)
    words = budget_words(session, tenant, visitor, found)
    table = _table(request, visitor, found, times, words, query.sort or "-cost")
    held = months.held(session, tenant)
    return page(
        request,
        visitor,
        "teams.html",
        title="Teams",
        tables={"teams": table},
        statement=found,
        months=month_choice.offered(calendar, held, visitor.now, found.month.name),
        currencies=month_choice.currencies(session, tenant, visitor, query.currency),
        policies=month_choice.POLICIES,
        policy=query.rate_policy or visitor.settings.rate_policy,
        books=month_choice.books_of(
            session,
            tenant,
            visitor,
            found.month.name,
            state=found.books.state,
            sha256=found.books.hash,
        ),
        running=times.until_then is not None,
        cards=_cards(found, times),
        notes=list(notes(found, visitor.formats.zoned)),
        asked=query,
    )


def _by_time(session: Session, tenant: int, found: Statement, asked: Conversion) -> ByTime:
    """By when it was used, from the sums of days; told in one currency as the statement is."""
    month, before, now = found.month, found.before, asked.now
    days = [day_period(day, found.zone) for day in days_in(month.period, found.zone)]
    running = month.start <= now < month.end
    spent = spent_apart(session, tenant, days, ("team",), asked, month.period).amounts
    teams = [part.team for part in found.parts]
    by_day = {
        team: [spent.get((day, (team,)), Decimal(0)) for day in range(len(days))] for team in teams
    }
    if not running:
        return ByTime(by_day, None)
    then = spent_apart(session, tenant, [_then(found, now)], ("team",), asked, before.period)
    costs = {team: then.amounts.get((0, (team,)), Decimal(0)) for team in teams}
    return ByTime(by_day, {team: rounded(cost, found.currency) for team, cost in costs.items()})


def _then(found: Statement, now: datetime) -> Period:
    """As much of the month before as is counted of this one, to the quarter hour, or all of it."""
    known = min(now, found.books.complete_until or now)
    here = max(slot_of(known), found.month.start).astimezone(found.zone)
    day = found.before.first_day + (here.date() - found.month.first_day)
    end = datetime.combine(day, here.time(), found.zone).astimezone(UTC)
    start = found.before.start
    return Period(start, min(max(slot_of(end), start + SLOT), found.before.end))


def _table(
    request: Request,
    visitor: Visitor,
    found: Statement,
    times: ByTime,
    words: Mapping[int, str],
    sort: str,
) -> Table:
    before = found.before.name
    told = visitor.formats.month(before)
    compared = f"{told}, same part" if times.until_then is not None else told
    rows = {
        part.team: {**_row(request, visitor, found, part, times), **_budget(request, part, words)}
        for part in found.parts
    }
    teams = sorted_rows([row for team, row in rows.items() if team not in NOBODYS], sort)
    others = [rows[team] for team in NOBODYS if team in rows and not _says_nothing(rows[team])]
    total = found.total
    last = _sum_of_last(found, times)
    return Table(
        columns=(
            Column("team", "Team"),
            Column("cost", "Spend", "money"),
            Column("share", "Share", "percent", narrow=False),
            Column("days", "By day", csv=False, narrow=False),
            Column(
                "before",
                compared,
                "money",
                "In the same part of the month before" if times.until_then is not None else "",
                narrow=False,
            ),
            Column("difference", "Difference", "difference", narrow=False),
            Column("budget", "Budget", "money", narrow=False),
            Column("used", "Used", "percent", "Of the budget"),
            Column("calls", "Calls", "number", narrow=False),
        ),
        rows=[*teams, *others],
        total={
            "team": "Total",
            "cost": total.amount,
            **dict.fromkeys(("share", "days", "budget", "used"), _SILENT),
            "before": last,
            "difference": _less(total.amount, last),
            "calls": total.spent.calls,
        },
        caption="Teams",
        file=f"teams-{found.month.name}",
        currency=found.currency,
        sort=sort,
    )


def _row(
    request: Request, visitor: Visitor, found: Statement, part: TeamPart, times: ByTime
) -> Mapping[str, Held | Cell]:
    amount, total = part.figures.amount, found.total.amount
    last = part.figures.last_amount if times.until_then is None else times.until_then[part.team]
    difference = _less(amount, last)
    days = times.days[part.team]
    most = max(days, default=Decimal(0))
    said = f"by day, at most {visitor.formats.money(most, found.currency)}"
    return {
        "team": Cell(
            part.team,
            href=team_address(request, part.team, found.month.name),
            note=NOBODYS.get(part.team),
            tone="quiet" if part.team in NOBODYS else "",
        ),
        "cost": amount,
        "share": None if amount is None or not total or total < 0 else share_of(amount, total),
        "days": Cell(None, show=amount_bars(days, said)),
        "before": last,
        "difference": Cell(difference, note=_grown(visitor, difference, last)),
        "calls": part.figures.spent.calls,
    }


def _budget(request: Request, part: TeamPart, words: Mapping[int, str]) -> Mapping[str, Cell]:
    budget = tightest(part.budgets)
    if budget is None:
        return {"budget": _SILENT, "used": _SILENT}
    address = elsewhere(request, f"/budgets/{budget.id}")
    return {"budget": Cell(budget.amount, href=address), "used": used_of(budget, words)}


def _says_nothing(row: Mapping[str, Held | Cell]) -> bool:
    """What was paid in advance is on a bill, and costs nothing by itself."""
    return not any(row[name] for name in ("cost", "before", "calls"))


def team_address(request: Request, team: str, month: str) -> str:
    """Where a team's month is. Not every name can be a part of a path."""
    if team in {".", ".."}:
        return elsewhere(request, f"/statements/{month}", team=team)
    return elsewhere(request, f"/teams/{segment(team)}", month=month)


def tightest(budgets: Sequence[BudgetLine]) -> BudgetLine | None:
    """Of a team's budgets the one of which the least is left."""
    return min(budgets, key=lambda each: each.difference, default=None)


def share_of(part: Decimal, whole: Decimal) -> Decimal:
    """A part of a whole that is not 0, with six decimals."""
    return ROUNDING.divide(part, whole).quantize(_MILLIONTH, context=ROUNDING)


def used_of(budget: BudgetLine, words: Mapping[int, str]) -> Cell:
    """How much of a budget is used, as a share with its bar; and how it stands, unless it is ok."""
    if not budget.amount:
        return Cell(None)
    spent = EXACT.subtract(budget.amount, budget.difference)
    share = share_of(spent, budget.amount)
    word = OVER if share > 1 else words.get(budget.id, OK)
    tone = TONES.get(word, "")
    return Cell(share, bar=tone, tone=tone, note=word if tone else None)


def _grown(visitor: Visitor, difference: Decimal | None, last: Decimal | None) -> str | None:
    if difference is None or last is None or last < _LEAST:
        return None
    share = share_of(difference, last)
    told = visitor.formats.percent(share, 0)
    return f"+{told}" if share > 0 else told


def _less(amount: Decimal | None, last: Decimal | None) -> Decimal | None:
    return None if amount is None or last is None else EXACT.subtract(amount, last)


def _sum_of_last(found: Statement, times: ByTime) -> Decimal | None:
    if times.until_then is None:
        return found.total.last_amount
    return sum(times.until_then.values(), Decimal(0))


def _cards(found: Statement, times: ByTime) -> dict[str, Decimal | int | None]:
    """Figures for the top of the page."""

    def of(*teams: str) -> Decimal:
        parts = [found.part(team) for team in teams]
        amounts = [each.figures.amount for each in parts if each is not None]
        return sum((each for each in amounts if each is not None), Decimal(0))

    last = _sum_of_last(found, times)
    over = [part for part in found.parts if any(each.difference < 0 for each in part.budgets)]
    budgeted = [part for part in found.parts if part.budgets]
    return {
        "total": found.total.amount,
        "last": last,
        "difference": _less(found.total.amount, last),
        "unallocated": of(UNALLOCATED),
        "unused": of(IDLE, UNUSED),
        "over": len(over),
        "budgeted": len(budgeted),
    }
