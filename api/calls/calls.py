"""/v1/calls: single calls, and how the cost of each came about."""

from datetime import timedelta
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import Field

from api.auth import Who
from api.calls.call_evidence import EvidenceAnswer, evidence_answer
from api.calls.call_explained import explained
from api.calls.call_shapes import CallsAnswer, ExplainedCall, explained_call, listed_call
from api.dependencies import Clock, Config, Reading, Tenant
from api.grouping import FiltersAsked, checked, wrong
from api.paging import cursor_of, position_of
from api.problems import Problem, answers
from api.shapes import instant
from spend.ids import signed
from store.archive.archived_days import first_kept, listed_from
from store.calls.call_costs import costs_of
from store.calls.call_pages import page
from store.calls.evidence import joins
from store.completeness import complete_until

MOST_DAYS: Final = 31
"""Of evidence, in one question; with two hours for a clock that is put back."""
_MOST_EVIDENCE: Final = timedelta(days=MOST_DAYS, hours=2)

router = APIRouter(prefix="/v1/calls", tags=["calls"])

TraceId = Annotated[str, Path(pattern="^[0-9a-fA-F]{32}$", description="32 hex digits.")]
SpanId = Annotated[str, Path(pattern="^[0-9a-fA-F]{16}$", description="16 hex digits.")]


class CallsAsked(FiltersAsked):
    """Which calls. `from` and `to` may be any instant here."""

    limit: int = Field(50, ge=1, le=500, description="At most so many calls.")
    cursor: str | None = Field(
        None, max_length=400, description="`next` of the page before; the rest as for that page."
    )


@router.get("", summary="Calls, latest first", responses=answers(401, 403, 422, 503))
def list_calls(
    session: Reading,
    tenant: Tenant,
    config: Config,
    clock: Clock,
    who: Who,
    query: Annotated[CallsAsked, Query()],
) -> CallsAnswer:
    """Single calls, for a look at what a sum is made of. Sums are cheaper asked of /v1/spend."""
    asked = checked(query, default_zone=config.timezone, now=clock(), caller=who, on_slots=False)
    after = None if query.cursor is None else position_of(query.cursor)
    found = page(session, asked.question, tenant, after=after, at_most=query.limit + 1)
    shown = found[: query.limit]
    costs = costs_of(session, tenant, shown)
    return CallsAnswer(
        calls=[
            listed_call(each, cost, config.currency)
            for each, cost in zip(shown, costs, strict=True)
        ],
        next=cursor_of(shown[-1].position) if len(found) > len(shown) else None,
        listed_from=instant(listed_from(session, tenant, asked.question.period)),
    )


@router.get(
    "/evidence", summary="Why sightings are one call", responses=answers(401, 403, 422, 503)
)
def count_evidence(
    session: Reading,
    tenant: Tenant,
    config: Config,
    clock: Clock,
    who: Who,
    query: Annotated[FiltersAsked, Query()],
) -> EvidenceAnswer:
    """By which rules several sightings were joined, and whose usage contradicts another's.

    Of 31 days at most, as the joined calls themselves are read. `from` and `to` may be any instant.
    """
    asked = checked(query, default_zone=config.timezone, now=clock(), caller=who, on_slots=False)
    period = asked.question.period
    if period.end - period.start > _MOST_EVIDENCE:
        raise wrong("to", f"from and to may be {MOST_DAYS} days apart at most")
    found = joins(session, asked.question, tenant)
    return evidence_answer(
        asked, found, complete_until(session), listed_from(session, tenant, period)
    )


@router.get(
    "/{trace_id}/{span_id}",
    summary="A call, and how its cost came about",
    responses=answers(401, 403, 404, 422, 503),
)
def show(
    session: Reading, tenant: Tenant, config: Config, who: Who, trace_id: TraceId, span_id: SpanId
) -> ExplainedCall:
    """The call that a span is a sighting of: who saw it, who pays and why, and each meter's price.

    The ids may be those of any of its sightings. A call of a day that is no longer kept is read
    from the archive; 503 where that cannot be reached.
    """
    found = explained(session, tenant, UUID(hex=trace_id), signed(span_id), team=who.team)
    if found is None:
        since = instant(first_kept(session, tenant))
        gone = f" What began before {since} and was not archived is gone." if since else ""
        raise Problem(404, "No such call", f"Nothing under these ids was heard as a call.{gone}")
    return explained_call(found.call, found.cost, config.currency, payer=found.payer)
