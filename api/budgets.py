"""/v1/budgets: limits on what may be spent, and where they stand."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from sqlalchemy.orm import Session

from api.auth import Caller, Who
from api.budget_shapes import (
    BudgetAnswer,
    BudgetChange,
    BudgetsAnswer,
    NewBudget,
    StatusAnswer,
    budget_answer,
    status_answer,
)
from api.dependencies import Clock, Config, Reading, Tenant, Writing
from api.problems import Problem, answers
from api.settings import ApiSettings
from spend.budget_terms import terms
from spend.budgets import Budget, Terms
from spend.checked_fields import TermsRefused
from spend.money import plain
from store import budgets
from store.budget_status import statuses

router = APIRouter(prefix="/v1/budgets", tags=["budgets"])

BudgetId = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.post(
    "", status_code=201, summary="Set a budget", responses=answers(401, 403, 409, 422, 503)
)
def create(
    session: Writing, tenant: Tenant, config: Config, clock: Clock, body: NewBudget
) -> BudgetAnswer:
    """Warns, from now on, when spend that fits the filter reaches a threshold in a period."""
    said = body.model_dump()
    if said["currency"] is None:
        said["currency"] = config.currency
    if said["timezone"] is None:
        said["timezone"] = config.timezone.key
    wanted = _terms(said, config)
    try:
        return budget_answer(budgets.create(session, tenant, wanted, clock()))
    except budgets.NameTaken as taken:
        raise _taken(taken) from None


@router.get("", summary="All budgets", responses=answers(401, 403, 503))
def list_all(session: Reading, tenant: Tenant, who: Who, clock: Clock) -> BudgetsAnswer:
    """Budgets in force, oldest first. A key of one team sees that team's."""
    found = [each for each in budgets.all_in_force(session, tenant, clock()) if visible(each, who)]
    return BudgetsAnswer(budgets=[budget_answer(each) for each in found])


@router.get("/{budget_id}", summary="A budget", responses=answers(401, 403, 404, 422, 503))
def show(
    session: Reading, tenant: Tenant, who: Who, clock: Clock, budget_id: BudgetId
) -> BudgetAnswer:
    """A budget as it holds now."""
    return budget_answer(_found(session, tenant, who, budget_id, clock()))


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
    budget = _found(session, tenant, who, budget_id, now)
    return status_answer(statuses(session, tenant, [budget], now)[0])


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
    """Makes a new version, in force at once; what was spent stays spent.

    With another amount, filter, period or zone it warns of every threshold again.
    """
    now = clock()
    current = _found(session, tenant, who, budget_id, now, lock=True)
    changes = body.model_dump(exclude_unset=True)
    for field, value in changes.items():
        if value is None and field != "webhook_url":
            raise _refused(field, "null is no value for it: leave it out to keep it as it is")
    wanted = _terms(_as_said(current.terms) | changes, config)
    try:
        return budget_answer(budgets.change(session, tenant, budget_id, wanted, now))
    except budgets.NameTaken as taken:
        raise _taken(taken) from None


@router.delete(
    "/{budget_id}",
    status_code=204,
    summary="Close a budget",
    responses=answers(401, 403, 404, 422, 503),
)
def close(session: Writing, tenant: Tenant, clock: Clock, who: Who, budget_id: BudgetId) -> None:
    """Ends it from now on. Its alerts stay in /v1/alerts."""
    now = clock()
    _found(session, tenant, who, budget_id, now, lock=True)
    budgets.close(session, tenant, budget_id, now)


def visible(budget: Budget, who: Caller) -> bool:
    """Whether a caller may see a budget: a key of one team only those on that team alone."""
    return who.team is None or budget.terms.filter.get("team") == (who.team,)


def _found(
    session: Session, tenant: int, who: Caller, budget_id: int, now: datetime, *, lock: bool = False
) -> Budget:
    try:
        found = budgets.in_force(session, tenant, budget_id, now, lock=lock)
    except budgets.NoSuchBudget as missing:
        raise Problem(404, "No such budget", str(missing), field="budget_id") from None
    if not visible(found, who):
        # Not 403: that would tell which ids there are.
        detail = f"no budget {budget_id} is in force"
        raise Problem(404, "No such budget", detail, field="budget_id")
    return found


def _as_said(current: Terms) -> dict[str, Any]:
    return {
        "name": current.name,
        "filter": current.filter,
        "amount": plain(current.amount),
        "currency": current.currency,
        "period": current.period,
        "timezone": current.timezone,
        "thresholds": current.thresholds,
        "webhook_url": current.webhook_url,
    }


def _terms(said: dict[str, Any], config: ApiSettings) -> Terms:
    try:
        return terms(
            **said,
            fiscal=config.fiscal_year,
            allow_private=config.allow_private_destinations,
        )
    except TermsRefused as refused:
        raise _refused(refused.field, str(refused)) from None


def _refused(field: str, reason: str) -> Problem:
    return Problem(422, "The budget makes no sense", f"{field}: {reason}", field=field)


def _taken(taken: budgets.NameTaken) -> Problem:
    return Problem(409, "The name is taken", str(taken), field="name")
