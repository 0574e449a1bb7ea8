"""/alerts/deliveries: what became of each message, dead letters first, and the way to send them."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import Field

from api.auth import Administering
from api.dependencies import Reading, Tenant, Writing
from api.pages.alerts.alert_tabs import alert_tabs
from api.pages.alerts.delivery_rows import deliveries_table
from api.pages.asked import PageAsked
from api.pages.forms import Sent, one
from api.pages.links import go_to
from api.pages.shell import page
from api.pages.visitor import Visiting
from api.problems import Problem
from store.alerts.deliveries import STATUSES, Wanted, counts, deliveries, resend
from store.channel_names import channel_names

router = APIRouter(include_in_schema=False)

PAGE: Final = 100


class DeliveriesAsked(PageAsked):
    """Which messages."""

    status: Literal[STATUSES] | None = None  # type: ignore[valid-type]  # a tuple of strings
    channel_id: int | None = Field(None, ge=1, le=2**63 - 1)
    after: Literal[STATUSES] | None = None  # type: ignore[valid-type]  # as above
    before: int | None = Field(None, ge=1, le=2**63 - 1, description="With after: those below it.")


@router.get("/alerts/deliveries")
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    query: Annotated[DeliveriesAsked, Query()],
) -> Response:
    """Messages to channels and webhooks: dead ones, those that wait, those that were sent."""
    alone = () if visitor.team is None else (visitor.team,)
    all_of_them = Wanted(channel_id=query.channel_id, teams_alone=alone)
    wanted = Wanted(status=query.status, channel_id=query.channel_id, teams_alone=alone)
    below = None
    if query.after is not None and query.before is not None:
        below = STATUSES.index(query.after), query.before
    found = deliveries(session, tenant, wanted, now=visitor.now, at_most=PAGE + 1, before=below)
    shown = found[:PAGE]
    there = counts(session, tenant, all_of_them, visitor.now)
    return page(
        request,
        visitor,
        "deliveries.html",
        title="Deliveries",
        tables={"deliveries": deliveries_table(request, visitor, shown, caption="Messages")},
        tabs=alert_tabs(request, "deliveries"),
        statuses=[(each, there.get(each, 0)) for each in STATUSES],
        count=sum(there.values()),
        query=query,
        channels=[] if visitor.team else sorted(channel_names(session, tenant).items()),
        next=shown[-1] if len(found) > PAGE else None,
    )


@router.post("/alerts/deliveries/{message_id:number}/resend")
def send_again(
    request: Request,
    session: Writing,
    tenant: Tenant,
    visitor: Visiting,
    _who: Administering,
    message_id: Annotated[int, Path(ge=1, le=2**63 - 1)],
    fields: Sent,
) -> Response:
    """A dead message waits again, and goes out with the next round. Problem 409 if it is not dead.

    The key that may do so is an admin's, which sees all.
    """
    if not resend(session, tenant, message_id, visitor.now):
        detail = "It is not dead: it waits, or was sent."
        raise Problem(409, "Nothing to resend", detail)
    alert = one(fields, "alert")
    place = f"/alerts/{alert}" if alert.isascii() and alert.isdigit() else "/alerts/deliveries"
    return go_to(request, place, done="resent")
