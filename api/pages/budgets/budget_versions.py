"""What a budget said and is to say: each version, by what it changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from api.pages.tables import Cell, Column, Held, Table
from api.pages.visitor import Visitor
from spend.budgets.budgets import Budget, filter_text
from store.budgets.budget_names import Names
from store.budgets.budgets import withdrawn

IN_FORCE: Final = "in force"
TO_COME: Final = "to come"
WITHDRAWN: Final = "withdrawn"
PAST: Final = "past"

_TITLES: Final = {
    "own_period": "own period",
    "forecast_thresholds": "forecast thresholds",
    "pace_thresholds": "pace thresholds",
    "rollover_cap": "rolls over at most",
    "remind_hours": "reminds after hours",
    "webhook_url": "webhook",
}
_LONGEST: Final = 200


def state_of(version: Budget, now: datetime) -> str:
    """One of the four above."""
    if withdrawn(version):
        return WITHDRAWN
    if version.starts > now:
        return TO_COME
    return IN_FORCE if version.in_force(now) else PAST


def versions_table(visitor: Visitor, versions: Sequence[Budget], there: Names) -> Table:
    """Versions, the first one first; the latest on top."""
    rows: list[dict[str, Held | Cell]] = []
    before: Budget | None = None
    for each in versions:
        rows.append(_row(visitor, each, before, there))
        if not withdrawn(each):
            before = each
    columns = (
        Column("version", "Version"),
        Column("state", "State"),
        Column("changed", "What changed"),
        Column("from", "Holds from", "when"),
        Column("said", "Said", "when", narrow=False),
    )
    return Table(columns, rows[::-1], "Versions", file="versions")


def _row(
    visitor: Visitor, version: Budget, before: Budget | None, there: Names
) -> dict[str, Held | Cell]:
    state = state_of(version, visitor.now)
    return {
        "version": version.version,
        "state": Cell(state, tone="quiet" if state in {PAST, WITHDRAWN} else ""),
        "changed": "; ".join(changes(version, before, there)),
        "from": version.starts,
        "said": version.created_at,
    }


def changes(version: Budget, before: Budget | None, there: Names) -> list[str]:
    """What a version says otherwise than one before it; of the first one, what it says."""
    now = there.fields(version.terms)
    if before is None:
        told = {name: now[name] for name in ("filter", "amount", "period")}
        return [f"{_said(told['filter'], 'filter')}, {now['amount']} {now['currency']} a period"]
    then = there.fields(before.terms)
    return [
        f"{_TITLES.get(name, name)}: {_said(then[name], name)} → {_said(value, name)}"
        for name, value in now.items()
        if value != then[name]
    ] or ["nothing"]


def _said(value: Any, name: str) -> str:
    if value is None or value == []:
        return "none"
    if name == "filter":
        text = filter_text(value)
    elif isinstance(value, dict):
        text = ", ".join(f"{key} {each}" for key, each in value.items())
    elif isinstance(value, list):
        text = ", ".join(map(str, value))
    else:
        text = str(value)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
