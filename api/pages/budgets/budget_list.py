"""/budgets: which limits there are, how each stands, and what needs a look first."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from markupsafe import Markup
from pydantic import Field

from api.dependencies import Reading, Tenant
from api.pages.asked import PageAsked, Text
from api.pages.budgets.budget_bar import TONES, budget_bar
from api.pages.budgets.budget_stands import Board, board_of, in_order
from api.pages.formats import shortened
from api.pages.links import elsewhere
from api.pages.shell import page
from api.pages.tables import Cell, Column, Held, Table, sorted_rows
from api.pages.visitor import Visiting, Visitor
from spend.budgets.budget_attention import (
    EXPECTED,
    NO_PERIOD,
    NOT_COMPARED,
    OK,
    OVER,
    RECOVERED,
    WARNING,
    Stands,
    days_left,
)
from spend.budgets.budget_periods import CUSTOM, name_of
from spend.budgets.budgets import Terms, filter_text
from spend.periods import Period, local_day

router = APIRouter(include_in_schema=False)

FINE: Final = "fine"
GROUPS: Final[Mapping[str, tuple[str, frozenset[str]]]] = {
    "over": ("Over", frozenset({OVER})),
    "expected": ("Expected over", frozenset({EXPECTED})),
    "warning": ("Warning", frozenset({WARNING})),
    FINE: ("OK", frozenset({OK, RECOVERED})),
    "other": ("Not compared", frozenset({NOT_COMPARED, NO_PERIOD})),
}
"""States to choose from: what they are called, and the words that they are of."""
_DEEPEST: Final = 7
_BY_DAYS: Final = frozenset({"day", "week", CUSTOM})
_SHORT: Final = timedelta(days=1, hours=1)
_INSTANT: Final = timedelta(microseconds=1)


class BudgetsAsked(PageAsked):
    """Which budgets."""

    team: Annotated[Text | None, Field(description="Those whose filter lets it through.")] = None
    state: Literal["over", "expected", "warning", "fine", "other"] | None = None


@router.get("/budgets")
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    query: Annotated[BudgetsAsked, Query()],
) -> Response:
    """Budgets in force, those of a parent below it, what needs a look first on top."""
    board = board_of(session, tenant, visitor.caller, visitor.now)
    of_team = [each for each in board.stands.values() if _is_on(each, query.team)]
    counts = Counter(_group(each) for each in of_team)
    shown = {
        each.budget.id for each in of_team if query.state is None or _group(each) == query.state
    }
    ordered = in_order(board, shown)
    return page(
        request,
        visitor,
        "budgets.html",
        title="Budgets",
        tables={"budgets": _table(request, visitor, ordered, query.sort)},
        groups=[(name, title, counts[name]) for name, (title, _) in GROUPS.items()],
        count=len(of_team),
        any=bool(board.stands),
        as_of=board.as_of,
        chosen=query,
        teams=_teams(board),
    )


def _group(stands: Stands) -> str:
    return next(name for name, (_, words) in GROUPS.items() if stands.word in words)


def _is_on(stands: Stands, team: str | None) -> bool:
    return team is None or team in stands.budget.terms.filter.get("team", ())


def _teams(board: Board) -> list[str]:
    found = (each.budget.terms.filter.get("team", ()) for each in board.stands.values())
    return sorted({team for teams in found for team in teams if team})


COLUMNS: Final[tuple[Column, ...]] = (
    Column("budget", "Budget"),
    Column("percent", "Spent of the limit"),
    Column("state", "State"),
    Column("spent", "Spent", "money", narrow=False),
    Column("limit", "Limit", "money", narrow=False, hint="The amount, and what was rolled in"),
    Column("expected", "Expected", "money", "By the end of its period", narrow=False),
    Column("period", "Period", narrow=False),
)
_IN_FILES: Final = (
    Column("currency", "Currency"),
    Column("owner", "Owner"),
    Column("days_left", "Days left", "number"),
    Column("runs_out", "Runs out", "when"),
)


def _table(
    request: Request,
    visitor: Visitor,
    ordered: Sequence[tuple[Stands, int]],
    sort: str | None,
) -> Table:
    """``ordered``: budgets and how deep each lies; another order has no depth."""
    rows = [budget_row(request, visitor, each, 0 if sort else depth) for each, depth in ordered]
    columns = COLUMNS
    if request.query_params.get("csv"):
        columns += _IN_FILES
    return Table(
        columns,
        sorted_rows(rows, sort) if sort else rows,
        caption="Budgets in force",
        file="budgets",
        empty="No budget is in this state.",
        sort=sort or "",
    )


def budget_row(
    request: Request, visitor: Visitor, stands: Stands, depth: int = 0
) -> dict[str, Held | Cell]:
    """A budget as a line of a table with COLUMNS, or some of them."""
    terms = stands.budget.terms
    indented = Markup('<span class="below below-{}">{}</span>').format(
        min(depth, _DEEPEST), terms.name
    )
    money = {"currency": terms.currency}
    forecast = stands.forecast if stands.spent is not None else None
    told = visitor.formats
    band = None
    if forecast is not None:
        low, high = (told.rounded(each, terms.currency) for each in (forecast.low, forecast.high))
        band = f"{low} to {high}"
    left = None if stands.period is None else days_left(stands.period, visitor.now)
    return {
        "budget": Cell(
            terms.name,
            href=elsewhere(request, f"/budgets/{stands.budget.id}"),
            show=indented,
            note=" · ".join(filter(None, (shortened(filter_text(terms.filter)), terms.owner))),
        ),
        "state": Cell(
            stands.word, show=state_badge(stands.word), note=runs_out_said(visitor, stands)
        ),
        "percent": Cell(
            stands.percent,
            show=budget_bar(stands) if stands.spent is not None else None,
            note=share_said(visitor, stands, short=True),
        ),
        "spent": Cell(stands.spent, **money),
        "limit": Cell(stands.limit, **money),
        "expected": Cell(forecast.expected if forecast else None, note=band, **money),
        "period": _period(visitor, stands),
        "owner": terms.owner,
        "currency": terms.currency,
        "days_left": left,
        "runs_out": stands.runs_out,
    }


def runs_out_said(visitor: Visitor, stands: Stands) -> str | None:
    """``about 27 Nov``: when it should be over, of a day with the time; None: it should not."""
    at, told = stands.runs_out, visitor.formats
    if at is None or stands.period is None:
        return None
    zone = ZoneInfo(stands.budget.terms.timezone)
    if stands.period.end - stands.period.start <= _SHORT:
        return f"about {told.when(at)}"
    day = local_day(at, zone)
    said = told.day(day)
    return f"about {said.rpartition(' ')[0] if day.year == visitor.now.year else said}"


def _period(visitor: Visitor, stands: Stands) -> Cell:
    terms = stands.budget.terms
    if stands.period is None:
        return Cell(None, note=terms.period)
    left = days_left(stands.period, visitor.now)
    note = f"{left} days left" if left > 1 else "its last day"
    said = period_said(visitor, terms, stands.period)
    return Cell(name_of(terms, stands.period), show=said, note=note)


def period_said(visitor: Visitor, terms: Terms, period: Period) -> str:
    """A period of a budget as a reader says it; quarters and fiscal ones by their names."""
    told = visitor.formats
    if terms.period not in _BY_DAYS:
        return told.month(name_of(terms, period))
    zone = ZoneInfo(terms.timezone)
    first, last = local_day(period.start, zone), local_day(period.end - _INSTANT, zone)
    if first == last:
        return told.day(first)
    years = {first.year, last.year, local_day(visitor.now, zone).year}
    begins, ends = (told.day(each) for each in (first, last))
    if len(years) == 1:
        begins, ends = (each.rpartition(" ")[0] for each in (begins, ends))
    return f"{begins} to {ends}"


def share_said(visitor: Visitor, stands: Stands, *, short: bool = False) -> str | None:
    """What a bar shows, in words: ``81.2 %, 112 % expected``; ``short``: ``81.2 % → 112 %``."""
    if stands.spent is None:
        return None
    told = visitor.formats
    share = stands.percent
    parts = [told.money(stands.spent, stands.budget.terms.currency) + " of 0"]
    if share is not None:
        parts = [told.percent(share / 100)]
        if stands.forecast is not None:
            expected = stands.forecast.expected / stands.limit
            ends = told.percent(expected, 0)
            parts = [f"{parts[0]} → {ends}"] if short else [*parts, f"{ends} expected"]
    if stands.without_rate:
        parts.append(f"not counted: {', '.join(stands.without_rate)}, without a rate")
    return ", ".join(parts)


def state_badge(word: str) -> Markup:
    """How a budget stands, as a word on a ground of its tone."""
    tone = TONES.get(word, "good" if word == OK else "")
    return Markup('<span class="badge {}">{}</span>').format(tone, word)
