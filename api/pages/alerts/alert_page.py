"""/alerts/{id}: one alert: what happened, who was told, and that somebody knows of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api.alerts.alerts import AlertId
from api.auth import Budgeting
from api.dependencies import Reading, Tenant, Writing
from api.pages.alerts import alert_rows
from api.pages.alerts.alert_evidence import evidence
from api.pages.alerts.alert_rows import NOTICES
from api.pages.alerts.delivery_rows import deliveries_table
from api.pages.forms import Sent, one
from api.pages.links import go_to
from api.pages.shell import page
from api.pages.visitor import Visiting, Visitor
from api.problems import Problem
from spend.alerts.rule_kinds import KINDS
from spend.budgets.budget_states import ACTUAL, FORECAST, PACE
from spend.channels.silences import LONGEST_REASON
from spend.checked_fields import TermsRefused, one_line
from store.alerts import alerts
from store.alerts.alerts import Alert
from store.alerts.deliveries import Delivery, Wanted, deliveries
from store.channels import silences

router = APIRouter(include_in_schema=False)

MOST_MESSAGES: Final = 100
_MEANS: Final = {
    ACTUAL: "So much of the limit is spent.",
    FORECAST: "The period is expected to come to so much of the limit by its end.",
    PACE: "In the last 24 hours (of a budget of a day: in the last hour) it was spent so fast.",
}


@router.get("/alerts/{alert_id:number}")
def show(
    request: Request, session: Reading, tenant: Tenant, visitor: Visiting, alert_id: AlertId
) -> Response:
    """An alert, with its messages."""
    return _shown(request, session, tenant, visitor, alert_id)


@router.post("/alerts/{alert_id:number}/acknowledge")
def acknowledge(
    request: Request,
    session: Writing,
    tenant: Tenant,
    visitor: Visiting,
    who: Budgeting,
    alert_id: AlertId,
    fields: Sent,
) -> Response:
    """Somebody knows of it: nobody is reminded any more."""
    try:
        by = one_line(one(fields, "by") or who.name, "by")
        note = one(fields, "note")
        said = one_line(note, "note", LONGEST_REASON) if note else None
        only = () if who.team is None else (who.team,)
        alerts.acknowledge(
            session, tenant, alert_id, by=by, note=said, now=visitor.now, teams_alone=only
        )
    except TermsRefused as refused:
        typed = {name: one(fields, name) for name in ("by", "note")}
        return _shown(request, session, tenant, visitor, alert_id, typed, refused)
    except alerts.NoSuchAlert as missing:
        raise _no_such(missing) from None
    return go_to(request, f"/alerts/{alert_id}", done="acknowledged")


def _shown(
    request: Request,
    session: Session,
    tenant: int,
    visitor: Visitor,
    alert_id: int,
    typed: dict[str, str] | None = None,
    refused: TermsRefused | None = None,
) -> Response:
    now = visitor.now
    alone = () if visitor.team is None else (visitor.team,)
    try:
        alert = alerts.one(session, tenant, alert_id, now=now, teams_alone=alone)
    except alerts.NoSuchAlert as missing:
        raise _no_such(missing) from None
    wanted = Wanted(alert_id=alert_id)
    sent = deliveries(session, tenant, wanted, now=now, at_most=MOST_MESSAGES)
    silent = [
        each
        for each in silences.in_force(session, tenant, now)
        if (each.budget_id, each.rule_id) == (alert.budget_id, alert.rule_id)
    ]
    table = deliveries_table(request, visitor, sent, caption="Its messages", of_one=True)
    return page(
        request,
        visitor,
        "alert.html",
        title=alert_rows.what_happened(alert),
        status=200 if refused is None else 422,
        tables={"messages": table},
        alert=alert,
        words=alert_rows,
        means=_means(alert),
        facts=_facts(alert),
        evidence=evidence(request, session, tenant, visitor, alert),
        timeline=_timeline(alert, sent),
        silent=silent,
        typed=typed or {"by": "", "note": ""},
        refused=refused,
    )


def _means(alert: Alert) -> str:
    if alert.kind in KINDS:
        said = KINDS[alert.kind].says
        return f"Measured: {said}."
    return _MEANS.get(alert.kind, "")


def _no_such(missing: Exception) -> Problem:
    return Problem(404, "No such alert", str(missing), field="alert_id")


def _facts(alert: Alert) -> list[tuple[str, str]]:
    """What a rule told beside the value: its largest drivers, and the like."""
    facts = alert.detail.get("facts") or ()
    return [(str(label), str(text)) for label, text in facts]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened."""

    at: datetime
    text: str
    note: str = ""


def _timeline(alert: Alert, sent: list[Delivery]) -> list[Event]:
    """What became of an alert, in order."""
    events = [Event(alert.crossed_at, f"Found, {alert.level}")]
    if alert.acknowledged_at is not None:
        by = alert.acknowledged_by or "somebody"
        events.append(
            Event(alert.acknowledged_at, f"Acknowledged by {by}", alert.acknowledged_note or "")
        )
    if alert.reminded_at is not None:
        events.append(Event(alert.reminded_at, "Told again"))
    if alert.recovered_at is not None:
        events.append(Event(alert.recovered_at, "Recovered"))
    for each in sent:
        if each.sent_at is not None:
            place = each.channel or "a webhook"
            events.append(Event(each.sent_at, f"Told {place}", NOTICES.get(each.kind, each.kind)))
    return sorted(events, key=lambda each: each.at)
