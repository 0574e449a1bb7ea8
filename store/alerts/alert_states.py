"""How alerts stand at a moment, in SQL: it can be asked for, and pages are cut by it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, Select, and_, case, func, or_, select, true

from spend.channels.silences import MUTE, SNOOZE
from store.channels.silences import UNTIL, holding, is_about_crossing
from store.tables.alerting import alert_rules, silences
from store.tables.budgets import budgets, crossings, standings

OPEN: Final = "open"
ACKNOWLEDGED: Final = "acknowledged"
SNOOZED: Final = "snoozed"
MUTED: Final = "muted"
RECOVERED: Final = "recovered"
ENDED: Final = "ended"
STATES: Final = (OPEN, ACKNOWLEDGED, SNOOZED, MUTED, RECOVERED, ENDED)
"""ENDED: its period is over, or its budget or rule was closed or measures something else now. What
is found late, of a period that is over, stays open for as long again as the period was."""

NOT_OVER: Final = (OPEN, ACKNOWLEDGED, SNOOZED, MUTED)

_MEASURES: Final = (
    *("filter", "amount", "currency", "period", "timezone", "fiscal"),
    *("own_period", "rollover_cap"),
)
"""What of a budget its crossings depend on (``spend.budgets.budgets.Terms.measures_like``)."""


@dataclass(frozen=True, slots=True)
class Stand:
    """Crossings, with what is known of each."""

    rows: Select[Any]
    """Columns of crossings, name and terms of its budget or rule, state and silent_until."""
    state: ColumnElement[str]
    """One of STATES."""
    teams: ColumnElement[Any]
    """JSON: the teams that its budget or rule is on; null: on all."""
    teams_then: ColumnElement[Any]
    """Likewise, of the version that it was crossed in: what was spent was these teams'."""


def stand_of(tenant: int, now: datetime) -> Stand:
    """How the crossings of a tenant stand at a moment (UTC)."""
    then, rule_then = budgets.alias("then"), alert_rules.alias("rule_then")
    budget, rule = _budget_now(now), _rule_now()
    muted, snoozed = (_until(kind, now) for kind in (MUTE, SNOOZE))
    its_standing = and_(
        standings.c.tenant_id == crossings.c.tenant_id,
        standings.c.budget_id == crossings.c.budget_id,
        standings.c.period_start == crossings.c.period_start,
    )
    its_version = and_(
        then.c.tenant_id == crossings.c.tenant_id,
        then.c.id == crossings.c.budget_id,
        then.c.version == crossings.c.version,
    )
    its_rule = and_(
        rule_then.c.tenant_id == crossings.c.tenant_id,
        rule_then.c.id == crossings.c.rule_id,
        rule_then.c.version == crossings.c.version,
    )
    state = case(
        (crossings.c.recovered_at.is_not(None), RECOVERED),
        (_is_over(then, budget, rule, now), ENDED),
        (crossings.c.acknowledged_at.is_not(None), ACKNOWLEDGED),
        (muted.is_not(None), MUTED),
        (snoozed.is_not(None), SNOOZED),
        else_=OPEN,
    )
    source = (
        crossings.outerjoin(then, its_version)
        .outerjoin(rule_then, its_rule)
        .outerjoin(budget, true())
        .outerjoin(rule, true())
        .outerjoin(standings, its_standing)
    )
    rows = select(
        crossings,
        func.coalesce(budget.c.name, rule.c.name).label("name"),
        *(then.c[name] for name in ("currency", "period", "timezone", "fiscal", "own_period")),
        state.label("state"),
        func.coalesce(muted, snoozed).label("silent_until"),
    ).select_from(source)
    teams = func.coalesce(budget.c.filter["team"], rule.c.filter["team"])
    teams_then = func.coalesce(then.c.filter["team"], rule_then.c.filter["team"])
    return Stand(rows.where(crossings.c.tenant_id == tenant), state, teams, teams_then)


def _budget_now(now: datetime) -> Any:
    """The version of a crossing's budget that holds, or was the last to."""
    starts = func.coalesce(budgets.c.effective_from, budgets.c.created_at)
    return (
        select(budgets)
        .where(
            budgets.c.tenant_id == crossings.c.tenant_id,
            budgets.c.id == crossings.c.budget_id,
            or_(starts <= now, budgets.c.version == 1),
            # Not one that was taken back before it began.
            or_(budgets.c.replaced_at.is_(None), budgets.c.replaced_at > starts),
        )
        .order_by(budgets.c.version.desc())
        .limit(1)
        .lateral("budget")
    )


def _rule_now() -> Any:
    return (
        select(alert_rules)
        .where(
            alert_rules.c.tenant_id == crossings.c.tenant_id,
            alert_rules.c.id == crossings.c.rule_id,
        )
        .order_by(alert_rules.c.version.desc())
        .limit(1)
        .lateral("rule")
    )


def _is_over(then: FromClause, budget: Any, rule: Any, now: datetime) -> ColumnElement[bool]:
    ends, starts = standings.c.period_end, standings.c.period_start
    late = crossings.c.crossed_at >= ends
    changed = or_(*(then.c[name].is_distinct_from(budget.c[name]) for name in _MEASURES))
    of_budget = or_(
        budget.c.replaced_at <= now,
        changed,
        # Without a standing its period is longer ago than any that is still compared.
        ends.is_(None),
        case((late, ends + (ends - starts)), else_=ends) <= now,
    )
    of_rule = rule.c.replaced_at.is_not(None)
    return case((crossings.c.budget_id.is_not(None), of_budget), else_=of_rule)


def _until(kind: str, now: datetime) -> ColumnElement[Any]:
    return (
        select(func.max(UNTIL))
        .where(
            silences.c.tenant_id == crossings.c.tenant_id,
            silences.c.kind == kind,
            is_about_crossing(),
            holding(now),
        )
        .scalar_subquery()
    )
