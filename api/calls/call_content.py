"""/v1/calls/{trace_id}/{span_id}/content: what was said in a call, for whoever may read it."""

from uuid import UUID

from fastapi import APIRouter
from sqlalchemy.orm import Session

from api.auth import Who
from api.calls.call_explained import explained
from api.calls.calls import SpanId, TraceId
from api.calls.content_shapes import CallContentAnswer, content_answer
from api.dependencies import Reading, Tenant
from api.problems import Problem, answers
from spend.access.roles import Permission, who_may
from spend.contents.contents import Content
from spend.ids import signed
from store.calls.call_lookup import FoundCall
from store.contents.content_policies import policy_of
from store.contents.contents import contents_of

router = APIRouter(prefix="/v1/calls", tags=["calls"])


@router.get(
    "/{trace_id}/{span_id}/content",
    summary="What was said in a call",
    responses=answers(401, 403, 404, 422, 503),
)
def show(
    session: Reading, tenant: Tenant, who: Who, trace_id: TraceId, span_id: SpanId
) -> CallContentAnswer:
    """What all who saw the call told of it, redacted: nothing, unless somebody switched that on."""
    if Permission.CONTENT not in who.may:
        raise Problem(403, "Not yours to see", f"This takes {who_may(Permission.CONTENT)}.")
    found = explained(session, tenant, UUID(hex=trace_id), signed(span_id), team=who.team)
    if found is None:
        raise Problem(404, "No such call", "Nothing under these ids was heard as a call.")
    told = content_of_call(session, tenant, found.call)
    return content_answer(told, on=policy_of(session, tenant).terms.on)


def content_of_call(session: Session, tenant: int, call: FoundCall) -> list[Content]:
    """What was said in all sightings of a call, and in the spans that log records name."""
    spans = {(call.trace_id, call.span_id)}
    for stored, _evidence in call.sightings:
        seen = stored.sighting
        spans.add((seen.trace_id, seen.span_id))
        if seen.emitter.signal == "log" and seen.parent_span_id is not None:
            spans.add((seen.trace_id, seen.parent_span_id))
    return contents_of(session, tenant, spans)
