"""Alerts as the API shows them."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, StrictStr

from api.shapes import instant
from spend.money import plain
from store.alerts.alerts import Alert, Message


class DeliveryAnswer(BaseModel):
    """What became of a message."""

    status: str = Field(
        description="`pending`, `sent`, `dead`: it will not be tried again; or `dropped`: it was"
        " deliberately not sent."
    )
    attempts: int
    last_error: str | None = Field(description="Why it waits, is dead or was dropped.")
    next_at: str | None = Field(description="When it is tried next; null unless `pending`.")
    sent_at: str | None


class MessageAnswer(DeliveryAnswer):
    """A message of an alert, to one channel."""

    kind: str = Field(description="What it tells: what was crossed, `recovered`, `reminder`, …")
    channel_id: int | None = Field(description="null: to no channel, but to a webhook.")
    channel: str = Field(description="The channel's name.")


class AlertAnswer(BaseModel):
    """A bound of a budget, or of an alert rule, that was passed."""

    id: int = Field(description="It is in the message, too.")
    kind: str = Field(description="Of a budget `actual`, `forecast` or `pace`; of a rule its kind.")
    level: str = Field(description="`warning` or `over`.")
    state: str = Field(
        description="`open`, `acknowledged`, `snoozed`, `muted`, `recovered`, or `ended`: its"
        " period is over, or its budget or rule was closed or changed."
    )
    silent_until: str | None = Field(description="Where its budget or rule is snoozed or muted.")
    name: str = Field(description="The budget's or rule's, as it is called now.")
    subject: str = Field(description="Of a rule: such as `team=search`; '': all it looks at.")
    budget_id: int | None
    budget: str | None = Field(description="The budget's name; null: it is of a rule.")
    rule_id: int | None
    version: int
    threshold: int | None = Field(description="Percent; null of a rule.")
    period_start: str = Field(description="Of a rule the start of what was measured.")
    period_end: str | None
    crossed_at: str
    as_of: str | None = Field(description="Everything heard before was in it.")
    spent: str | None = Field(
        description="At that time; exact. Of the kind `forecast` what was expected."
    )
    amount: str | None
    currency: str | None
    detail: dict[str, Any] = Field(description="Of a rule: what was measured.")
    recovered_at: str | None
    acknowledged_at: str | None
    acknowledged_by: str | None
    acknowledged_note: str | None
    reminded_at: str | None = Field(description="When somebody was last reminded of it.")
    delivery: DeliveryAnswer | None = Field(description="Of its first message.")
    messages: list[MessageAnswer] = Field(description="One a channel, the oldest first.")


class Acknowledge(BaseModel):
    """Who knows of an alert."""

    model_config = ConfigDict(extra="forbid")

    by: StrictStr | None = Field(
        None, description="Who that is. Default: the name of the key.", examples=["ann"]
    )
    note: StrictStr | None = Field(None, description="What there is to say of it.")


def alert_answer(alert: Alert) -> AlertAnswer:
    """An alert as the API shows it."""
    said = alert.of_budget
    return AlertAnswer(
        id=alert.id,
        kind=alert.kind,
        level=alert.level,
        state=alert.state,
        silent_until=instant(alert.silent_until),
        name=alert.name,
        subject=alert.subject,
        budget_id=alert.budget_id,
        budget=alert.name if alert.budget_id is not None else None,
        rule_id=alert.rule_id,
        version=alert.version,
        threshold=said.threshold if said else None,
        period_start=_at(said.period.start if said else alert.began),
        period_end=_at(said.period.end) if said else None,
        crossed_at=_at(alert.crossed_at),
        as_of=instant(alert.as_of),
        spent=plain(said.spent) if said else None,
        amount=plain(said.amount) if said else None,
        currency=said.currency if said else None,
        detail=dict(alert.detail),
        recovered_at=instant(alert.recovered_at),
        acknowledged_at=instant(alert.acknowledged_at),
        acknowledged_by=alert.acknowledged_by,
        acknowledged_note=alert.acknowledged_note,
        reminded_at=instant(alert.reminded_at),
        delivery=DeliveryAnswer(**_delivery(alert.messages[0])) if alert.messages else None,
        messages=[
            MessageAnswer(
                kind=each.kind,
                channel_id=each.channel_id,
                channel=each.channel,
                **_delivery(each),
            )
            for each in alert.messages
        ],
    )


def _delivery(message: Message) -> dict[str, Any]:
    return {
        "status": message.status,
        "attempts": message.attempts,
        "last_error": message.last_error,
        "next_at": instant(message.next_at) if message.status == "pending" else None,
        "sent_at": instant(message.sent_at),
    }


def _at(moment: datetime) -> str:
    return str(instant(moment))
