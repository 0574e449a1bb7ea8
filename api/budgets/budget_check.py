"""/v1/budgets/check: may this call still be paid for? For gateways, before every call."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from api.auth import Caller, asker_of
from api.budgets.budget_board import boards_of
from api.budgets.budgets import visible
from api.dependencies import Clock, Config
from api.problems import Problem, answers
from api.session_cookie import token_in_cookie
from api.shapes import instant
from spend.budgets.budget_checks import Checked, Undecided, that_apply
from spend.budgets.budgets import DIMENSIONS
from spend.money import plain

router = APIRouter(prefix="/v1/budgets", tags=["budgets"])


class CheckAsked(BaseModel):
    """What is known of the call; what is left out is not known, an empty value is none."""

    model_config = ConfigDict(extra="forbid")

    team: str | None = Field(None, description="A key of one team asks for that one.")
    project: str | None = None
    service: str | None = None
    environment: str | None = None
    feature: str | None = None
    customer: str | None = None
    provider: str | None = None
    model: str | None = None
    request_model: str | None = None
    operation: str | None = None
    deployment: str | None = None
    region: str | None = None


class CheckedBudget(BaseModel):
    """A budget that the call counts towards. Amounts are exact."""

    id: int
    name: str
    spent: str | None = Field(
        description="null: not compared yet, in this period or with its present terms."
    )
    limit: str | None = Field(
        description="Its amount, and what the last period left over; null, as its other amounts, to"
        " a key of one team, of a budget that is not on that team alone."
    )
    left: str | None = Field(description="Negative when over.")
    percent: str | None
    currency: str
    period_end: str | None = Field(description="When it begins anew.")
    over: bool = Field(description="Nothing is left.")


class UndecidedBudget(BaseModel):
    """A budget of which it cannot be told whether the call counts."""

    id: int
    name: str
    needs: list[str] = Field(description="The parameters that would tell.")


class CheckAnswer(BaseModel):
    """Whether a budget is over, by what was last compared."""

    over: bool = Field(description="Some budget that the call counts towards has nothing left.")
    budgets: list[CheckedBudget] = Field(description="Those that it counts towards, by id.")
    undecided: list[UndecidedBudget]
    as_of: str | None = Field(
        description="Everything heard before is in `spent`; null: nothing was compared yet."
    )
    read_at: str = Field(
        description="When this was read from the database: seconds ago, longer while it is away."
    )


@router.get(
    "/check",
    summary="May this call still be paid for?",
    responses=answers(401, 403, 422, 503),
)
def check(
    request: Request, config: Config, clock: Clock, asked: Annotated[CheckAsked, Query()]
) -> CheckAnswer:
    """Where the budgets stand that a call would count towards: from memory, in a few ms.

    The answer is 200 whether over or not: who asks decides.
    """
    boards = boards_of(request)
    shown = f"{request.headers.get('authorization')}\0{token_in_cookie(request)}"
    who = boards.caller(shown, request.url.hostname or "", lambda: asker_of(request, config))
    said = {name: value for name in DIMENSIONS if (value := getattr(asked, name)) is not None}
    _keep_to_own_team(who, said)
    board = boards.board(clock)
    apply, undecided = that_apply(board.held, said, clock())
    return CheckAnswer(
        over=any(each.over for each in apply),
        budgets=[_budget(each, who) for each in apply],
        undecided=[_undecided(each) for each in undecided],
        as_of=instant(board.as_of),
        read_at=str(instant(board.read_at)),
    )


def _keep_to_own_team(who: Caller, said: dict[str, str]) -> None:
    if who.team is None:
        return
    if said.setdefault("team", who.team) != who.team:
        detail = f"team: this key sees team {who.team!r} only"
        raise Problem(403, "Not yours to see", detail, field="team")


def _budget(each: Checked, who: Caller) -> CheckedBudget:
    terms, shown = each.budget.terms, visible(each.budget, who)
    return CheckedBudget(
        id=each.budget.id,
        name=terms.name,
        spent=plain(each.spent) if shown and each.spent is not None else None,
        limit=plain(each.limit) if shown else None,
        left=plain(each.left) if shown and each.left is not None else None,
        percent=plain(each.percent) if shown and each.percent is not None else None,
        currency=terms.currency,
        period_end=None if each.period is None else instant(each.period.end),
        over=each.over,
    )


def _undecided(each: Undecided) -> UndecidedBudget:
    return UndecidedBudget(id=each.budget.id, name=each.budget.terms.name, needs=list(each.needs))
