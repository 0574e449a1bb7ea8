"""/budgets/{id}: one budget, its period so far, where it should end, and what it told."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api.budgets.budgets import BudgetId, found_for, visible
from api.dependencies import Reading, Tenant
from api.pages.alerts.alert_evidence import spend_of
from api.pages.alerts.alert_rows import alerts_table
from api.pages.asked import PageAsked
from api.pages.budgets.budget_bar import budget_bar
from api.pages.budgets.budget_chart import budget_page_figure
from api.pages.budgets.budget_list import (
    COLUMNS,
    budget_row,
    period_said,
    runs_out_said,
    share_said,
    state_badge,
)
from api.pages.budgets.budget_stands import Board, board_of, in_order
from api.pages.budgets.budget_versions import versions_table
from api.pages.links import elsewhere
from api.pages.shell import page
from api.pages.tables import Cell, Column, Table
from api.pages.visitor import Visiting, Visitor
from spend.budgets.budget_attention import Stands, days_left
from spend.budgets.budget_states import ACTUAL, FORECAST, PACE, Recorded
from spend.budgets.budget_tree import allocated
from spend.budgets.budgets import Budget
from spend.channels.silences import Silence
from spend.money import EXACT
from store.alerts import alerts
from store.budgets import budgets
from store.budgets.budget_status import Status, statuses
from store.budgets.crossings import recorded
from store.budgets.forecasts import forecast_among, forecasts
from store.channels import silences

router = APIRouter(include_in_schema=False)

SHOWN_ALERTS: Final = 10


class BudgetAsked(PageAsked):
    """How a budget is drawn."""

    chart: Literal["spent", "left"] = "spent"


@router.get("/budgets/{budget_id:number}")
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    budget_id: BudgetId,
    query: Annotated[BudgetAsked, Query()],
) -> Response:
    """A budget in force, as it stands now."""
    who, now = visitor.caller, visitor.now
    budget = found_for(session, tenant, who, budget_id, now)
    status = statuses(session, tenant, [budget], now)[0]
    forecast = forecast_among(forecasts(session, tenant), budget, status.period)
    spent = None if status.period is None else status.spent
    stands = Stands(budget, status.period, status.limit, spent, status.state, forecast)
    board = board_of(session, tenant, who, now)
    found = _alerts(session, tenant, visitor, budget)
    tables = {
        "thresholds": _thresholds(request, session, tenant, stands),
        "versions": versions_table(
            visitor,
            [each for each in budgets.versions(session, tenant, budget_id) if visible(each, who)],
            board.there,
        ),
        "alerts": alerts_table(
            request, visitor, found, caption="Its alerts", empty="It has told nothing yet."
        ),
    }
    if board.children(budget_id):
        tables["children"] = _children(request, visitor, board, budget_id)
    return page(
        request,
        visitor,
        "budget.html",
        title=budget.terms.name,
        tables=tables,
        budget=budget,
        stands=stands,
        stood=status,
        period=None if status.period is None else period_said(visitor, budget.terms, status.period),
        left_days=None if status.period is None else days_left(status.period, now),
        share=share_said(visitor, stands),
        a_day=_left_a_day(status, visitor),
        bar=budget_bar(stands),
        badge=state_badge(stands.word),
        runs_out=runs_out_said(visitor, stands),
        figure=budget_page_figure(session, tenant, visitor, stands, down=query.chart == "left"),
        down=query.chart == "left",
        explore=spend_of(budget.terms, status.period),
        parent=_parent(board, budget),
        given=_given(board, budget),
        fields=board.there.fields(budget.terms),
        to_come=board.there.to_come(budget_id),
        silences=_silences(session, tenant, budget_id, now),
        more=len(found) == SHOWN_ALERTS,
    )


def _alerts(session: Session, tenant: int, visitor: Visitor, budget: Budget) -> list[alerts.Alert]:
    alone = () if visitor.team is None else (visitor.team,)
    wanted = alerts.Wanted(budget_id=budget.id, teams_alone=alone)
    return alerts.alerts(session, tenant, wanted, now=visitor.now, at_most=SHOWN_ALERTS)


def _silences(session: Session, tenant: int, budget_id: int, now: datetime) -> list[Silence]:
    return [each for each in silences.in_force(session, tenant, now) if each.budget_id == budget_id]


def _children(request: Request, visitor: Visitor, board: Board, budget_id: int) -> Table:
    below: set[int] = set()
    waiting = [budget_id]
    while waiting:
        its = [each.budget.id for each in board.children(waiting.pop())]
        waiting += [each for each in its if each not in below]
        below.update(its)
    rows = [budget_row(request, visitor, each, depth) for each, depth in in_order(board, below)]
    return Table(COLUMNS, rows, "Its parts", file="parts")


def _given(board: Board, budget: Budget) -> Mapping[str, Decimal] | None:
    children = board.there.children(budget.id)
    if not children:
        return None
    given = allocated(budget, children)
    return {"given": given, "rest": EXACT.subtract(budget.terms.amount, given)}


def _parent(board: Board, budget: Budget) -> Stands | None:
    above = budget.terms.parent_id
    return None if above is None else board.stands.get(above)


_KINDS: Final = {
    ACTUAL: "{} % spent",
    FORECAST: "{} % expected by the end",
    PACE: "{} % of the even rate",
}


def _thresholds(request: Request, session: Session, tenant: int, stands: Stands) -> Table:
    """Each threshold, and when it was reached in the present period."""
    budget, terms = stands.budget, stands.budget.terms
    known: Mapping[tuple[str, int], Recorded] = {}
    if stands.period is not None:
        found = recorded(session, tenant, [budget.id], stands.period.start)
        known = found.get((budget.id, budget.armed, stands.period.start), {})
    rows = []
    for kind, thresholds in (
        (ACTUAL, terms.thresholds),
        (FORECAST, terms.forecast_thresholds),
        (PACE, terms.pace_thresholds),
    ):
        for percent in thresholds:
            amount = None if kind == PACE else stands.limit * percent / 100
            crossing = known.get((kind, percent))
            # The job that compares runs once a minute.
            is_past = kind == ACTUAL and amount is not None and (stands.spent or 0) >= amount
            rows.append(
                {
                    "threshold": _KINDS[kind].format(percent),
                    "amount": amount,
                    "reached": _reached(request, crossing, is_past=is_past),
                    "at": None if crossing is None else crossing.crossed_at,
                }
            )
    columns = (
        Column("threshold", "Threshold"),
        Column("amount", "At", "money"),
        Column("reached", "In this period"),
        Column("at", "Since", "when", narrow=False),
    )
    return Table(columns, rows, "Thresholds", file="thresholds", currency=terms.currency)


def _reached(request: Request, crossing: Recorded | None, *, is_past: bool) -> Cell:
    if crossing is None:
        return Cell("reached, not told yet" if is_past else "not reached", tone="quiet")
    href = elsewhere(request, f"/alerts/{crossing.id}")
    if not crossing.open:
        return Cell("recovered", href=href)
    return Cell("reached, acknowledged" if crossing.acknowledged_at else "reached", href=href)


def _left_a_day(status: Status, visitor: Visitor) -> Decimal | None:
    """What may be spent a day until the end; None where nothing is left, or nobody can tell."""
    days = None if status.period is None else days_left(status.period, visitor.now)
    return status.left / days if days and status.left > 0 else None
