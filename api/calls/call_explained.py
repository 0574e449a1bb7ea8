"""A call, who pays for it and how its cost came about: what the API and the page of a call tell."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from spend.calls import Owner
from store.calls.call_costs import CallCost, costs_of
from store.calls.call_lookup import FoundCall, FoundTrace, find_call, find_trace
from store.ownership.payers import paying


@dataclass(frozen=True, slots=True)
class Explained:
    """A call with what is known of its cost."""

    call: FoundCall
    payer: Owner
    """Who pays, by the ownership rules."""
    cost: CallCost


def explained(
    session: Session, tenant: int, trace_id: UUID, span_id: int, *, team: str | None
) -> Explained | None:
    """The call that a sighting is of; None where nothing was heard.

    Of another team's call whoever sees ``team`` alone is not told that it exists.
    """
    call = find_call(session, tenant, trace_id, span_id)
    if call is None:
        return None
    found = _explained(session, tenant, [call], team)
    return found[0] if found else None


def explained_trace(
    session: Session, tenant: int, trace_id: UUID, *, team: str | None
) -> tuple[FoundTrace, list[Explained]] | None:
    """A trace and its calls, those that ``team`` may see (None: all); None where there is none."""
    trace = find_trace(session, tenant, trace_id)
    found = _explained(session, tenant, trace.calls, team) if trace else []
    return (trace, found) if trace and found else None


def _explained(
    session: Session, tenant: int, calls: list[FoundCall] | tuple[FoundCall, ...], team: str | None
) -> list[Explained]:
    by_owner = paying(session, tenant, {call.place[0] for call in calls})
    paid = [(call, by_owner.payer(call.owner, call.start_at)) for call in calls]
    seen = [(call, payer) for call, payer in paid if team in {None, payer.team}]
    costs = costs_of(session, tenant, [call for call, _payer in seen])
    return [Explained(call, payer, cost) for (call, payer), cost in zip(seen, costs, strict=True)]
