"""The first page: what this month comes to, against what, and why; until then how to begin."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api.dependencies import Reading, Tenant
from api.pages.asked import PageAsked, Text
from api.pages.overview.first_run import first_run
from api.pages.overview.overview_change_table import By, changes_table
from api.pages.overview.overview_changes import changes
from api.pages.overview.overview_month import ShownMonth, present_month, shown_month
from api.pages.overview.overview_outlook import month_outlook
from api.pages.overview.overview_spend import days_table, month_chart, month_spend
from api.pages.overview.overview_state import complete, open_alerts
from api.pages.overview.overview_teams import budgeted, teams_table
from api.pages.overview.overview_uses import uses_table
from api.pages.ranges import asked_month
from api.pages.shell import page
from api.pages.visitor import Visiting, Visitor
from spend.periods import local_day
from store.completeness import complete_until
from store.intake.first_heard import anything_counted, first_counted

router = APIRouter(include_in_schema=False)


class OverviewAsked(PageAsked):
    """Which month, and what its changes are told by."""

    month: Text | None = None
    by: By = "model"


@router.get("/")
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    query: Annotated[OverviewAsked, Query()],
) -> Response:
    """The month's spend, or the first run while nothing was ever heard."""
    if not anything_counted(session, tenant):
        return first_run(request, session, tenant, visitor)
    until = complete_until(session)
    shown = _shown(visitor, query.month, until)
    spend = month_spend(request, session, tenant, visitor, shown)
    found = changes(request, session, tenant, visitor, shown)
    budgets = budgeted(session, tenant, visitor, shown, spend)
    alerts, open_count = open_alerts(session, tenant, visitor)
    every = query.csv is not None
    return page(
        request,
        visitor,
        "overview.html",
        title="Overview",
        tables={
            "teams": teams_table(request, visitor, shown, spend, budgets, every=every)
            if visitor.team is None
            else uses_table(request, session, tenant, visitor, shown, every=every),
            "days": days_table(visitor, shown, spend),
            "changes": changes_table(request, visitor, shown, found, query.by, every=every),
        },
        shown=shown,
        spend=spend,
        chart=month_chart(request, visitor, shown, spend),
        outlook=month_outlook(request, session, tenant, visitor, shown, spend.total),
        budgets=budgets,
        booked=found.booked,
        by=query.by,
        alerts=alerts,
        open_count=open_count,
        complete=complete(session, tenant, visitor, shown, until),
        months=_months(shown, visitor),
        begins=_begins(session, tenant, shown),
    )


def _shown(visitor: Visitor, asked: str | None, until: datetime | None) -> ShownMonth:
    month = asked_month(asked) if asked else present_month(visitor.now, visitor.zone)
    return shown_month(month, visitor.zone, visitor.now, until)


def _begins(session: Session, tenant: int, shown: ShownMonth) -> date | None:
    """The first day of the month before that anything is known of; None: all of it, or nothing."""
    first = first_counted(session, tenant)
    if first is None or not shown.same_part.start < first < shown.same_part.end:
        return None
    day = local_day(first, shown.zone)
    return None if day == local_day(shown.same_part.start, shown.zone) else day


def _months(shown: ShownMonth, visitor: Visitor) -> Mapping[str, str | None]:
    """The months beside it; None: that one is to come."""
    present = present_month(visitor.now, visitor.zone)
    return {
        "previous": str(shown.month.plus(-1)),
        "next": str(shown.month.plus(1)) if shown.month < present else None,
        "present": str(present) if shown.month != present else None,
    }
