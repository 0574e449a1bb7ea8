"""/performance: how fast, how reliable and how dear calls were, by model and over time."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.dependencies import Reading, Tenant
from api.pages.charts import Chart, Legend
from api.pages.performance import performance_table
from api.pages.performance.performance_figures import (
    MODEL,
    PerformanceAsked,
    groups,
    over_time,
    shared,
)
from api.pages.recent_time import LAST, Lately, lately
from api.pages.shell import page
from api.pages.visitor import Visiting, Visitor
from reports.charts.latency_chart import P50_HUE, P95_HUE, Moment, latency_lines
from spend.moments import moment_text
from spend.performance import Performance, percentiles_ms
from spend.periods import days_in
from store.breakdowns.grouping import PIECES
from store.intake.first_heard import anything_counted

router = APIRouter(include_in_schema=False)

DIMENSIONS: Final = {
    "model": "Model",
    "provider": "Provider",
    "team": "Team",
    "service": "Service",
    "feature": "Feature",
    "operation": "Operation",
    "environment": "Environment",
    "region": "Region",
}


class TableAsked(PerformanceAsked):
    """Which calls, by what."""

    group_by: Literal[
        "model", "provider", "team", "service", "feature", "operation", "environment", "region"
    ] = "model"


@router.get("/performance")
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    query: Annotated[TableAsked, Query()],
) -> Response:
    """Latency, errors and cost of a time, with the time before beside it."""
    time = lately(visitor, query, default="24h")
    by = MODEL if query.group_by == "model" else (query.group_by,)
    now = groups(session, tenant, visitor, time.period, *by, filters=query.filters)
    before = groups(session, tenant, visitor, time.before, *by, filters=query.filters)
    sort = query.sort or "-calls"
    table = performance_table.table(
        request,
        now,
        before,
        visitor,
        by=query.group_by,
        title=DIMENSIONS[query.group_by],
        sort=sort,
    )
    pieces = over_time(session, tenant, visitor, time, query) if now.rows else {}
    return page(
        request,
        visitor,
        "performance.html",
        title="Performance",
        tables={"performance": table},
        query=query,
        asked=shared(query, time),
        time=time,
        last=LAST,
        dimensions=DIMENSIONS,
        whole=now.whole if now.rows else None,
        never=not now.rows and not anything_counted(session, tenant),
        before=before.whole if before.rows else None,
        chart=_chart(time, pieces, visitor) if pieces else None,
    )


def _chart(time: Lately, pieces: Mapping[str, Performance], visitor: Visitor) -> Chart:
    moments = []
    for key, name in _names(time, visitor):
        went = pieces.get(key)
        shares = percentiles_ms(went.latency if went else {})
        moments.append(Moment(name, went.calls if went else 0, shares["p50"], shares["p95"]))
    return Chart(
        latency_lines(moments),
        f"Latency by {time.piece}: p50 and p95",
        (Legend("p95", P95_HUE), Legend("p50", P50_HUE)),
    )


def _names(time: Lately, visitor: Visitor) -> list[tuple[str, str]]:
    """Each piece's key, and what an axis calls it."""
    if time.piece == "day":
        return [(str(day), f"{day:%-d %b}") for day in days_in(time.period, visitor.zone)]
    length = PIECES[time.piece]
    count = -((time.period.start - time.period.end) // length)
    starts = [time.period.start + place * length for place in range(count)]
    return [(moment_text(each), _clock(each, visitor)) for each in starts]


def _clock(moment: datetime, visitor: Visitor) -> str:
    local = moment.astimezone(visitor.zone)
    return f"{local:%-d %b %H:%M}"
