"""/performance/frontier: what models cost against how long they take, and which nothing beats."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.dependencies import Reading, Tenant
from api.pages.charts import Chart, Legend
from api.pages.formats import shortened
from api.pages.links import elsewhere
from api.pages.performance.performance_figures import MODEL, Group, PerformanceAsked, groups, shared
from api.pages.recent_time import LAST, lately
from api.pages.shell import page
from api.pages.tables import Cell, Column, Held, Table
from api.pages.visitor import Visiting
from reports.charts.frontier_chart import Point, frontier, frontier_chart
from reports.charts.palette import hue_of, shown_name

router = APIRouter(include_in_schema=False)

MOST = 30
"""Models in the chart: those with the most calls."""
LATENCIES = {"p50": "p50", "p95": "p95"}
_DATED = re.compile(r"-20\d\d-?\d\d-?\d\d$")
"""At the end of a model's name: it says nothing beside a point."""
COSTS = {"million": "1 M tokens", "call": "A call"}


class FrontierAsked(PerformanceAsked):
    """Which calls, and what is held against what."""

    latency: Literal["p50", "p95"] = "p95"
    cost: Literal["million", "call"] = "million"


@router.get("/performance/frontier")
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    query: Annotated[FrontierAsked, Query()],
) -> Response:
    """A point a model: its cost, its latency and its calls."""
    time = lately(visitor, query, default="24h")
    by = (*MODEL, "operation")
    every = groups(session, tenant, visitor, time.period, *by, filters=query.filters).rows
    operations = _operations(every)
    operation = query.operation or next(iter(operations), None)
    found = [each for each in every if each.key[-1] == operation]
    placed = [(each, point) for each in found if (point := _point(each, query)) is not None]
    placed = placed[:MOST]
    points = [point for _each, point in placed]
    best = frontier(points)
    return page(
        request,
        visitor,
        "frontier.html",
        title="Performance: cost against latency",
        tables={"models": _table(request, placed, best, visitor.currency, query)},
        query=query,
        asked=shared(query, time),
        time=time,
        last=LAST,
        latencies=LATENCIES,
        costs=COSTS,
        operation=operation,
        operations=[(each, each) for each in operations if each],
        missing=len(found) - len(placed),
        chart=_chart(points, query, visitor.currency) if points else None,
    )


def _operations(found: Sequence[Group]) -> list[str | None]:
    """What was done, the most calls first: a chat is not held against an embedding."""
    calls: Counter[str | None] = Counter()
    for each in found:
        calls[each.key[-1]] += each.went.calls
    return [name for name, _calls in calls.most_common()]


def _cost(group: Group, query: FrontierAsked) -> Decimal | None:
    return group.cost_per_call if query.cost == "call" else group.cost_per_million


def _point(group: Group, query: FrontierAsked) -> Point | None:
    cost, latency = _cost(group, query), group.latency(query.latency)
    if not cost or not latency or cost < 0:
        return None
    provider, model, _deployment, _operation = group.key
    return Point(
        name=shortened(_DATED.sub("", (model or "unknown model").rpartition("/")[2]), 34),
        provider=shown_name(provider),
        colour=hue_of(provider),
        cost=float(cost),
        latency_ms=latency,
        calls=group.went.calls,
    )


def _chart(points: Sequence[Point], query: FrontierAsked, currency: str) -> Chart:
    of = "a call" if query.cost == "call" else "1 M tokens"
    seen = dict.fromkeys((each.provider, each.colour) for each in points)
    best = ", ".join(each.name for each in frontier(points))
    return Chart(
        frontier_chart(
            points,
            cost_title=f"Cost of {of}, {currency}",
            latency_title=f"Latency {query.latency}, seconds",
        ),
        f"Cost of {of} against {query.latency} latency; nothing beats {best}",
        tuple(Legend(name, colour) for name, colour in seen),
    )


def _table(
    request: Request,
    placed: Sequence[tuple[Group, Point]],
    best: Sequence[Point],
    currency: str,
    query: FrontierAsked,
) -> Table:
    return Table(
        columns=(
            Column("number", "#"),
            Column("model", "Model"),
            Column("per_million_tokens", "1 M tokens", "money"),
            Column("cost_per_call", "A call", "money"),
            Column("p50_ms", "p50", "ms"),
            Column("p95_ms", "p95", "ms"),
            Column("tokens_per_second", "Tokens/s", "number", narrow=False),
            Column("calls", "Calls", "short", narrow=False),
            Column("frontier", "Frontier", narrow=False),
        ),
        rows=[
            _row(request, place + 1, group, is_best=point in best)
            for place, (group, point) in enumerate(placed)
        ],
        caption="Models, the most calls first",
        file=f"frontier-{query.cost}-{query.latency}",
        currency=currency,
    )


def _row(
    request: Request, number: int, group: Group, *, is_best: bool
) -> Mapping[str, Held | Cell]:
    provider, model, deployment, _operation = group.key
    p50, p95, speed = group.latency("p50"), group.latency("p95"), group.went.output_per_second
    return {
        "number": number,
        "model": Cell(
            " ".join(each for each in (provider, model) if each),
            show=model or "Unknown model",
            href=elsewhere(request, "/models/one", provider=provider, model=model)
            if provider and model
            else None,
            note=" · ".join([shown_name(provider), *([deployment] if deployment else [])]),
            colour=hue_of(provider),
        ),
        "frontier": Cell("yes", show="Nothing beats it", tone="good")
        if is_best
        else Cell("no", show=""),
        "per_million_tokens": group.cost_per_million,
        "cost_per_call": group.cost_per_call,
        "p50_ms": None if p50 is None else round(p50),
        "p95_ms": None if p95 is None else round(p95),
        "tokens_per_second": None if speed is None else round(Decimal(speed), 1),
        "calls": group.went.calls,
    }
