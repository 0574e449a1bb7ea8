"""/v1/budgets: limits on what may be spent, and where they stand."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from sqlalchemy.orm import Session

from api.auth import Caller, Who
from api.budgets import budget_writing
from api.budgets.budget_answers import (
    BudgetAnswer,
    BudgetsAnswer,
    BudgetVersionsAnswer,
    StatusAnswer,
    budget_answer,
    status_answer,
    version_answer,
)
from api.budgets.budget_shapes import BudgetChange, NewBudget
from api.dependencies import Clock, Config, Reading, Tenant, Writing
from api.problems import Problem, answers
from spend.budgets.budgets import Budget
from spend.checked_fields import TermsRefused
from store.budgets import budgets
from store.budgets.budget_names import Names, names
from store.budgets.budget_status import statuses
from store.budgets.forecasts import forecast_among, forecasts

router = APIRouter(prefix="/v1/budgets", tags=["budgets"])

BudgetId = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.post(
    "", status_code=201, summary="Set a budget", responses=answers(401, 403, 409, 422, 503)
)
def create(
    session: Writing, tenant: Tenant, config: Config, clock: Clock, who: Who, body: NewBudget
) -> BudgetAnswer:
    """Warns, from now on, when spend that fits the filter reaches a threshold in a period."""
    now = clock()
    there = seen_by(who, session, tenant, now)
    said = body.model_dump(exclude_unset=True)
    try:
        made = budget_writing.create(session, tenant, config, said, now, team=who.team)
    except TermsRefused as refused:
        raise _refused(refused) from None
    except budgets.NameTaken as taken:
        raise _taken(taken) from None
    return budget_answer(made, there)


@router.get("", summary="All budgets", responses=answers(401, 403, 503))
def list_all(session: Reading, tenant: Tenant, who: Who, clock: Clock) -> BudgetsAnswer:
    """Budgets in force, oldest first. A key of one team sees that team's."""
    there = seen_by(who, session, tenant, clock())
    return BudgetsAnswer(budgets=[budget_answer(each[0], there) for each in there.live.values()])


@router.get("/{budget_id}", summary="A budget", responses=answers(401, 403, 404, 422, 503))
def show(
    session: Reading, tenant: Tenant, who: Who, clock: Clock, budget_id: BudgetId
) -> BudgetAnswer:
    """A budget as it holds now."""
    now = clock()
    found = found_for(session, tenant, who, budget_id, now)
    return budget_answer(found, seen_by(who, session, tenant, now))


@router.get(
    "/{budget_id}/status",
    summary="Where a budget stands",
    responses=answers(401, 403, 404, 422, 503),
)
def status(
    session: Reading, tenant: Tenant, who: Who, clock: Clock, budget_id: BudgetId
) -> StatusAnswer:
    """What is spent of it in the present period, as far as calls are priced."""
    now = clock()
    budget = found_for(session, tenant, who, budget_id, now)
    stands = statuses(session, tenant, [budget], now)[0]
    forecast = forecast_among(forecasts(session, tenant), budget, stands.period)
    return status_answer(stands, seen_by(who, session, tenant, now), forecast)


@router.get(
    "/{budget_id}/versions",
    summary="What a budget said, and is to say",
    responses=answers(401, 403, 404, 422, 503),
)
def list_versions(
    session: Reading, tenant: Tenant, who: Who, clock: Clock, budget_id: BudgetId
) -> BudgetVersionsAnswer:
    """Every version, the first one first: past, in force, to come, and withdrawn.

    A key of one team sees those that were on that team alone.
    """
    now = clock()
    found_for(session, tenant, who, budget_id, now)
    there = seen_by(who, session, tenant, now)
    found = [each for each in budgets.versions(session, tenant, budget_id) if visible(each, who)]
    return BudgetVersionsAnswer(versions=[version_answer(each, there, now) for each in found])


