"""What an API tells: of its process at /metrics, of the ledger and of spend at paths of their own.

Every API over one database tells the same of the latter two, so one of them is scraped.
"""

from typing import Final

from spend.metric_names import (
    BUILD_INFO,
    CERTIFICATES,
    DATABASE_UP,
    OWN_SPANS_LOST,
    PROCESS,
    Metric,
)

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
    "Requests with a key that is none (unknown), or from an address that showed too many (wait).",
    ("answer",),
)
CONNECTIONS: Final = Metric(
    "spanledger_api_database_connections",
    "gauge",
    "Connections to Postgres (the primary) that requests use at this moment.",
)
MOST_CONNECTIONS: Final = Metric(
    "spanledger_api_database_connections_limit",
    "gauge",
    "How many they may use before they wait.",
)
REPLICA: Final = Metric(
    "spanledger_api_replica_answers",
    "gauge",
    "1 while the read replica answers, 0 while the primary does in its place.",
)

OF_PROCESS: Final = (
    BUILD_INFO,
    DATABASE_UP,
    *CERTIFICATES,
    OWN_SPANS_LOST,
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
    ("job_name",),
)
JOB_TOOK: Final = Metric(
    "spanledger_job_last_duration_seconds", "gauge", "How long its latest run took.", ("job_name",)
)
JOB_FAILED: Final = Metric(
    "spanledger_job_failed", "gauge", "1 where its latest run failed, else 0.", ("job_name",)
)
JOB_INTERVAL: Final = Metric(
    "spanledger_job_interval_seconds", "gauge", "How far apart its ticks are.", ("job_name",)
)
JOB_DUE: Final = Metric(
    "spanledger_job_ticks_due",
    "gauge",
    "Ticks that came since the one it last ran well for: 1 is usual, a long run has more.",
    ("job_name",),
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
DAY_CANARY: Final = Metric(
    "spanledger_day_canary_calls", "gauge", "Those of them that a canary sent."
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
    "spanledger_partitions_ahead",
    "gauge",
    "Partitions of days after today, without a gap: so long what is heard has its place.",
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
    DAY_CANARY,
    OUTBOX,
    OUTBOX_OLDEST,
    ALERTS,
    BUDGETS,
    PARTITIONS,
    DATABASE_BYTES,
)
"""Of the ledger, whichever API is asked."""

_WHOSE: Final = ("team", "provider", "model")
_MONEY: Final = (*_WHOSE, "currency")

MONTH_START: Final = Metric(
    "spanledger_month_start_timestamp_seconds",
    "gauge",
    "When the month of the books began that this is of (UTC).",
)
MONTH_COST: Final = Metric(
    "spanledger_month_cost",
    "gauge",
    "Effective cost of the month so far; a float, and so good for some 15 digits.",
    _MONEY,
)
MONTH_CALLS: Final = Metric(
    "spanledger_month_calls", "gauge", "Calls of the month so far, priced or not.", _WHOSE
)
MONTH_UNPRICED: Final = Metric(
    "spanledger_month_unpriced_calls", "gauge", "Those of them that are not in the cost.", _WHOSE
)
MONTH_TOKENS: Final = Metric(
    "spanledger_month_tokens", "gauge", "Tokens of the month so far, by meter.", (*_WHOSE, "meter")
)
NO_RATE: Final = Metric(
    "spanledger_month_cost_without_rate",
    "gauge",
    "Cost of the month in a currency that has no exchange rate: not in the other one.",
    ("currency",),
)
POOL_COST: Final = Metric(
    "spanledger_pool_month_cost",
    "gauge",
    "Cost of a pool's hours of the month that are settled.",
    ("pool", "currency"),
)
POOL_IDLE: Final = Metric(
    "spanledger_pool_month_idle_cost",
    "gauge",
    "Of that, what nothing used.",
    ("pool", "currency"),
)
_BUDGET: Final = ("budget", "currency")
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
    "spanledger_budget_used_ratio", "gauge", "Spent by limit: 1 is all of it.", ("budget",)
)
NOT_APART: Final = Metric(
    "spanledger_month_not_apart",
    "gauge",
    "Groups that are told together as other, and budgets and pools that are not told, for room.",
    ("kind",),
)

OF_SPEND: Final = (
    DATABASE_UP,
    COMPLETE_UNTIL,
    MONTH_START,
    MONTH_COST,
    MONTH_CALLS,
    MONTH_UNPRICED,
    MONTH_TOKENS,
    NO_RATE,
    POOL_COST,
    POOL_IDLE,
    BUDGET_SPENT,
    BUDGET_LIMIT,
    BUDGET_USED,
    NOT_APART,
)
"""Of spend, as far as the key sees it, whichever API is asked."""

PATHS: Final = {
    "/metrics": OF_PROCESS,
    "/metrics/ledger": OF_LEDGER,
    "/metrics/spend": OF_SPEND,
}
"""What is told where."""

METRICS: Final = tuple(dict.fromkeys(each for of_one in PATHS.values() for each in of_one))
"""All of it."""
