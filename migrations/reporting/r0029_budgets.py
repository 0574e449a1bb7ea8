"""Budgets and alerts, as views."""

from typing import Final

from migrations.reporting.r0029_shared import TENANT
from migrations.reporting.views import Column, View

_STAMP: Final = "timestamp with time zone"
_AMOUNT: Final = "numeric(38,12)"
_TEAMS: Final = (
    "CASE WHEN {0}.filter ? 'team'"
    " THEN ARRAY(SELECT jsonb_array_elements_text({0}.filter -> 'team')) END"
)

_BUDGETS: Final = f"""
    SELECT held.id, held.name, held.owner, {_TEAMS.format("held")}, held.filter, held.parent_id,
        held.period, held.timezone, stood.period_start, stood.period_end,
        terms.currency, terms.amount, stood.rolled_in,
        (terms.amount + stood.rolled_in)::numeric(38, 12), stood.spent,
        (terms.amount + stood.rolled_in - stood.spent)::numeric(38, 12),
        stood.spent / nullif(terms.amount + stood.rolled_in, 0),
        stood.state, stood.pace, stood.without_rate,
        expected.expected, expected.low, expected.high, expected.past_error, expected.made_at,
        greatest(stood.as_of, (
            SELECT complete_until FROM job_runs
            WHERE job = 'budgets' AND complete_until IS NOT NULL ORDER BY finished_at DESC LIMIT 1
        ))
    FROM budgets AS held
    LEFT JOIN (
        SELECT DISTINCT ON (budget_id) budget_id, period_start, period_end, version, spent,
            rolled_in, without_rate, pace, state, as_of FROM standings WHERE tenant_id = {TENANT}
        ORDER BY budget_id, version DESC, period_start DESC
    ) AS stood ON stood.budget_id = held.id
    LEFT JOIN budgets AS terms ON terms.tenant_id = {TENANT} AND terms.id = held.id
        AND terms.version = coalesce(stood.version, held.version)
    LEFT JOIN forecasts AS expected ON expected.tenant_id = {TENANT}
        AND expected.budget_id = held.id AND expected.period_start = stood.period_start
    WHERE held.tenant_id = {TENANT} AND coalesce(held.effective_from, held.created_at) <= now()
    AND (held.replaced_at IS NULL OR held.replaced_at > now())
"""  # noqa: S608  # constants

_MEASURES: Final = (
    *("filter", "amount", "currency", "period", "timezone", "fiscal"),
    *("own_period", "rollover_cap"),
)
_CHANGED: Final = " OR ".join(f"terms.{name} IS DISTINCT FROM budget.{name}" for name in _MEASURES)
_BUDGET_NOW: Final = f"""
    SELECT name, replaced_at, {", ".join(_MEASURES)} FROM budgets WHERE budgets.tenant_id = {TENANT}
    AND budgets.id = crossings.budget_id
    AND (coalesce(effective_from, created_at) <= now() OR version = 1)
    AND (replaced_at IS NULL OR replaced_at > coalesce(effective_from, created_at))
    ORDER BY version DESC LIMIT 1
"""  # noqa: S608  # constants
_RULE_NOW: Final = f"""
    SELECT name, filter, replaced_at FROM alert_rules WHERE alert_rules.tenant_id = {TENANT}
    AND alert_rules.id = crossings.rule_id ORDER BY version DESC LIMIT 1
"""  # noqa: S608  # constants
_ENDS: Final = (
    "CASE WHEN crossings.crossed_at >= standings.period_end"
    " THEN standings.period_end + (standings.period_end - standings.period_start)"
    " ELSE standings.period_end END"
)


def _silent_until(kind: str) -> str:
    return (
        f"(SELECT max(least(ends, ended_at)) FROM silences WHERE tenant_id = {TENANT}"  # noqa: S608  # constants
        f" AND kind = '{kind}' AND (budget_id = crossings.budget_id OR rule_id = crossings.rule_id)"
        " AND starts <= now() AND now() < least(ends, ended_at))"
    )


# As store/alerts/alert_states.py tells it.
_ALERTS: Final = f"""
    SELECT crossings.id, CASE WHEN crossings.budget_id IS NULL THEN 'rule' ELSE 'budget' END,
        coalesce(crossings.budget_id, crossings.rule_id), coalesce(budget.name, rule.name),
        coalesce({_TEAMS.format("budget")}, {_TEAMS.format("rule")}),
        crossings.kind, crossings.subject, CASE WHEN crossings.budget_id IS NOT NULL
            THEN crossings.threshold END,
        coalesce(crossings.level,
            CASE WHEN crossings.spent >= crossings.amount THEN 'over' ELSE 'warning' END),
        CASE WHEN crossings.recovered_at IS NOT NULL THEN 'recovered'
            WHEN CASE WHEN crossings.budget_id IS NOT NULL THEN budget.replaced_at <= now()
                OR {_CHANGED} OR standings.period_end IS NULL OR {_ENDS} <= now()
                ELSE rule.replaced_at IS NOT NULL END THEN 'ended'
            WHEN crossings.acknowledged_at IS NOT NULL THEN 'acknowledged'
            WHEN {_silent_until("mute")} IS NOT NULL THEN 'muted'
            WHEN {_silent_until("snooze")} IS NOT NULL THEN 'snoozed'
            ELSE 'open' END,
        crossings.period_start, crossings.crossed_at, crossings.recovered_at,
        crossings.acknowledged_at, crossings.acknowledged_by,
        terms.currency, crossings.spent, crossings.amount, crossings.as_of,
        told.sent, told.waiting, told.dead
    FROM crossings
    LEFT JOIN budgets AS terms ON terms.tenant_id = {TENANT}
        AND terms.id = crossings.budget_id AND terms.version = crossings.version
    LEFT JOIN LATERAL ({_BUDGET_NOW}) AS budget ON true
    LEFT JOIN LATERAL ({_RULE_NOW}) AS rule ON true
    LEFT JOIN standings ON standings.tenant_id = {TENANT}
        AND standings.budget_id = crossings.budget_id
        AND standings.period_start = crossings.period_start
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE status = 'sent') AS sent,
            count(*) FILTER (WHERE status = 'pending') AS waiting,
            count(*) FILTER (WHERE status = 'dead') AS dead
        FROM outbox WHERE outbox.tenant_id = {TENANT} AND outbox.crossing_id = crossings.id
    ) AS told
    WHERE crossings.tenant_id = {TENANT}
"""  # noqa: S608  # constants

