"""/alerts: what was warned of, how it stands, and whether anybody was told."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field

from api.auth import of_their_team
from api.dependencies import Reading, Tenant
from api.pages.alerts.alert_rows import alerts_table
from api.pages.alerts.alert_tabs import alert_tabs
from api.pages.asked import PageAsked, Text
from api.pages.shell import page
from api.pages.visitor import Visiting
from spend.alerts.rule_kinds import KINDS
from spend.budgets.budget_states import ACTUAL, FORECAST, PACE
from store.alerts import alerts
from store.alerts.alert_states import ENDED, NOT_OVER, RECOVERED, STATES

router = APIRouter(include_in_schema=False)

PAGE: Final = 100
OF_BUDGETS: Final = {
    ACTUAL: "budget, spent",
    FORECAST: "budget, expected",
    PACE: "budget, pace",
}
"""Kinds of alerts of budgets, as they are chosen from."""
_VIEWS: Final = {"open": NOT_OVER, "past": (RECOVERED, ENDED), "all": None}


class AlertsAsked(PageAsked):
    """Which alerts."""

    view: Literal["open", "past", "all"] = "open"
    state: Literal[STATES] | None = None  # type: ignore[valid-type]  # a tuple of strings
    kind: Annotated[Text | None, Field(description="Of a budget's crossing, or of a rule.")] = None
    team: Annotated[Text | None, Field(description="Of budgets and rules on it.")] = None
    budget_id: int | None = Field(None, ge=1, le=2**63 - 1)
    rule_id: int | None = Field(None, ge=1, le=2**63 - 1)
    status: Literal["pending", "sent", "dead", "dropped"] | None = None
    before: int | None = Field(None, ge=1, le=2**63 - 1, description="Older than this one.")


@router.get("/alerts")
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    query: Annotated[AlertsAsked, Query()],
) -> Response:
    """Alerts, the newest first."""
    if query.team is not None:
        of_their_team(visitor.caller, query.team)
    wanted = alerts.Wanted(
        state=query.state,
        states=None if query.state else _VIEWS[query.view],
        kind=query.kind,
        team=query.team,
        teams_alone=() if visitor.team is None else (visitor.team,),
        budget_id=query.budget_id,
        rule_id=query.rule_id,
        status=query.status,
    )
    found = alerts.alerts(
        session, tenant, wanted, now=visitor.now, at_most=PAGE + 1, before=query.before
    )
    shown = found[:PAGE]
    table = alerts_table(
        request, visitor, shown, caption=_caption(query), empty="No alert fits what is asked for."
    )
    narrowed = any((query.state, query.kind, query.team, query.budget_id, query.rule_id))
    return page(
        request,
        visitor,
        "alerts.html",
        title="Alerts",
        tables={"alerts": table},
        tabs=alert_tabs(request, None if query.state else query.view),
        query=query,
        states=STATES,
        kinds=[*OF_BUDGETS.items(), *((kind, kind) for kind in KINDS)],
        narrowed=narrowed or query.status is not None,
        next=shown[-1].id if len(found) > PAGE else None,
    )


def _caption(query: AlertsAsked) -> str:
    if query.state:
        return f"Alerts, {query.state}"
    return {"open": "Open alerts", "past": "Past alerts", "all": "All alerts"}[query.view]
