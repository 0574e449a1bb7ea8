"""What is told of spend by OTLP, as data: each metric, and what its points are told apart by.

Names, units (UCUM) and types follow OpenTelemetry's conventions for metrics; attributes that have a
name there keep it. docs/reference is written from this list, and ``jobs/exporting/spend_points.py``
fills it.

What adds up is a *sum* that is cumulative and not monotonic, from the start of the month on: late
corrections may take away. Datadog, Prometheus and New Relic keep such sums as gauges. What does not
add up is a *gauge*: budgets overlap, and shares are no parts of anything.
"""

from dataclasses import dataclass
from typing import Final, Literal

TEAM: Final = "spanledger.team"
PROVIDER: Final = "gen_ai.provider.name"
MODEL: Final = "gen_ai.response.model"
METER: Final = "spanledger.meter"
CURRENCY: Final = "spanledger.currency"
BUDGET: Final = "spanledger.budget.name"
STATE: Final = "spanledger.budget.state"
POOL: Final = "spanledger.pool.name"
KIND: Final = "spanledger.kind"

ATTRIBUTES: Final = {
    TEAM: "Who pays; `unallocated`, `idle`, `unused` and `other` are no teams.",
    PROVIDER: "Who bills, by our name for them; absent where nobody said.",
    MODEL: "The model, as reports show it; absent where nobody said.",
    METER: "Kind of token: `input` (uncached), `cache_read`, `cache_write`, `cache_write_5m`,"
    " `cache_write_1h`, `output`. They add up to all tokens.",
    CURRENCY: "ISO 4217 code of what the amount is in.",
    BUDGET: "Name of the budget.",
    STATE: "`ok`, `warning`, `over` or `recovered`.",
    POOL: "Name of the pool.",
    KIND: "`group` (of team, provider and model), `budget` or `pool`.",
}
"""What each attribute says."""


@dataclass(frozen=True, slots=True)
class Exported:
    """One metric."""

    name: str
    type: Literal["sum", "gauge"]
    unit: str
    """UCUM; an annotation in braces is no unit, and says what is counted."""
    description: str
    attributes: tuple[str, ...] = ()
    """Of each point; those of ATTRIBUTES."""
    whole: bool = False
    """Values are whole numbers; else doubles, which is what OTLP has."""


_GROUP: Final = (TEAM, PROVIDER, MODEL)
_MONEY: Final = "{currency}"

COST: Final = Exported(
    "spanledger.month.cost",
    "sum",
    _MONEY,
    "What the month's calls and pools cost so far, as far as their price is known.",
    (*_GROUP, CURRENCY),
)
CALLS: Final = Exported(
    "spanledger.month.calls", "sum", "{call}", "Calls of the month so far.", _GROUP, whole=True
)
UNPRICED_CALLS: Final = Exported(
    "spanledger.month.unpriced_calls",
    "sum",
    "{call}",
    "Those of them whose cost is not known: it is in no cost.",
    _GROUP,
    whole=True,
)
TOKENS: Final = Exported(
    "spanledger.month.tokens",
    "sum",
    "{token}",
    "Tokens that the month's calls used so far, by kind.",
    (*_GROUP, METER),
    whole=True,
)
COST_WITHOUT_RATE: Final = Exported(
    "spanledger.month.cost_without_rate",
    "sum",
    _MONEY,
    "Cost in currencies that no exchange rate is known of: it is in no other figure.",
    (CURRENCY,),
)
BUDGET_SPENT: Final = Exported(
    "spanledger.budget.spent",
    "gauge",
    _MONEY,
    "What is spent of a budget in its present period.",
    (BUDGET, CURRENCY),
)
BUDGET_LIMIT: Final = Exported(
    "spanledger.budget.limit",
    "gauge",
    _MONEY,
    "What may be spent in that period: the amount, and what was rolled in.",
    (BUDGET, CURRENCY),
)
BUDGET_UTILIZATION: Final = Exported(
    "spanledger.budget.utilization",
    "gauge",
    "1",
    "Spent ÷ limit; absent where the limit is 0.",
    (BUDGET,),
)
BUDGET_STATE: Final = Exported(
    "spanledger.budget.state",
    "gauge",
    "{budget}",
    "1 for the state that the budget is in, 0 for the others.",
    (BUDGET, STATE),
    whole=True,
)
POOL_COST: Final = Exported(
    "spanledger.pool.cost",
    "sum",
    _MONEY,
    "What the pool's settled hours of the month cost so far.",
    (POOL, CURRENCY),
)
POOL_IDLE_COST: Final = Exported(
    "spanledger.pool.idle_cost",
    "sum",
    _MONEY,
    "Of that, what no call used.",
    (POOL, CURRENCY),
)
POOL_UTILIZATION: Final = Exported(
    "spanledger.pool.utilization",
    "gauge",
    "1",
    "The share of a pool's cost that calls used; absent where it cost nothing.",
    (POOL,),
)
WATERMARK_AGE: Final = Exported(
    "spanledger.watermark.age",
    "gauge",
    "s",
    "Everything that was heard before so many seconds ago is in these figures.",
)
NOT_APART: Final = Exported(
    "spanledger.export.not_apart",
    "gauge",
    "{series}",
    "What has no series of its own: groups that are put together as `other`, and budgets and pools"
    " that are left out.",
    (KIND,),
    whole=True,
)

EXPORTED: Final = (
    COST,
    CALLS,
    UNPRICED_CALLS,
    TOKENS,
    COST_WITHOUT_RATE,
    BUDGET_SPENT,
    BUDGET_LIMIT,
    BUDGET_UTILIZATION,
    BUDGET_STATE,
    POOL_COST,
    POOL_IDLE_COST,
    POOL_UTILIZATION,
    WATERMARK_AGE,
    NOT_APART,
)
