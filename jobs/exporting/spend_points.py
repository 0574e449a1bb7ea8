"""What spend has come to so far, as an OTLP request: points of the metrics of EXPORTED.

Money is a Decimal up to here. OTLP has doubles alone, which hold some 15 digits: fine for a chart,
not for a statement.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from importlib.metadata import version
from typing import Final
from uuid import UUID

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    Metric,
    NumberDataPoint,
)

from jobs.exporting import exported_metrics as metrics
from jobs.exporting.exported_metrics import EXPORTED, Exported
from spend.budgets.budget_states import STATES
from spend.meters import DISJOINT
from store.metrics.spend_so_far import SpendSoFar

SCOPE: Final = "spanledger.export"


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a metric."""

    metric: Exported
    value: Decimal | int
    attributes: Mapping[str, str]


def points(told: SpendSoFar, now: datetime) -> Iterator[Point]:
    """All there is to tell at ``now`` (UTC). What is not known has no point."""
    yield from _groups(told)
    yield from _budgets(told)
    yield from _pools(told)
    for currency, cost in told.without_rate.items():
        yield Point(metrics.COST_WITHOUT_RATE, cost, {metrics.CURRENCY: currency})
    if told.complete_until is not None:
        age = Decimal((now - told.complete_until).total_seconds())
        yield Point(metrics.WATERMARK_AGE, max(age, Decimal(0)), {})
    for kind, count in told.not_apart.items():
        yield Point(metrics.NOT_APART, count, {metrics.KIND: kind})


def request(told: SpendSoFar, now: datetime, instance: UUID) -> ExportMetricsServiceRequest:
    """The points at ``now`` (UTC) as OTLP.

    ``instance`` is the ledger's: whichever process tells, they are points of the same series.
    """
    found: dict[str, list[Point]] = defaultdict(list)
    for point in points(told, now):
        found[point.metric.name].append(point)
    body = ExportMetricsServiceRequest()
    group = body.resource_metrics.add()
    its = {
        "service.name": "spanledger",
        "service.version": version("spanledger"),
        "service.instance.id": str(instance),
    }
    group.resource.attributes.extend(_pairs(its))
    scope = group.scope_metrics.add()
    scope.scope.CopyFrom(InstrumentationScope(name=SCOPE, version=version("spanledger")))
    starts, at = _nanos(told.month.start), _nanos(now)
    for metric in EXPORTED:
        if metric.name in found:
            each = [_data_point(point, starts, at) for point in found[metric.name]]
            scope.metrics.append(_metric(metric, each))
    return body


def _groups(told: SpendSoFar) -> Iterator[Point]:
    for (team, provider, model), totals in told.groups.items():
        named = {metrics.TEAM: team, metrics.PROVIDER: provider, metrics.MODEL: model}
        its = {name: value for name, value in named.items() if value is not None}
        if totals.cost is not None:
            yield Point(metrics.COST, totals.cost, its | {metrics.CURRENCY: told.currency})
        yield Point(metrics.CALLS, totals.calls, its)
        yield Point(metrics.UNPRICED_CALLS, totals.unpriced_calls, its)
        for meter in DISJOINT:
            if units := totals.usage.get(meter, 0):
                yield Point(metrics.TOKENS, units, its | {metrics.METER: meter})


def _budgets(told: SpendSoFar) -> Iterator[Point]:
    for each in told.budgets:
        its = {metrics.BUDGET: each.name}
        money = its | {metrics.CURRENCY: each.currency}
        yield Point(metrics.BUDGET_SPENT, each.spent, money)
        yield Point(metrics.BUDGET_LIMIT, each.limit, money)
        if each.ratio is not None:
            yield Point(metrics.BUDGET_UTILIZATION, each.ratio, its)
        for state in STATES:
            present = int(state == each.state)
            yield Point(metrics.BUDGET_STATE, present, its | {metrics.STATE: state})


def _pools(told: SpendSoFar) -> Iterator[Point]:
    for each in told.pools:
        its = {metrics.POOL: each.name}
        money = its | {metrics.CURRENCY: each.currency}
        yield Point(metrics.POOL_COST, each.cost, money)
        yield Point(metrics.POOL_IDLE_COST, each.idle, money)
        if each.busy_share is not None:
            yield Point(metrics.POOL_UTILIZATION, each.busy_share, its)


def _metric(metric: Exported, each: list[NumberDataPoint]) -> Metric:
    made = Metric(name=metric.name, unit=metric.unit, description=metric.description)
    if metric.type == "gauge":
        for point in each:
            point.ClearField("start_time_unix_nano")
        made.gauge.data_points.extend(each)
        return made
    made.sum.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    made.sum.is_monotonic = False
    made.sum.data_points.extend(each)
    return made


def _data_point(point: Point, starts: int, at: int) -> NumberDataPoint:
    made = NumberDataPoint(
        start_time_unix_nano=starts, time_unix_nano=at, attributes=_pairs(point.attributes)
    )
    if point.metric.whole:
        made.as_int = int(point.value)
    else:
        made.as_double = float(point.value)
    return made


def _pairs(values: Mapping[str, str]) -> list[KeyValue]:
    return [KeyValue(key=key, value=AnyValue(string_value=each)) for key, each in values.items()]


def _nanos(moment: datetime) -> int:
    return int(moment.timestamp()) * 10**9 + moment.microsecond * 1000