@router.patch(
    "/{budget_id}",
    summary="Change a budget",
    responses=answers(401, 403, 404, 409, 422, 503),
)
def change(
    session: Writing,
    tenant: Tenant,
    config: Config,
    clock: Clock,
    who: Who,
    budget_id: BudgetId,
    body: BudgetChange,
) -> BudgetAnswer:
    """Makes a new version, in force at once or from a day on; what was spent stays spent.

    With another amount, filter, period, zone or rollover it warns of every threshold again.
    """
    now = clock()
    current = found_for(session, tenant, who, budget_id, now, lock=True)
    said = body.model_dump(exclude_unset=True)
    try:
        made = budget_writing.change(session, tenant, config, current, said, now, team=who.team)
    except TermsRefused as refused:
        raise _refused(refused) from None
    except budgets.NameTaken as taken:
        raise _taken(taken) from None
    except budgets.ChangeScheduled as scheduled:
        raise Problem(409, "A change is to come", str(scheduled)) from None
    return budget_answer(made, seen_by(who, session, tenant, now))


@router.delete(
    "/{budget_id}/versions/{version}",
    summary="Withdraw a change that is to come",
    responses=answers(401, 403, 404, 409, 422, 503),
)
def withdraw(
    session: Writing,
    tenant: Tenant,
    clock: Clock,
    who: Who,
    budget_id: BudgetId,
    version: Annotated[int, Path(ge=1, le=2**31 - 1)],
) -> BudgetAnswer:
    """The version before it goes on. One that has begun cannot be withdrawn: change it."""
    now = clock()
    found_for(session, tenant, who, budget_id, now, lock=True)
    try:
        goes_on = budgets.withdraw(session, tenant, budget_id, version, now)
    except budgets.NoSuchBudget as missing:
        raise Problem(404, "No such version", str(missing), field="version") from None
    except budgets.ChangeScheduled as begun:
        raise Problem(409, "It has begun", str(begun), field="version") from None
    return budget_answer(goes_on, seen_by(who, session, tenant, now))


@router.delete(
    "/{budget_id}",
    status_code=204,
    summary="Close a budget",
    responses=answers(401, 403, 404, 409, 422, 503),
)
def close(session: Writing, tenant: Tenant, clock: Clock, who: Who, budget_id: BudgetId) -> None:
    """Ends it from now on, with a change that is to come. Its alerts stay in /v1/alerts.

    One that has children is not closed before they are, or have another parent.
    """
    now = clock()
    found_for(session, tenant, who, budget_id, now, lock=True)
    try:
        budgets.close(session, tenant, budget_id, now)
    except budgets.HasChildren as parent:
        raise Problem(409, "It has children", str(parent)) from None


def visible(budget: Budget, who: Caller) -> bool:
    """Whether a caller may see a budget: a key of one team only those on that team alone."""
    return budget_writing.is_of(budget.terms, who.team)


def seen_by(who: Caller, session: Session, tenant: int, now: datetime) -> Names:
    """The budgets and channels there are, without the budgets that a caller may not see."""
    return budget_writing.seen_of(who.team, names(session, tenant, now))


def found_for(
    session: Session,
    tenant: int,
    who: Caller,
    budget_id: int,
    now: datetime,
    *,
    lock: bool = False,
) -> Budget:
    """A budget in force that a caller may see. Raises Problem 404."""
    try:
        found = budgets.in_force(session, tenant, budget_id, now, lock=lock)
    except budgets.NoSuchBudget as missing:
        raise Problem(404, "No such budget", str(missing), field="budget_id") from None
    if not visible(found, who):
        # Not 403: that would tell which ids there are.
        detail = f"no budget {budget_id} is in force"
        raise Problem(404, "No such budget", detail, field="budget_id")
    return found


def _refused(refused: TermsRefused) -> Problem:
    detail = f"{refused.field}: {refused}"
    return Problem(422, "The budget makes no sense", detail, field=refused.field)


def _taken(taken: budgets.NameTaken) -> Problem:
    return Problem(409, "The name is taken", str(taken), field="name")
