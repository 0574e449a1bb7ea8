"""/teams/{team} and /statements/{month}: a month as a statement, to look at and to print.

Its numbers are those of ``GET /v1/statements/{month}``: it is drawn up by the same function.
"""

from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from api.dependencies import Reading, Tenant
from api.pages import month_choice
from api.pages.asked import Text
from api.pages.charts import Chart, Legend
from api.pages.links import elsewhere, go_to, path_of
from api.pages.month_choice import MonthAsked
from api.pages.shell import page
from api.pages.teams.budget_words import budget_words
from api.pages.teams.statement_links import Leads
from api.pages.teams.statement_tables import steps_of, tables_of
from api.pages.teams.team_list import team_address
from api.pages.visitor import Visiting, Visitor
from api.statements.statements import statement_for, team_for
from reports.charts.palette import ACCENT, REST, hue_of, shown_name
from reports.charts.spend_chart import Part, daily_stack
from reports.charts.waterfall_chart import waterfall
from reports.statements.statement_words import notes, state_told
from spend.periods import day_period, day_start, days_in, local_day
from spend.statements.statements import Statement
from store.budgets.budget_spend import read_spend
from store.months import months

router = APIRouter(include_in_schema=False)

MOST_PROVIDERS: Final = 7
"""In the chart; the others are one colour."""
MOST_DAYS: Final = 62
"""That are told by provider: a quarter, or a year, is one colour."""
_BESIDE: Final = ("budgets", "where", "pools", "commitments", "corrections", "unpriced", "rates")
"""Tables below the lines, in their order."""


class StatementAsked(MonthAsked):
    """A month in the path, and a team whose name cannot be in one."""

    team: Text | None = None


@router.get("/statements")
def choose(request: Request, query: Annotated[StatementAsked, Query()]) -> Response:
    """To the statement that a form without scripts asks for."""
    how = {"currency": query.currency, "rate_policy": query.rate_policy}
    if query.team is not None:
        return RedirectResponse(team_address(request, query.team, query.month or ""), 303)
    to = f"/statements/{query.month}" if query.month else "/teams"
    return go_to(request, to, **how)


@router.get("/statements/{month}")
def of_month(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    month: Annotated[str, Path(max_length=20)],
    query: Annotated[StatementAsked, Query()],
) -> Response:
    """The statement of all teams; with ``team`` of that one."""
    return _shown(request, session, tenant, visitor, month, query, query.team)


@router.get("/teams/{team:path}")
def of_team(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    team: str,
    query: Annotated[MonthAsked, Query()],
) -> Response:
    """A team's statement."""
    if not team:
        return go_to(request, "/teams", month=query.month)
    calendar = month_choice.calendar_of(visitor, query.timezone)
    month = query.month or month_choice.present(calendar, visitor.now)
    return _shown(request, session, tenant, visitor, month, query, team)


def _shown(
    request: Request,
    session: Session,
    tenant: int,
    visitor: Visitor,
    month: str,
    query: MonthAsked,
    team: str | None,
) -> Response:
    whose = team_for(visitor.caller, team)
    found = statement_for(
        session, tenant, visitor.settings, month, query, team=whose, now=visitor.now
    )
    calendar = month_choice.calendar_of(visitor, query.timezone)
    held = months.held(session, tenant)
    name, told = found.month.name, visitor.formats
    words = budget_words(session, tenant, visitor, found)
    leads = Leads(request, found, whole=visitor.team is None, words=words)
    tables = tables_of(leads, told)
    return page(
        request,
        visitor,
        "team_statement.html",
        title=whose if whose is not None else f"Statement of {told.month(name)}",
        tables=tables,
        statement=found,
        months=month_choice.offered(calendar, held, visitor.now, name),
        currencies=month_choice.currencies(session, tenant, visitor, query.currency),
        policies=month_choice.POLICIES,
        policy=query.rate_policy or visitor.settings.rate_policy,
        books=month_choice.books_of(
            session, tenant, visitor, name, state=found.books.state, sha256=found.books.hash
        ),
        state=state_told(found),
        notes=list(notes(found, visitor.formats.zoned)),
        bridge=_bridge(found, visitor),
        by_day=_by_day(session, tenant, found, visitor.now),
        beside=[each for each in _BESIDE if each in tables],
        files=_files(request, found, query),
        explore=leads.explored(team=found.team),
        running=found.month.start <= visitor.now < found.month.end,
        asked=query,
        action="/statements" if team is None else path_of(request),
    )


def _files(request: Request, found: Statement, query: MonthAsked) -> list[tuple[str, str]]:
    """The same statement as files: what they are called, and where."""
    how = {
        "team": found.team,
        "currency": query.currency,
        "rate_policy": query.rate_policy,
    }
    return [
        (shape, elsewhere(request, f"/v1/statements/{found.month.name}.{end}", **how))
        for shape, end in (("PDF", "pdf"), ("XLSX", "xlsx"), ("CSV", "csv"), ("Parquet", "parquet"))
    ]


def _bridge(found: Statement, visitor: Visitor) -> Chart | None:
    """Why it is not what it was: bars that add up."""
    told = visitor.formats
    steps = steps_of(found, told)
    if not steps:
        return None
    difference = told.difference(found.total.difference, found.currency)
    title = f"From {told.month(found.before.name)} to {told.month(found.month.name)}: {difference}"
    return Chart(waterfall(steps, currency=found.currency), title)


def _by_day(session: Session, tenant: int, found: Statement, now: datetime) -> Chart | None:
    """What was used each day, by provider: from the sums of days."""
    costs: defaultdict[str | None, Decimal] = defaultdict(Decimal)
    for line in found.lines:
        costs[line.provider] += line.figures.amount or Decimal(0)
    providers = [each for each in sorted(costs, key=lambda name: -costs[name]) if costs[each]]
    if not providers:
        return None
    days = [
        day for day in days_in(found.month.period, found.zone) if day_start(day, found.zone) < now
    ]
    periods = [day_period(day, found.zone) for day in days]
    of = {} if found.team is None else {"team": (found.team,)}
    filters = {name: of | {"provider": (name or "",)} for name in providers}
    read = read_spend(session, tenant, periods, filters.values(), [found.currency], now=now)
    parts = [
        Part(
            shown_name(name),
            hue_of(name),
            [read.on(filters[name], found.currency, each).amount for each in periods],
        )
        for name in providers
    ]
    shown = MOST_PROVIDERS if len(days) <= MOST_DAYS else 0
    if len(parts) > shown + 1:
        rest = [part.amounts for part in parts[shown:]]
        together = [sum(day, Decimal(0)) for day in zip(*rest, strict=True)]
        name = f"{len(rest)} others" if shown else "All providers"
        parts = [*parts[:shown], Part(name, REST if shown else ACCENT, together)]
    legend = tuple(Legend(part.name, part.colour) for part in parts)
    return Chart(
        daily_stack(
            days,
            parts,
            currency=found.currency,
            today=local_day(now, found.zone) if now < found.month.end else None,
            height=200,
        ),
        "Spend by day",
        legend,
    )
