"""/traces/{trace_id}: a trace as a tree, each call's cost once, beside a waterfall."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.calls.call_explained import explained_trace
from api.dependencies import Reading, Tenant
from api.pages.asked import PageAsked
from api.pages.formats import UNKNOWN, Formats
from api.pages.shell import page
from api.pages.span_ids import trace_id_of
from api.pages.tables import Column, Held, Table
from api.pages.traces.call_page import unheard
from api.pages.traces.call_slowness import outcome_name
from api.pages.traces.call_tables import role_name, short_scope
from api.pages.traces.trace_tree import Node, Sums, Tree, tree_of
from api.pages.visitor import Visiting
from reports.charts.palette import hue_of, shown_name
from spend.access.roles import Permission
from spend.calls import Outcome
from spend.ids import unsigned
from spend.meters import INPUTS
from store.contents.contents import spans_with_content

router = APIRouter(include_in_schema=False)

_TICKS = 4


class TraceAsked(PageAsked):
    """How much of a trace."""

    again: Literal["hide"] | None = None
    """``hide``: without the sightings that are not counted."""


@router.get("/traces/{trace_id}")
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    trace_id: str,
    query: Annotated[TraceAsked, Query()],
) -> Response:
    """What was heard under a trace id, as far as the visitor may see it."""
    known = trace_id_of(trace_id)
    found = None if known is None else explained_trace(session, tenant, known, team=visitor.team)
    if found is None or known is None:
        return unheard(request, visitor, "No such trace")
    trace, calls = found
    tree = tree_of(trace.sightings, calls)
    hidden = query.again == "hide"
    shown = [each for each in tree.nodes if each.is_head or not hidden]
    return page(
        request,
        visitor,
        "trace.html",
        title="Trace",
        tables={"spans": _table(tree, known.hex)},
        trace_id=known.hex,
        tree=tree,
        lines=[_line(each, tree) for each in shown],
        ticks=[_tick(tree, each) for each in range(_TICKS + 1)],
        took=(tree.end - tree.start) / timedelta(milliseconds=1),
        told=lambda sums: money_told(sums, visitor.formats),
        again=sum(not each.counts for each in tree.nodes),
        orphans=sum(each.under_unknown for each in tree.nodes),
        more=trace.more,
        archived=any(each.archived for each in trace.sightings),
        hidden=hidden,
        spoken=spans_with_content(session, tenant, known)
        if visitor.may(Permission.CONTENT)
        else frozenset(),
        teams=sorted({each.payer.team for each in calls}),
        services=sorted({each.call.owner.service for each in calls if each.call.owner.service}),
    )


def money_told(sums: Sums, told: Formats) -> str:
    """What calls cost together, a sum for each currency; a dash where nothing is known."""
    if not sums.costs:
        return UNKNOWN
    return " + ".join(told.money(cost, currency) for currency, cost in sums.costs.items())


@dataclass(frozen=True, slots=True)
class Line:
    """A node as the template has it."""

    node: Node
    name: str
    provider: str
    hue: str
    role: str
    scope: str
    outcome: str | None
    """Unless it ended well."""
    attempts: int | None
    input: int | None
    output: int | None
    trace_id: str
    span_id: str
    duration_ms: float | None
    x: float
    """Per cent of the trace's time."""
    width: float
    waited: float
    """Until the first token, likewise."""


def _line(node: Node, tree: Tree) -> Line:
    seen = node.stored.sighting
    usage = node.found.call.usage if node.is_head else seen.usage
    route = node.found.call.route if node.is_head else seen.route
    start, length = tree.place(seen.start_at), 0.0
    waited = 0.0
    if seen.duration_us:
        length = tree.place(seen.start_at + timedelta(microseconds=seen.duration_us)) - start
    if seen.ttft_us and seen.duration_us:
        until = timedelta(microseconds=min(seen.ttft_us, seen.duration_us))
        waited = tree.place(seen.start_at + until) - start
    owner = node.found.call.owner
    agent = owner.feature or owner.service or "Agent or chain"
    attempts = seen.details.get("attempts")
    return Line(
        node=node,
        name=agent if node.is_aggregate else route.model or route.request_model or "A call",
        provider=shown_name(route.provider),
        hue=hue_of(route.provider),
        role=role_name(seen.role),
        scope=short_scope(seen.emitter.scope),
        outcome=None if seen.outcome is Outcome.OK else outcome_name(seen.outcome),
        attempts=attempts if isinstance(attempts, int) else None,
        input=_prompt(usage),
        output=usage.get("output"),
        trace_id=seen.trace_id.hex,
        span_id=unsigned(seen.span_id),
        duration_ms=None if seen.duration_us is None else seen.duration_us / 1000,
        x=round(start, 2),
        width=round(max(length, 0.35), 2),
        waited=round(waited, 2),
    )


def _prompt(usage: Mapping[str, int]) -> int | None:
    told = [usage[name] for name in INPUTS if name in usage]
    return sum(told) if told else None


def _tick(tree: Tree, place: int) -> float:
    """Milliseconds after the start."""
    return (tree.end - tree.start) / timedelta(milliseconds=1) * place / _TICKS


def _table(tree: Tree, trace_id: str) -> Table:
    """Every sighting, also those that are not counted."""
    names = (
        "depth role model provider scope counts evidence input_tokens output_tokens cost currency"
        " started_at duration_ms ttft_ms outcome span_id parent_span_id trace_id"
    )
    return Table(
        columns=[Column(name, name) for name in names.split()],
        rows=[_row(each) for each in tree.nodes],
        caption="Spans",
        file=f"trace-{trace_id}",
    )


def _row(node: Node) -> dict[str, Held]:
    seen, cost = node.stored.sighting, node.found.cost
    parent = seen.parent_span_id
    return {
        "depth": node.depth,
        "role": seen.role.name.lower(),
        "model": seen.route.model or seen.route.request_model,
        "provider": seen.route.provider,
        "scope": seen.emitter.scope,
        "counts": "yes" if node.counts else "no",
        "evidence": node.evidence,
        "input_tokens": _prompt(seen.usage),
        "output_tokens": seen.usage.get("output"),
        "cost": cost.amount if node.counts else None,
        "currency": cost.currency if node.counts else None,
        "started_at": seen.start_at,
        "duration_ms": _ms(seen.duration_us),
        "ttft_ms": _ms(seen.ttft_us),
        "outcome": seen.outcome.name.lower(),
        "span_id": unsigned(seen.span_id),
        "parent_span_id": None if parent is None else unsigned(parent),
        "trace_id": seen.trace_id.hex,
    }


def _ms(microseconds: int | None) -> Decimal | None:
    return None if microseconds is None else Decimal(microseconds) / 1000
