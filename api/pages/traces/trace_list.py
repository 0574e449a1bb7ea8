"""/traces: the latest, slowest or dearest traces of a time, with what their calls cost."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from markupsafe import Markup
from sqlalchemy.orm import Session

from api.dependencies import Reading, Tenant
from api.pages.asked import Text
from api.pages.formats import Formats
from api.pages.links import elsewhere, go_to
from api.pages.recent_time import LAST, LatelyAsked, lately
from api.pages.shell import page
from api.pages.span_ids import trace_id_of
from api.pages.tables import Cell, Column, Held, Table, sorted_rows
from api.pages.visitor import Visiting
from reports.charts.palette import hue_of
from spend.moments import moment_text
from store.archive.archived_days import listed_from
from store.breakdowns.dimensions import Question
from store.calls.call_costs import costs_of
from store.calls.call_pages import ListedCall, calls_in_traces
from store.calls.trace_pages import ListedTrace, looked_into, traces
from store.intake.first_heard import anything_counted

router = APIRouter(include_in_schema=False)

MOST_LISTED: Final = 50
_CANDIDATES: Final = 100
"""Of which the dearest are chosen: those with the most work."""
MOST_COSTED: Final = 600
"""Calls whose cost is worked out for a list."""

SHOWN: Final = {
    "latest": "Latest",
    "dearest": "Dearest",
    "slowest": "Slowest",
    "calls": "Most calls",
}
_FILTERS: Final = ("team", "service", "model")


class TracesAsked(LatelyAsked):
    """Which traces."""

    team: Text | None = None
    service: Text | None = None
    model: Text | None = None
    order: Literal["latest", "dearest", "slowest", "calls"] = "latest"
    failed: Literal["yes"] | None = None
    """``yes``: those in which a call failed."""
    trace_id: Text | None = None
    """Goes to this one."""


@router.get("/traces")
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    query: Annotated[TracesAsked, Query()],
) -> Response:
    """Traces by those of their calls that fit."""
    if query.trace_id is not None:
        known = trace_id_of(query.trace_id)
        to = known.hex if known else "none"
        return go_to(request, f"/traces/{to}")
    time = lately(visitor, query, default="24h")
    filters = {name: (said,) for name in _FILTERS if (said := getattr(query, name)) is not None}
    failed = query.failed == "yes"
    question = visitor.question(time.period, filters=filters)
    looked = looked_into(session, question, tenant, failed=failed)
    asked = visitor.question(looked.period, filters=filters)
    by_work = query.order == "dearest"
    found = traces(
        session,
        asked,
        tenant,
        order="work" if by_work else query.order,
        failed=failed,
        at_most=_CANDIDATES if by_work else MOST_LISTED + 1,
    )
    has_more = len(found) > MOST_LISTED
    costed = found if by_work else found[:MOST_LISTED]
    rows = _rows(request, session, tenant, asked, costed, visitor.formats)
    if by_work:
        rows = list(sorted_rows(rows, "-cost"))[:MOST_LISTED]
    earlier = looked.is_cut or has_more
    return page(
        request,
        visitor,
        "traces.html",
        title="Traces",
        tables={"traces": _table(rows, visitor.currency, whole=not filters)},
        query=query,
        last=LAST,
        chosen=time.last,
        orders=SHOWN,
        looked=looked,
        filters=filters,
        time=time,
        count=len(rows),
        never=not rows and not anything_counted(session, tenant),
        listed_from=listed_from(session, tenant, time.period),
        older=moment_text(_oldest(found[:MOST_LISTED], looked.period.start))
        if earlier and query.order == "latest"
        else moment_text(looked.period.start)
        if looked.is_cut
        else None,
        start=moment_text(time.period.start),
    )


def _oldest(found: Sequence[ListedTrace], otherwise: datetime) -> datetime:
    return found[-1].last_at if len(found) == MOST_LISTED else otherwise


def _rows(
    request: Request,
    session: Session,
    tenant: int,
    question: Question,
    found: Sequence[ListedTrace],
    told: Formats,
) -> list[Mapping[str, Held | Cell]]:
    ids = [each.trace_id for each in found]
    calls = calls_in_traces(session, question, tenant, ids, at_most=MOST_COSTED) if ids else []
    by_trace = defaultdict(list)
    for call, cost in zip(calls, costs_of(session, tenant, calls), strict=True):
        by_trace[call.position.trace_id].append((call, cost.amount, cost.currency))
    return [_row(request, each, by_trace.get(each.trace_id, []), told) for each in found]


def _row(
    request: Request,
    trace: ListedTrace,
    calls: Sequence[tuple[ListedCall, Decimal | None, str | None]],
    told: Formats,
) -> Mapping[str, Held | Cell]:
    """A trace; its cost is that of its calls where all are read and in one currency."""
    text = trace.trace_id.hex
    currencies = {currency for _call, _amount, currency in calls if currency}
    known = [amount for _call, amount, _currency in calls if amount is not None]
    whole = len(calls) == trace.calls and len(currencies) <= 1
    unpriced = trace.calls - len(known)
    services = _names(call.owner.service or call.owner.feature for call, *_ in calls)
    teams = _names(call.payer.team for call, *_ in calls)
    models = _names(call.route.model for call, *_ in calls)
    provider = next((c.route.provider for c, *_ in calls if c.route.model in models[:1]), None)
    return {
        "trace_id": Cell(
            text,
            href=elsewhere(request, f"/traces/{text}"),
            show=Markup('<span class="id" title="{}">{}</span>').format(text, text[:8]),
        ),
        "started_at": Cell(trace.start_at, show=told.second(trace.start_at)),
        "team": replace(_first(teams), note=_first(services).show),
        "service": _first(services),
        "model": replace(_first(models), colour=hue_of(provider) if models else None),
        "calls": trace.calls,
        "failed": Cell(trace.errors, tone="bad" if trace.errors else "quiet"),
        "input_tokens": trace.input or None,
        "output_tokens": trace.output or None,
        "cost": Cell(
            sum(known, Decimal(0)) if whole and known else None,
            note=f"{unpriced} unpriced" if whole and unpriced else None,
            currency=next(iter(currencies), None),
        ),
        "took_ms": trace.took_us // 1000,
    }


def _names(names: Iterable[str | None]) -> list[str]:
    """The commonest first."""
    return [name for name, _count in Counter(name for name in names if name).most_common()]


def _first(names: Sequence[str]) -> Cell:
    if not names:
        return Cell(None)
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return Cell(", ".join(names), show=f"{names[0]}{more}")


def _table(rows: Sequence[Mapping[str, Held | Cell]], currency: str, *, whole: bool) -> Table:
    of = "" if whole else " that fit"
    return Table(
        columns=(
            Column("trace_id", "Trace"),
            Column("started_at", "Began", "when", narrow=False),
            Column("model", "Model", narrow=False),
            Column("team", "Team"),
            Column("service", "Service", shown=False),
            Column("calls", "Calls", "number", f"Its calls{of}", narrow=False),
            Column("failed", "Failed", "number", narrow=False),
            Column("input_tokens", "In", "number", "Tokens read, caches included", narrow=False),
            Column("output_tokens", "Out", "number", "Tokens written", narrow=False),
            Column("cost", "Cost", "money"),
            Column("took_ms", "Took", "ms", "From its first call to the end of its last"),
        ),
        rows=rows,
        caption="Traces",
        file="traces",
        currency=currency,
        empty="No trace fits.",
    )
