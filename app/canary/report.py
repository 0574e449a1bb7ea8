"""What the API tells of the canary's calls: one by one, and as a sum."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from app.canary.calls import Call, Span
from app.canary.doors import Doors, Reply
from spend.canary import MODEL, PROVIDER
from spend.moments import moment_text
from spend.prices.feeds import CURRENCY
from spend.slots import SLOT, slot_of

_MOST: Final = 500
"""Calls of a page, the most that the API gives: those of a hundred runs in a quarter hour."""


@dataclass(frozen=True, slots=True)
class Window:
    """The quarter hours in which the calls began, as reports are cut."""

    start: datetime
    end: datetime

    @property
    def asked(self) -> Mapping[str, str]:
        """As parameters of a question that is about the canary's calls alone."""
        return {
            "from": moment_text(self.start),
            "to": moment_text(self.end),
            "timezone": "UTC",
            "provider": PROVIDER,
            "model": MODEL,
        }


def window_of(calls: Sequence[Call]) -> Window:
    """The time that holds these calls."""
    starts = [told.start for call in calls for told in call.spans]
    return Window(slot_of(min(starts)), slot_of(max(starts)) + SLOT)


@dataclass(frozen=True, slots=True)
class Sum:
    """What the report says of the window."""

    reply: Reply
    complete_until: datetime | None
    """Everything answered before is in it, by the clocks of the jobs and the collector."""
    calls: int
    cost: Decimal | None
    """In the currency of the price lines."""
    unpriced: int
    waiting: int


def spent(doors: Doors, window: Window) -> Sum:
    """Asks for the report."""
    reply = doors.api("/v1/spend", **window.asked, currency=CURRENCY)
    body = object_in(reply)
    total = body.get("total") or {}
    return Sum(
        reply=reply,
        complete_until=_moment(body.get("complete_until")),
        calls=int(total.get("calls") or 0),
        cost=decimal(total.get("cost")),
        unpriced=int(total.get("unpriced_calls") or 0),
        waiting=int(total.get("waiting_calls") or 0),
    )


@dataclass(frozen=True, slots=True)
class Listed:
    """Single calls of the window."""

    reply: Reply
    costs: Mapping[tuple[str, str], Decimal | None]
    """Trace and span id -> cost."""
    whole: bool
    """Whether these are all."""
    entries: int
    """Which are more than the ids where a call is listed twice."""


def listed(doors: Doors, window: Window) -> Listed:
    """Asks for the calls that the report is made of."""
    reply = doors.api("/v1/calls", **window.asked, limit=str(_MOST))
    body = object_in(reply)
    calls = body.get("calls") or []
    costs = {(each["trace_id"], each["span_id"]): decimal(each["cost"]) for each in calls}
    return Listed(reply, costs, whole=body.get("next") is None, entries=len(calls))


def explained(doors: Doors, told: Span) -> tuple[Reply, Mapping[str, Any]]:
    """Asks for the call that a span tells of; an empty object where it is not there."""
    reply = doors.api(f"/v1/calls/{told.trace_id}/{told.span_id}")
    return reply, object_in(reply)


def last_posted(doors: Doors, window: Window) -> tuple[int, datetime] | None:
    """The latest line of the ledger in the window, and when the database says it came."""
    reply = doors.api("/v1/charges", **window.asked, currency=CURRENCY, limit="1")
    lines = object_in(reply).get("charges") or []
    if not lines or (posted := _moment(lines[0].get("posted_at"))) is None:
        return None
    return int(lines[0]["id"]), posted


def object_in(reply: Reply) -> Mapping[str, Any]:
    """What was answered; empty where it was no answer."""
    found = reply.json() if reply.ok else {}
    return found if isinstance(found, dict) else {}


def decimal(text: str | None) -> Decimal | None:
    """An amount as the API writes it; None: it is not known."""
    try:
        return None if text is None else Decimal(text)
    except InvalidOperation:
        return None


def _moment(text: str | None) -> datetime | None:
    try:
        return None if text is None else datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None
