"""Where what an alert tells can be looked into: the same calls, spend or pool, in the same time."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Request
from sqlalchemy.orm import Session

from api.pages.links import elsewhere
from api.pages.visitor import Visitor
from spend.alerts.alert_rules import RuleTerms
from spend.budgets.budgets import NOT_SAID, Terms
from spend.moments import moment_text
from spend.periods import Period, local_day
from spend.slots import SLOT, is_slot_start, slot_of
from store.alerts import alert_rules
from store.alerts.alerts import Alert
from store.budgets import budgets

Link = tuple[str, str]
"""What it leads to, and its address."""
Said = Mapping[str, Sequence[str]]
"""Dimension -> values, as pages are asked."""

_OF_CALLS: Final = frozenset({"error-rate", "latency", "time-to-first-token", "no-data"})
_ONE_OF: Final = frozenset(
    {"team", "service", "feature", "provider", "model", "operation", "deployment"}
)
"""What /performance can be narrowed by, to one value each."""
_OF_TRACES: Final = frozenset({"team", "service", "model"})


def evidence(
    request: Request, session: Session, tenant: int, visitor: Visitor, alert: Alert
) -> list[Link]:
    """Links to what was measured. None of a subject that no page tells apart."""
    if alert.of_budget is not None and alert.budget_id is not None:
        every = budgets.versions(session, tenant, alert.budget_id)
        then = next((each.terms for each in every if each.version == alert.version), None)
        return [("Its spend", spend_of(then, alert.of_budget.period))] if then else []
    pool = (alert.detail.get("detail") or {}).get("pool_id")
    if visitor.team is None and pool is not None:
        return [("The pool", elsewhere(request, f"/capacity/{int(pool)}"))]
    if visitor.team is None and alert.kind == "unpriced":
        return [("What has no price", elsewhere(request, "/prices/unpriced"))]
    rule = None
    if alert.rule_id is not None:
        rule = alert_rules.version(session, tenant, alert.rule_id, alert.version)
    filters = None if rule is None else _filters(rule.terms, alert.subject)
    if rule is None or filters is None:
        return []
    if alert.kind == "anomaly":
        return [("Its spend", _days(alert, rule.terms, filters))]
    return _calls(request, alert, filters) if alert.kind in _OF_CALLS else []


def spend_of(terms: Terms, period: Period | None) -> str:
    """Where spend of a budget can be looked into: the same filter, in its period and zone."""
    zone = ZoneInfo(terms.timezone)
    days = None if period is None else [local_day(at, zone) for at in (period.start, period.end)]
    return _explore(terms.filter, zone, days)


def _calls(request: Request, alert: Alert, filters: Said) -> list[Link]:
    end = alert.as_of or alert.crossed_at
    end = end if is_slot_start(end) else slot_of(end) + SLOT
    asked: dict[str, Any] = {"from_": moment_text(slot_of(alert.began)), "to": moment_text(end)}
    single = all(len(values) == 1 and values[0] != NOT_SAID for values in filters.values())
    asked |= filters
    links = []
    if single and filters.keys() <= _ONE_OF:
        links.append(("How calls went", elsewhere(request, "/performance", **asked)))
    if alert.kind == "error-rate" and single and filters.keys() <= _OF_TRACES:
        failed = elsewhere(request, "/traces", failed="yes", **asked)
        links.append(("Traces with failures", failed))
    return [*links, ("Its calls", elsewhere(request, "/calls", **asked))]


def _days(alert: Alert, terms: RuleTerms, filters: Said) -> str:
    zone = ZoneInfo(str(terms.settings.get("timezone", "UTC")))
    # The end is not of it.
    last = local_day((alert.as_of or alert.crossed_at) - timedelta.resolution, zone)
    first = local_day(alert.began, zone)
    return _explore(filters, zone, [first, last + timedelta(days=1)])


def _explore(filters: Said, zone: ZoneInfo, days: Sequence[date] | None) -> str:
    asked: list[tuple[str, Any]] = [
        (name, value) for name, values in filters.items() for value in values
    ]
    if days is not None:
        asked += [*zip(("from", "to"), days, strict=True), ("timezone", zone.key)]
    return f"/explore?{urlencode(asked)}"


def _filters(terms: RuleTerms, subject: str) -> Said | None:
    """What a rule counts of one subject; None: its name cannot be read."""
    pattern = ", ".join(f"{re.escape(name)}=(.*)" for name in terms.by)
    found = re.fullmatch(pattern, subject, re.DOTALL)
    if found is None:
        return None
    said = zip(terms.by, found.groups(), strict=True)
    return {
        **terms.filter,
        **{name: (NOT_SAID if value == "(none)" else value,) for name, value in said},
    }