BUDGET_VIEWS: Final = (
    View(
        "budgets",
        "Where each budget stands that is in force, in the last period that the jobs compared: as"
        " GET /v1/budgets/check, a minute behind the ledger.",
        (
            Column("budget_id", "bigint", "As in /v1/budgets."),
            Column("name", "text", "What it is called."),
            Column("owner", "text", "Whom to ask about it; NULL: not told."),
            Column("teams", "text[]", "The teams that it is on; NULL: all of them."),
            Column("filter", "jsonb", "All that it is on: dimension and values; {}: everything."),
            Column("parent_id", "bigint", "The budget that it is a part of; NULL: of none."),
            Column("period", "text", "day, week, month, quarter, year, custom or a fiscal one."),
            Column("timezone", "text", "Whose periods."),
            Column("period_start", _STAMP, "Of the period it was compared in; NULL: not yet."),
            Column("period_end", _STAMP, "Its end, not included. Passed: not compared since."),
            Column("currency", "text", "Of all its amounts."),
            Column("amount", _AMOUNT, "What should not be exceeded, as agreed."),
            Column("rolled_in", _AMOUNT, "What the last period left over, to its cap."),
            Column("limit_amount", _AMOUNT, "The amount, and what was rolled in."),
            Column("spent", _AMOUNT, "In the period, as it is booked; NULL: not compared yet."),
            Column("left_amount", _AMOUNT, "Of the limit; negative: it is over."),
            Column("used_ratio", "numeric", "spent / limit_amount: 1 is all of it."),
            Column("state", "text", "ok, warning, over or recovered; NULL: not compared yet."),
            Column("pace_percent", "integer", "Of the even rate; NULL: not measured."),
            Column(
                "without_rate", "jsonb", "Currency and amount that no rate is for: not in spent."
            ),
            Column("expected", _AMOUNT, "What the period is expected to come to; NULL: not known."),
            Column("expected_low", _AMOUNT, "The lower bound of the forecast's band."),
            Column("expected_high", _AMOUNT, "Its upper bound: 8 of 10 periods end within."),
            Column("forecast_error_percent", "numeric(12,2)", "Of earlier ones, in the middle."),
            Column("forecast_at", _STAMP, "When it was forecast."),
            Column("complete_until", _STAMP, "Everything heard before is in spent."),
        ),
        _BUDGETS,
    ),
    View(
        "alerts",
        "What budgets and alert rules told, how it stands now, and what became of its messages: as"
        " GET /v1/alerts.",
        (
            Column("alert_id", "bigint", "As in /v1/alerts; later ones have higher ids."),
            Column("source", "text", "budget or rule."),
            Column("source_id", "bigint", "The id of the budget, or of the alert rule."),
            Column("name", "text", "What that is called now."),
            Column("teams", "text[]", "The teams that it is on; NULL: all of them."),
            Column("kind", "text", "actual, forecast or pace; of a rule its kind."),
            Column("subject", "text", "Of a rule: which part of it, such as team=search."),
            Column("threshold_percent", "integer", "Of a budget: which threshold was passed."),
            Column("level", "text", "warning or over."),
            Column("state", "text", "open, acknowledged, snoozed, muted, recovered or ended."),
            Column("period_start", _STAMP, "Of the budget's period; of what a rule measured."),
            Column("crossed_at", _STAMP, "When it was found."),
            Column("recovered_at", _STAMP, "When it was below again; NULL: it is not."),
            Column("acknowledged_at", _STAMP, "When somebody said that they know; NULL: nobody."),
            Column("acknowledged_by", "text", "Who said so."),
            Column("currency", "text", "Of the amounts; NULL: of a rule."),
            Column("spent", _AMOUNT, "When it was found; of a forecast what was expected."),
            Column("limit_amount", _AMOUNT, "The budget's limit then."),
            Column("complete_until", _STAMP, "Everything heard before was in it."),
            Column("messages_sent", "bigint", "Messages that arrived."),
            Column("messages_waiting", "bigint", "Messages still to be sent."),
            Column("messages_dead", "bigint", "Messages that nobody got: given up."),
        ),
        _ALERTS,
    ),
)
