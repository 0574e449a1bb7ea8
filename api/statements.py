"""GET /v1/statements/{month}: a month for finance, in lines that add up."""

from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.answers import CSV, csv_answer, json_answer, wants_csv
from api.auth import Who
from api.dependencies import Clock, Config, Reading, Tenant
from api.grouping import Name, too_many_rows, wrong, zone_named
from api.problems import Problem, answers
from api.shapes import BoundsAnswer, TotalsAnswer, instant, totals_of
from reports.statement_csv import statement_csv
from spend.money import plain
from spend.owners import IDLE, UNALLOCATED
from spend.periods import Month, local_day, parse_month
from spend.statements import Figures, Statement, TeamPart
from store.grouping import TooManyRowsError
from store.statements import statement_of

router = APIRouter(prefix="/v1", tags=["statements"])


class LastMonth(BaseModel):
    """The month before."""

    cost: str | None = Field(description="Exact; null where it is unknown or there was none.")
    amount: str | None = Field(description="In whole coins; null where it is unknown.")


class FiguresAnswer(TotalsAnswer):
    """What a line says."""

    amount: str | None = Field(
        description="`cost` in whole coins, rounded so that the lines add up to the total, to the"
        " coin; null where the cost is unknown."
    )
    last_month: LastMonth
    difference: str | None = Field(description="`amount` less last month's.")


class LineAnswer(FiguresAnswer):
    """What a team spent on a provider's model."""

    team: str
    provider: str | None
    model: str | None


class StatementBudget(BaseModel):
    """A monthly budget of one team."""

    id: int
    name: str
    amount: str
    difference: str = Field(description="The budget less what was spent: negative when over.")


class TeamAnswer(FiguresAnswer):
    """The sum of a team's lines."""

    team: str
    budgets: list[StatementBudget]


class PoolAnswer(BaseModel):
    """Self-hosted capacity."""

    pool: str
    cost: str = Field(description="All of its hours in the month, exact.")
    idle: str = Field(description="The part that nobody used, exact.")


class PartAnswer(BaseModel):
    """A part of the total."""

    cost: str | None
    amount: str | None


class IdleAnswer(PartAnswer):
    """Capacity that was paid for and not used."""

    pools: list[PoolAnswer]


class UnpricedRow(BaseModel):
    """Calls whose cost is unknown."""

    team: str
    provider: str | None
    model: str | None
    calls: int
    tokens: int


class StatementUnpriced(BaseModel):
    """What is not in the amounts, because nobody knows its price."""

    calls: int
    tokens: int
    rows: list[UnpricedRow]


class StatementAnswer(BoundsAnswer):
    """A month, of all teams or of one."""

    month: str = Field(examples=["2026-10"])
    currency: str
    team: str | None = Field(description="Null: all teams.")
    rows: list[LineAnswer] = Field(description="By team, provider and model.")
    teams: list[TeamAnswer] = Field(description="Subtotals, with budgets.")
    unallocated: PartAnswer = Field(description="What nobody claimed.")
    idle: IdleAnswer
    unpriced: StatementUnpriced
    total: FiguresAnswer


class StatementAsked(BaseModel):
    """Parameters of a statement."""

    model_config = ConfigDict(extra="forbid")

    team: Name | None = Field(None, description="Only this team's part.", examples=["search"])
    timezone: str | None = Field(
        None, description="Whose month it is. Default: the server's setting."
    )


@router.get(
    "/statements/{month}",
    summary="A month, in lines that add up",
    response_model=StatementAnswer,
    responses={200: {"content": {CSV: {}}}, **answers(401, 403, 422, 503)},
)
# Decorators register from below: this one must come first, or {month} would hold '.csv'.
@router.get(
    "/statements/{month}.csv", summary="A month as CSV", responses=answers(401, 403, 422, 503)
)
def statement(
    request: Request,
    session: Reading,
    tenant: Tenant,
    config: Config,
    clock: Clock,
    who: Who,
    month: Annotated[str, Path(description="Such as `2026-10`.")],
    query: Annotated[StatementAsked, Query()],
) -> Response:
    """What each team spent on each provider's models, beside the month before.

    Amounts are whole coins: lines add up to their team, teams to the total. A team's own statement
    says what the statement of all says of it.
    """
    team = query.team
    if who.team is not None:
        if team not in {None, who.team}:
            detail = f"This key sees team {who.team!r} only."
            raise Problem(403, "Not yours to see", detail, field="team")
        team = who.team
    try:
        found = statement_of(
            session,
            tenant,
            _month(month),
            zone=zone_named(query.timezone) if query.timezone is not None else config.timezone,
            currency=config.currency,
            now=clock(),
            team=team,
        )
    except TooManyRowsError:
        raise too_many_rows() from None
    if wants_csv(request):
        return csv_answer(request, statement_csv(found), f"statement-{found.month}.csv")
    return json_answer(request, statement_answer(found))


def statement_answer(found: Statement) -> StatementAnswer:
    """A statement as it is sent."""
    pools = [
        {"pool": pool.name, "cost": plain(pool.cost), "idle": plain(pool.idle)}
        for pool in found.pools
    ]
    body: dict[str, Any] = {
        "month": str(found.month),
        "currency": found.currency,
        "from": local_day(found.period.start, found.zone).isoformat(),
        "to": local_day(found.period.end, found.zone).isoformat(),
        "timezone": found.zone.key,
        "complete_until": instant(found.complete_until),
        "team": found.team,
        "rows": [
            {"team": line.team, "provider": line.provider, "model": line.model}
            | _figures(line.figures)
            for line in found.lines
        ],
        "teams": [_team(part) for part in found.parts],
        "unallocated": _part(found.part(UNALLOCATED)),
        "idle": _part(found.part(IDLE)) | {"pools": pools},
        "unpriced": _unpriced(found),
        "total": _figures(found.total),
    }
    return StatementAnswer.model_validate(body)


def _month(text: str) -> Month:
    try:
        return parse_month(text)
    except ValueError as error:
        raise wrong("month", str(error)[:200]) from None


def _team(part: TeamPart) -> dict[str, Any]:
    budgets = [
        {
            "id": budget.id,
            "name": budget.name,
            "amount": plain(budget.amount),
            "difference": _coins(budget.difference),
        }
        for budget in part.budgets
    ]
    return {"team": part.team, "budgets": budgets} | _figures(part.figures)


def _figures(figures: Figures) -> dict[str, Any]:
    last_cost = None if figures.last_cost is None else plain(figures.last_cost)
    return totals_of(figures.spent) | {
        "amount": _coins(figures.amount),
        "last_month": {"cost": last_cost, "amount": _coins(figures.last_amount)},
        "difference": _coins(figures.difference),
    }


def _part(part: TeamPart | None) -> dict[str, Any]:
    if part is None:
        return {"cost": None, "amount": "0.00"}
    cost = part.figures.spent.cost
    return {
        "cost": None if cost is None else plain(cost),
        "amount": _coins(part.figures.amount),
    }


def _unpriced(found: Statement) -> dict[str, Any]:
    total = found.total.spent
    rows = [
        {
            "team": line.team,
            "provider": line.provider,
            "model": line.model,
            "calls": line.figures.spent.unpriced_calls,
            "tokens": line.figures.spent.unpriced_tokens,
        }
        for line in found.lines
        if line.figures.spent.lacks_price
    ]
    return {"calls": total.unpriced_calls, "tokens": total.unpriced_tokens, "rows": rows}


def _coins(amount: Decimal | None) -> str | None:
    """Whole coins as they are: with as many decimals as the currency has."""
    return None if amount is None else f"{amount:f}"
