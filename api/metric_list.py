"""What an API tells: of its process at /metrics, of the ledger and of spend at paths of their own.

Every API over one database tells the same of the latter two, so one of them is scraped.
"""

from typing import Final

from spend.metric_names import BUILD_INFO, DATABASE_UP, PROCESS, Metric

REQUESTS: Final = Metric(
    "spanledger_api_requests_total",
    "counter",
    "Requests that were answered, by method, route and class of status.",
    ("method", "route", "status"),
)
DURATION: Final = Metric(
    "spanledger_api_request_duration_seconds",
    "histogram",
    "Time from a request to the end of its answer.",
    ("route",),
)
IN_PROGRESS: Final = Metric(
    "spanledger_api_requests_in_progress", "gauge", "Requests that are not answered yet."
)
REFUSED_KEYS: Final = Metric(
    "spanledger_api_refused_keys_total",
    "counter",
    "Requests with a key that is none (unknown), or from an address that showed too many (waits).",
    ("answer",),
)
CONNECTIONS: Final = Metric(
    "spanledger_api_database_connections",
    "gauge",
    "Connections to Postgres that requests use at this moment.",
    ("server",),
)
MOST_CONNECTIONS: Final = Metric(
    "spanledger_api_database_connections_limit",
    "gauge",
    "How many they may use before they wait.",
    ("server",),
)
REPLICA: Final = Metric(
    "spanledger_api_replica_answers",
    "gauge",
    "1 while the read replica answers, 0 while the primary does in its place.",
)

OF_PROCESS: Final = (
    BUILD_INFO,
    DATABASE_UP,
    REQUESTS,
    DURATION,
    IN_PROGRESS,
    REFUSED_KEYS,
    CONNECTIONS,
    MOST_CONNECTIONS,
    REPLICA,
    *PROCESS,
)
"""Of the process that is asked."""

READ_AT: Final = Metric(
    "spanledger_ledger_read_timestamp_seconds",
    "gauge",
    "When this was read from Postgres (UTC); it is kept for some seconds.",
)
JOB_DONE: Final = Metric(
    "spanledger_job_last_success_timestamp_seconds",
    "gauge",
    "When a job last ended well (UTC), by any process.",
    ("job",),
)
JOB_TOOK: Final = Metric(
    "spanledger_job_last_duration_seconds", "gauge", "How long its latest run took.", ("job",)
)
JOB_FAILED: Final = Metric(
    "spanledger_job_failed", "gauge", "1 where its latest run failed, else 0.", ("job",)
)
JOB_INTERVAL: Final = Metric(
    "spanledger_job_interval_seconds", "gauge", "How far apart its ticks are.", ("job",)
)
JOB_DUE: Final = Metric(
    "spanledger_job_ticks_due",
    "gauge",
    "Ticks that came since the one it last ran well for: 1 is usual, a long run has more.",
    ("job",),
)
COMPLETE_UNTIL: Final = Metric(
    "spanledger_complete_until_timestamp_seconds",
    "gauge",
    "Everything heard before this moment (UTC) is in reports.",
)
BATCHES: Final = Metric(
    "spanledger_batches_waiting", "gauge", "Batches that are stored and not in the rollups yet."
)
OLDEST_BATCH: Final = Metric(
    "spanledger_batches_oldest_seconds",
    "gauge",
    "How long the oldest of them has waited; 0 where none waits.",
)
DAY_CALLS: Final = Metric(
    "spanledger_day_calls", "gauge", "Calls of the last 24 hours that were looked at for prices."
)
DAY_UNPRICED: Final = Metric(
    "spanledger_day_unpriced_calls", "gauge", "Those of them whose cost is not known."
)
OUTBOX: Final = Metric(
    "spanledger_outbox_messages",
    "gauge",
    "Messages that wait to be sent (waiting), and that nobody will get (dead).",
    ("state",),
)
OUTBOX_OLDEST: Final = Metric(
    "spanledger_outbox_oldest_due_seconds",
    "gauge",
    "How long the oldest message has been due that waits; 0 where none is.",
)
ALERTS: Final = Metric(
    "spanledger_alerts_open",
    "gauge",
    "Alerts that nobody has ended, by what they are of.",
    ("kind",),
)
BUDGETS: Final = Metric("spanledger_budgets", "gauge", "Budgets by where they stand.", ("state",))
PARTITIONS: Final = Metric(
    "spanledger_partitions_ahead_days",
    "gauge",
    "Days after today that what is heard has a place for.",
)
DATABASE_BYTES: Final = Metric(
    "spanledger_database_size_bytes", "gauge", "The whole database on Postgres' disk."
)

