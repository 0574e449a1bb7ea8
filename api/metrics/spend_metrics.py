"""What spend has come to, as Prometheus reads it.

Here money becomes a float: Prometheus has nothing else. It is fine for a chart, not for a
statement.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal

from api.metrics import metric_list as metrics
from spend.folded_groups import Place
from spend.meters import DISJOINT
from spend.metric_names import DATABASE_UP
from spend.totals import Totals
from store.metrics.metric_text import Family, told
from store.metrics.spend_so_far import SpendSoFar


def spend_metrics(spent: SpendSoFar) -> Iterator[Family]:
    """``OF_SPEND``. What is not known has no series; names that nobody said are ``""``."""
    yield told(DATABASE_UP, 1)
    until = spent.complete_until
    yield told(metrics.COMPLETE_UNTIL, {} if until is None else {(): until.timestamp()})
    yield told(metrics.MONTH_START, spent.month.start.timestamp())
    costs = {
        (*_named(place), spent.currency): float(totals.cost)
        for place, totals in spent.groups.items()
        if totals.cost is not None
    }
    yield told(metrics.MONTH_COST, costs)
    yield told(metrics.MONTH_CALLS, _counts(spent, lambda totals: totals.calls))
    yield told(metrics.MONTH_UNPRICED, _counts(spent, lambda totals: totals.unpriced_calls))
    tokens = {
        (*_named(place), meter): float(totals.usage[meter])
        for place, totals in spent.groups.items()
        for meter in DISJOINT
        if totals.usage.get(meter)
    }
    yield told(metrics.MONTH_TOKENS, tokens)
    without = {(currency,): float(cost) for currency, cost in spent.without_rate.items()}
    yield told(metrics.NO_RATE, without)
    yield from _pools(spent)
    yield from _budgets(spent)
    not_apart = {(kind,): count for kind, count in spent.not_apart.items()}
    yield told(metrics.NOT_APART, not_apart)


def _named(place: Place) -> tuple[str, ...]:
    return tuple(name or "" for name in place)


def _counts(spent: SpendSoFar, of: Callable[[Totals], int]) -> dict[tuple[str, ...], int]:
    return {_named(place): of(totals) for place, totals in spent.groups.items()}


def _pools(spent: SpendSoFar) -> Iterator[Family]:
    money = {(each.name, each.currency): each for each in spent.pools}
    yield told(metrics.POOL_COST, {name: float(each.cost) for name, each in money.items()})
    yield told(metrics.POOL_IDLE, {name: float(each.idle) for name, each in money.items()})


def _budgets(spent: SpendSoFar) -> Iterator[Family]:
    money = {(each.name, each.currency): each for each in spent.budgets}
    yield told(metrics.BUDGET_SPENT, {name: float(each.spent) for name, each in money.items()})
    yield told(metrics.BUDGET_LIMIT, {name: float(each.limit) for name, each in money.items()})
    ratios = {(each.name,): _float(each.ratio) for each in spent.budgets if each.limit}
    yield told(metrics.BUDGET_USED, ratios)


def _float(value: Decimal | None) -> float:
    return 0.0 if value is None else float(value)
