"""/v1/alerts: what was warned of, who knows of it, what became of each message; what was heard."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from api.alerts.alert_shapes import Acknowledge, AlertAnswer, alert_answer
from api.auth import Caller, Who
from api.dependencies import Clock, Reading, Tenant, Writing
from api.grouping import Name
from api.instants import Instant
from api.problems import Problem, answers
from api.shapes import instant
from spend.channels.silences import LONGEST_REASON
from spend.checked_fields import TermsRefused, one_line
from store.alerts import alerts as stored
from store.alerts.alert_states import STATES
from store.intake.heard_counts import heard_counts

router = APIRouter(prefix="/v1", tags=["alerts"])

COUNTED = timedelta(hours=24)
MOST_COUNTED = timedelta(days=92)

AlertId = Annotated[int, Path(ge=1, le=2**63 - 1)]


class AlertsAsked(BaseModel):
    """Which alerts, and since when to count."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(100, ge=1, le=1000, description="At most so many alerts.")
    before: int | None = Field(
        None, ge=1, le=2**63 - 1, description="Only alerts older than this id: `next` of a page."
    )
    status: Literal["pending", "sent", "dead", "dropped"] | None = Field(
        None, description="Only alerts with a message in this state."
    )
    state: Literal[STATES] | None = Field(  # type: ignore[valid-type]  # a tuple of strings
        None, description="Only alerts in this state."
    )
    kind: Name | None = Field(
        None, description="`actual`, `forecast` or `pace` of budgets, or a kind of alert rule."
    )
    team: Name | None = Field(
        None, description="Only alerts of budgets and rules on this team, among others or alone."
    )
    budget_id: int | None = Field(None, ge=1, le=2**63 - 1, description="Only this budget's.")
    rule_id: int | None = Field(None, ge=1, le=2**63 - 1, description="Only this alert rule's.")
    crossed_since: Instant | None = Field(
        None, description="Only alerts that were found at this instant or later."
    )
    since: Instant | None = Field(
        None,
        description="What was heard is counted from this instant on, at most"
        f" {MOST_COUNTED.days} days back. Default: 24 hours ago.",
    )


class CountersAnswer(BaseModel):
    """Spans: `heard` = `stored` + `duplicate` + `not_a_call` + `refused`."""

    since: str
    heard: int
    stored: int
    duplicate: int
    not_a_call: int
    refused: int
    refused_for: dict[str, int] = Field(description="By reason.")
    usage_refused_for: dict[str, int] = Field(
        description="By reason: calls that were kept without their usage."
    )
    usage_conflicts_for: dict[str, int] = Field(
        description="By emitter and version: calls whose counts contradict what is held of it."
        " Its meaning of input or output has changed."
    )


class AlertsAnswer(BaseModel):
    """Newest first."""

    alerts: list[AlertAnswer]
    next: int | None = Field(description="`before` of the next page; null: this is the last.")
    counters: CountersAnswer | None = Field(
        description="null to a key of one team: what is refused has no owner."
    )


@router.get(
    "/alerts", summary="What was warned of, and was it heard", responses=answers(401, 403, 422, 503)
)
def list_alerts(
    session: Reading,
    tenant: Tenant,
    clock: Clock,
    who: Who,
    query: Annotated[AlertsAsked, Query()],
) -> AlertsAnswer:
    """Alerts with their delivery, dead letters included; and counters of the collector."""
    now = clock()
    since = query.since or now - COUNTED
    if not now - MOST_COUNTED <= since <= now:
        detail = f"since: a moment of the last {MOST_COUNTED.days} days"
        raise Problem(422, "The request is not valid", detail, field="since")
    wanted = stored.Wanted(
        state=query.state,
        kind=query.kind,
        team=query.team,
        teams_alone=_only(who),
        budget_id=query.budget_id,
        rule_id=query.rule_id,
        since=query.crossed_since,
        status=query.status,
    )
    found = stored.alerts(
        session, tenant, wanted, now=now, at_most=query.limit + 1, before=query.before
    )
    page = found[: query.limit]
    return AlertsAnswer(
        alerts=[alert_answer(each) for each in page],
        next=page[-1].id if len(found) > len(page) else None,
        counters=None
        if who.team is not None
        else _counters(session, tenant, since.astimezone(UTC)),
    )


@router.get(
    "/alerts/{alert_id}",
    summary="An alert and its messages",
    responses=answers(401, 403, 404, 422, 503),
)
def show(
    session: Reading, tenant: Tenant, clock: Clock, who: Who, alert_id: AlertId
) -> AlertAnswer:
    """What was crossed, how it stands, and what became of each message."""
    return _shown(session, tenant, alert_id, clock(), who)


@router.post(
    "/alerts/{alert_id}/acknowledge",
    summary="Say that somebody knows of an alert",
    responses=answers(401, 403, 404, 422, 503),
)
def acknowledge(
    session: Writing,
    tenant: Tenant,
    clock: Clock,
    who: Who,
    alert_id: AlertId,
    body: Acknowledge,
) -> AlertAnswer:
    """Nobody is reminded of it any more. Done again, it stays as it was said first."""
    now = clock()
    try:
        by = one_line(who.name if body.by is None else body.by, "by")
        note = None if body.note is None else one_line(body.note, "note", LONGEST_REASON)
        stored.acknowledge(
            session, tenant, alert_id, by=by, note=note, now=now, teams_alone=_only(who)
        )
    except TermsRefused as refused:
        title = "The acknowledgement makes no sense"
        raise Problem(422, title, f"{refused.field}: {refused}", field=refused.field) from None
    except stored.NoSuchAlert as missing:
        raise Problem(404, "No such alert", str(missing), field="alert_id") from None
    return _shown(session, tenant, alert_id, now, who)


def _shown(session: Session, tenant: int, alert_id: int, now: datetime, who: Caller) -> AlertAnswer:
    try:
        found = stored.one(session, tenant, alert_id, now=now, teams_alone=_only(who))
    except stored.NoSuchAlert as missing:
        raise Problem(404, "No such alert", str(missing), field="alert_id") from None
    return alert_answer(found)


def _only(who: Caller) -> tuple[str, ...]:
    return () if who.team is None else (who.team,)


def _counters(session: Reading, tenant: int, since: datetime) -> CountersAnswer:
    counts = heard_counts(session, tenant, since)
    return CountersAnswer(
        since=str(instant(since)),
        heard=counts.heard,
        stored=counts.stored,
        duplicate=counts.duplicate,
        not_a_call=counts.not_a_call,
        refused=counts.refused,
        refused_for=dict(counts.refused_for),
        usage_refused_for=dict(counts.usage_refused_for),
        usage_conflicts_for=dict(counts.usage_conflicts_for),
    )
