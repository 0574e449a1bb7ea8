"""/calls/{trace_id}/{span_id}: what a call cost and how that came about, and why it was slow."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.calls.call_explained import explained
from api.dependencies import Reading, Tenant
from api.pages.shell import page
from api.pages.span_ids import span_id_of, trace_id_of
from api.pages.traces import call_slowness, call_tables
from api.pages.traces.call_content import said_in
from api.pages.visitor import Visiting, Visitor
from reports.charts.palette import shown_name
from spend.ids import unsigned

router = APIRouter(include_in_schema=False)


@router.get("/calls/{trace_id}/{span_id}")
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    trace_id: str,
    span_id: str,
) -> Response:
    """The call that a span is a sighting of; the ids may be those of any of its sightings."""
    trace, span = trace_id_of(trace_id), span_id_of(span_id)
    found = None
    if trace is not None and span is not None:
        found = explained(session, tenant, trace, span, team=visitor.team)
    if found is None:
        return unheard(request, visitor, "No such call")
    call = found.call
    compared = call_slowness.beside(session, tenant, visitor, call) if call.counts else None
    told = visitor.formats
    tables = {
        "cost": call_tables.cost_lines(found, visitor.currency),
        "usage": call_tables.usage(found),
        "sightings": call_tables.sightings(found),
    }
    if compared and not compared.alone:
        tables["beside"] = call_slowness.table(compared, told)
    return page(
        request,
        visitor,
        "call.html",
        title=call.route.model or call.route.request_model or "A call",
        tables=tables,
        found=found,
        call=call,
        cost=found.cost,
        currency=found.cost.currency or visitor.currency,
        ids=(call.trace_id.hex, unsigned(call.span_id)),
        outcome=call_slowness.outcome_name(call.outcome),
        speed=call_slowness.speed_of(call),
        slower=compared.slower_than if compared else None,
        reasons=call_slowness.reasons(compared, told) if compared else [],
        shown_name=shown_name,
        details=call_tables.details(call.details),
        spoken=said_in(session, tenant, visitor, call),
    )


def unheard(request: Request, visitor: Visitor, title: str) -> Response:
    """That nothing was heard under some ids, with a place to ask for others. Status 404."""
    return page(request, visitor, "unheard.html", title=title, status=404)
