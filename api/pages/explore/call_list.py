"""/calls: single calls with their cost, the latest first: what a sum is made of."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field

from api.dependencies import Reading, Tenant
from api.grouping import checked
from api.pages.explore.filters import (
    UNTIMED,
    FilteredPage,
    as_addressed,
    chips,
    choices,
    days_between,
    in_time,
    named,
    ranges,
    span,
)
from api.pages.formats import Formats
from api.pages.links import elsewhere, here
from api.pages.shell import page
from api.pages.tables import Cell, Column, Held, Table
from api.pages.traces.call_slowness import outcome_name
from api.pages.visitor import Visiting
from api.paging import cursor_of, position_of
from reports.charts.palette import hue_of, shown_name
from spend.calls import Outcome
from spend.ids import unsigned
from spend.meters import INPUTS
from store.archive.archived_days import listed_from
from store.breakdowns.dimensions import DIMENSIONS
from store.calls import call_pages
from store.calls.call_costs import CallCost, costs_of
from store.calls.call_pages import ListedCall
from store.intake.first_heard import anything_counted
from store.spending.seen_values import seen_values

router = APIRouter(include_in_schema=False)

SHOWN: Final = 50
IN_FILE: Final = 500
"""As many as the API gives at once."""

COLUMNS: Final = (
    Column("started_at", "Started", "when"),
    Column("model", "Model"),
    Column("team", "Team", narrow=False),
    Column("outcome", "Ended", narrow=False),
    Column("duration_ms", "Latency", "ms", narrow=False),
    Column("ttft_ms", "First token", "ms", "Time to the first token", narrow=False),
    Column("input_tokens", "Input", "number", "Tokens, cached ones too", narrow=False),
    Column("output_tokens", "Output", "number", "Tokens", narrow=False),
    Column("cost", "Cost", "money"),
    Column("trace_id", "Trace", narrow=False),
)


class CallsAsked(FilteredPage):
    """Which calls, as /v1/calls is asked."""

    cursor: Annotated[
        str | None, Field(max_length=400, description="Where the page before ended.")
    ] = None


@router.get("/calls")
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    query: Annotated[CallsAsked, Query()],
) -> Response:
    """A page of calls; a form's answer is sent to its address."""
    addressed = as_addressed(request, query)
    if addressed is not None:
        return addressed
    bounds, range_name = in_time(query, visitor)
    asked = checked(
        query.model_copy(update=dict(bounds)),
        default_zone=visitor.zone,
        now=visitor.now,
        caller=visitor.caller,
        on_slots=False,
    )
    question = asked.question
    after = None if query.cursor is None else position_of(query.cursor)
    most = IN_FILE if query.csv else SHOWN
    found = call_pages.page(session, question, tenant, after=after, at_most=most + 1)
    listed = found[:most]
    costs = costs_of(session, tenant, listed)
    told = visitor.formats
    rows = [_row(request, call, cost, told) for call, cost in zip(listed, costs, strict=True)]
    seen = seen_values(session, question, tenant)
    return page(
        request,
        visitor,
        "calls.html",
        title="Calls",
        tables={"calls": _table(rows, visitor.currency)},
        query=query,
        span=span(visitor, question.period),
        count=len(listed),
        never=not listed and not anything_counted(session, tenant),
        listed_from=listed_from(session, tenant, question.period),
        older=here(request, cursor=cursor_of(listed[-1].position)) if len(found) > most else None,
        newest=here(request, cursor=None) if query.cursor else None,
        ranges=ranges(request, range_name),
        range_name=range_name,
        days=days_between(question.period, question.zone),
        choices=choices(seen, question.filters),
        chips=chips(request, question.filters),
        clear=here(request, cursor=None, **dict.fromkeys(DIMENSIONS)),
        untimed=UNTIMED,
        spend=elsewhere(request, "/explore", **_same(query), **_filters(question.filters)),
    )


def _same(query: CallsAsked) -> dict[str, Any]:
    """The time that was asked for, as another page is asked for it."""
    return {"range": query.range, "from_": query.from_, "to": query.to}


def _filters(filters: Any) -> dict[str, list[str]]:
    return {name: list(values) for name, values in filters.items()}


def _row(
    request: Request, call: ListedCall, cost: CallCost, told: Formats
) -> dict[str, Held | Cell]:
    row, route = call.row, call.route
    trace, span_id = row.trace_id.hex, unsigned(row.span_id)
    failed = call.outcome is not Outcome.OK
    known = [call.usage[name] for name in INPUTS if name in call.usage]
    also = call.payer.feature or call.payer.service or call.payer.customer
    return {
        "started_at": Cell(
            row.start_at,
            href=elsewhere(request, f"/calls/{trace}/{span_id}"),
            show=told.second(row.start_at),
        ),
        "model": Cell(
            route.model or route.request_model,
            show=named(route.model or route.request_model),
            note=shown_name(route.provider),
            colour=hue_of(route.provider),
        ),
        "team": Cell(
            call.payer.team,
            show=named(call.payer.team),
            note=named(also) if also else None,
        ),
        "outcome": Cell(outcome_name(call.outcome), tone="bad" if failed else "quiet"),
        "duration_ms": _ms(row.duration_us),
        "ttft_ms": _ms(row.ttft_us),
        "input_tokens": sum(known) if known else None,
        "output_tokens": call.usage.get("output"),
        "cost": Cell(
            cost.amount,
            note=None if cost.amount is not None else cost.reason,
            currency=cost.currency,
        ),
        "trace_id": Cell(trace, href=elsewhere(request, f"/traces/{trace}"), show=trace[:8]),
    }


def _ms(microseconds: int | None) -> Decimal | None:
    return None if microseconds is None else Decimal(microseconds) / 1000


def _table(rows: Sequence[Mapping[str, Held | Cell]], currency: str) -> Table:
    return Table(
        COLUMNS,
        rows,
        "Calls",
        file="calls",
        currency=currency,
        empty="No calls in this time, with these filters.",
    )