OF_LEDGER: Final = (
    DATABASE_UP,
    READ_AT,
    JOB_DONE,
    JOB_TOOK,
    JOB_FAILED,
    JOB_INTERVAL,
    JOB_DUE,
    COMPLETE_UNTIL,
    BATCHES,
    OLDEST_BATCH,
    DAY_CALLS,
    DAY_UNPRICED,
    OUTBOX,
    OUTBOX_OLDEST,
    ALERTS,
    BUDGETS,
    PARTITIONS,
    DATABASE_BYTES,
)
"""Of the ledger, whichever API is asked."""

_WHOSE: Final = ("team", "provider", "model")

MONTH_START: Final = Metric(
    "spanledger_month_start_timestamp_seconds",
    "gauge",
    "When the month began that this is of (UTC), in the time zone of reports.",
)
MONTH_COST: Final = Metric(
    "spanledger_month_cost",
    "gauge",
    "Effective cost of the month so far, in the currency it is charged in, as a float.",
    (*_WHOSE, "currency"),
)
MONTH_CALLS: Final = Metric("spanledger_month_calls", "gauge", "Calls of the month so far.", _WHOSE)
MONTH_TOKENS: Final = Metric(
    "spanledger_month_tokens", "gauge", "Tokens of the month so far.", _WHOSE
)
MONTH_UNPRICED: Final = Metric(
    "spanledger_month_unpriced_calls",
    "gauge",
    "Calls of the month so far whose cost is not known: not in the cost.",
    _WHOSE,
)
MERGED: Final = Metric(
    "spanledger_month_merged",
    "gauge",
    "Sets of team, provider and model that are told together, as (other), for want of room.",
)
_BUDGET: Final = ("budget_id", "budget", "currency")
BUDGET_SPENT: Final = Metric(
    "spanledger_budget_spent", "gauge", "Spent of a budget in its present period.", _BUDGET
)
BUDGET_LIMIT: Final = Metric(
    "spanledger_budget_limit",
    "gauge",
    "What may be spent of it: its amount, and what was rolled in.",
    _BUDGET,
)
BUDGET_USED: Final = Metric(
    "spanledger_budget_used_ratio", "gauge", "Spent by limit: 1 is all of it.", _BUDGET
)
BUDGETS_LEFT_OUT: Final = Metric(
    "spanledger_budgets_left_out", "gauge", "Budgets that are not told, for want of room."
)

OF_SPEND: Final = (
    DATABASE_UP,
    COMPLETE_UNTIL,
    MONTH_START,
    MONTH_COST,
    MONTH_CALLS,
    MONTH_TOKENS,
    MONTH_UNPRICED,
    MERGED,
    BUDGET_SPENT,
    BUDGET_LIMIT,
    BUDGET_USED,
    BUDGETS_LEFT_OUT,
)
"""Of spend, as the key may see it, whichever API is asked."""

PATHS: Final = {
    "/metrics": OF_PROCESS,
    "/metrics/ledger": OF_LEDGER,
    "/metrics/spend": OF_SPEND,
}
"""What is told where."""

METRICS: Final = tuple(dict.fromkeys(each for of_one in PATHS.values() for each in of_one))
"""All of it."""
