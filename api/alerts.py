"""GET /v1/alerts: what was warned of, what became of each message, and what was heard."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from api.auth import Who
from api.budgets import visible
from api.dependencies import Clock, Reading, Tenant
from api.instants import Instant
from api.problems import Problem, answers
from api.shapes import instant
from spend.budget_periods import period_at
from spend.money import plain
from store import alerts as stored
from store import budgets
from store.heard_counts import heard_counts

router = APIRouter(prefix="/v1", tags=["budgets"])

COUNTED = timedelta(hours=24)
MOST_COUNTED = timedelta(days=92)


class AlertsAsked(BaseModel):
    """Which alerts, and since when to count."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(100, ge=1, le=1000, description="At most so many alerts.")
    before: int | None = Field(
        None, ge=1, le=2**63 - 1, description="Only alerts older than this id: `next` of a page."
    )
    status: Literal["pending", "sent", "dead"] | None = Field(
        None, description="Only alerts whose message is in this state."
    )
    since: Instant | None = Field(
        None,
        description="What was heard is counted from this instant on, at most"
        f" {MOST_COUNTED.days} days back. Default: 24 hours ago.",
    )


class DeliveryAnswer(BaseModel):
    """What became of a message."""

    status: str = Field(description="`pending`, `sent`, or `dead`: it will not be tried again.")
    attempts: int
    last_error: str | None
    next_at: str | None = Field(description="When it is tried next; null unless `pending`.")
    sent_at: str | None


class AlertAnswer(BaseModel):
    """A threshold of a budget that was reached."""

    id: int = Field(description="It is in the message, too.")
    budget_id: int
    budget: str = Field(description="The budget's name.")
    version: int
    threshold: int = Field(description="Percent.")
    period_start: str
    period_end: str
    crossed_at: str
    spent: str = Field(description="At that time; exact.")
    amount: str
    currency: str
    delivery: DeliveryAnswer | None


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
    seen = None
    if who.team is not None:
        own = budgets.all_in_force(session, tenant, clock())
        seen = [each.id for each in own if visible(each, who)]
    found = stored.alerts(
        session,
        tenant,
        at_most=query.limit + 1,
        before=query.before,
        status=query.status,
        budget_ids=seen,
    )
    page = found[: query.limit]
    return AlertsAnswer(
        alerts=[_alert(each) for each in page],
        next=page[-1].id if len(found) > len(page) else None,
        counters=None
        if who.team is not None
        else _counters(session, tenant, since.astimezone(UTC)),
    )


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


def _alert(alert: stored.Alert) -> AlertAnswer:
    period = period_at(alert.period_start, alert.period, ZoneInfo(alert.timezone), alert.fiscal)
    delivery = alert.delivery
    return AlertAnswer(
        id=alert.id,
        budget_id=alert.budget_id,
        budget=alert.name,
        version=alert.version,
        threshold=alert.threshold,
        period_start=str(instant(period.start)),
        period_end=str(instant(period.end)),
        crossed_at=str(instant(alert.crossed_at)),
        spent=plain(alert.spent),
        amount=plain(alert.amount),
        currency=alert.currency,
        delivery=None
        if delivery is None
        else DeliveryAnswer(
            status=delivery.status,
            attempts=delivery.attempts,
            last_error=delivery.last_error,
            next_at=instant(delivery.next_at) if delivery.status == "pending" else None,
            sent_at=instant(delivery.sent_at),
        ),
    )
