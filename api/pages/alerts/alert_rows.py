"""Alerts as pages list them: what each is of, how it stands, whether anybody was told."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from fastapi import Request
from markupsafe import Markup

from api.pages.links import elsewhere
from api.pages.tables import Cell, Column, Held, Table
from api.pages.visitor import Visitor
from spend.alerts.rule_words import shown
from spend.budgets.budget_states import ACTUAL, FORECAST, PACE
from store.alerts.alert_states import ACKNOWLEDGED, ENDED, MUTED, OPEN, RECOVERED, SNOOZED
from store.alerts.alerts import Alert

COLUMNS: Final = (
    Column("alert", "Alert"),
    Column("level", "Level"),
    Column("state", "State"),
    Column("found", "Found", narrow=False),
    Column("since", "Since", "when", narrow=False),
    Column("told", "Told", narrow=False),
    Column("id", "No.", "number", narrow=False),
)
TONES: Final = {OPEN: "bad", ACKNOWLEDGED: "accent", SNOOZED: "", MUTED: "", RECOVERED: "good"}
_DELIVERY: Final = {"dead": "bad", "pending": "warn", "sent": "good"}


NOTICES: Final = {
    ACTUAL: "threshold reached",
    FORECAST: "expected to be reached",
    PACE: "spent too fast",
    "recovered": "recovered",
    "reminder": "reminder",
    "again": "reached again",
    "digest": "weekly digest",
    "month-closed": "month closed",
    "undelivered": "about undelivered messages",
    "failing": "a rule is not measured",
    "test": "sample",
}
"""What messages of each kind tell; of a rule's kind that itself."""


def alerts_table(
    request: Request,
    visitor: Visitor,
    alerts: Sequence[Alert],
    *,
    caption: str,
    empty: str,
    file: str = "alerts",
) -> Table:
    """Alerts, each with the way to its page."""
    rows = [_row(request, visitor, each) for each in alerts]
    return Table(COLUMNS, rows, caption, file=file, empty=empty)


def _row(request: Request, visitor: Visitor, alert: Alert) -> dict[str, Held | Cell]:
    return {
        "alert": Cell(
            what_happened(alert),
            href=elsewhere(request, f"/alerts/{alert.id}"),
            note=of_what(alert),
        ),
        "level": Cell(alert.level, show=level_badge(alert.level)),
        "state": Cell(alert.state, show=state_badge(alert.state), note=state_note(visitor, alert)),
        "found": found(visitor, alert),
        "since": Cell(alert.crossed_at, note=visitor.formats.ago(alert.crossed_at, visitor.now)),
        "told": told(alert),
        "id": alert.id,
    }


def what_happened(alert: Alert) -> str:
    """In a line: ``search, monthly: 80 % spent``; of a rule which of its subjects."""
    budget = alert.of_budget
    if budget is None:
        return f"{alert.name}: {alert.subject}" if alert.subject else alert.name
    said = {
        ACTUAL: f"{budget.threshold} % spent" if budget.amount else "something is spent of 0",
        FORECAST: f"expected to reach {budget.threshold} %",
        PACE: f"spent at {budget.threshold} % of the even rate",
    }
    return f"{alert.name}: {said.get(alert.kind, alert.kind)}"


def of_what(alert: Alert) -> str:
    """Which period of a budget, or which kind of rule."""
    if alert.of_budget is not None:
        return f"budget, {alert.of_budget.period_name}"
    return f"alert rule, {alert.kind}"


def found(visitor: Visitor, alert: Alert) -> Cell:
    """What was measured when it was found."""
    budget = alert.of_budget
    if budget is not None:
        money = visitor.formats.money
        of = f"of {money(budget.amount, budget.currency)}"
        note = f"expected, {of}" if alert.kind == FORECAST else of
        return Cell(budget.spent, show=money(budget.spent, budget.currency), note=note)
    value, unit = alert.detail.get("value"), alert.detail.get("unit")
    if value is None or unit is None:
        return Cell(None)
    bound = alert.detail.get("bound")
    from_ = None if bound is None else f"from {shown(Decimal(bound), unit)} on"
    return Cell(value, show=shown(Decimal(value), unit), note=from_)


def told(alert: Alert) -> Cell:
    """What became of its messages: the worst of them first."""
    statuses = [each.status for each in alert.messages]
    if not statuses:
        return Cell("nobody")
    worst = next(each for each in ("dead", "pending", "sent", "dropped") if each in statuses)
    count = statuses.count(worst)
    text = worst if len(statuses) == 1 else f"{count} of {len(statuses)} {worst}"
    return Cell(
        worst,
        show=Markup('<span class="badge {}">{}</span>').format(_DELIVERY.get(worst, ""), text),
    )


def level_badge(level: str) -> Markup:
    """``over`` or ``warning``."""
    tone = "bad" if level == "over" else "warn"
    return Markup('<span class="badge {}">{}</span>').format(tone, level)


def state_badge(state: str) -> Markup:
    """One of ``store.alerts.alert_states.STATES``."""
    tone = TONES.get(state, "") if state != ENDED else ""
    return Markup('<span class="badge {}">{}</span>').format(tone, state)


def delivery_badge(status: str) -> Markup:
    """pending, sent, dead or dropped."""
    return Markup('<span class="badge {}">{}</span>').format(_DELIVERY.get(status, ""), status)


def state_note(visitor: Visitor, alert: Alert) -> str | None:
    """Who knows of it, or until when it is silent."""
    if alert.state == ACKNOWLEDGED and alert.acknowledged_by:
        return f"by {alert.acknowledged_by}"
    if alert.silent_until is not None and alert.state in {SNOOZED, MUTED}:
        return f"until {visitor.formats.when(alert.silent_until)}"
    return None
