"""/v1/audit: who changed what, and how it was before and after."""

from datetime import UTC
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from api.auth import Auditing
from api.dependencies import Reading, Tenant
from api.instants import Instant
from api.problems import answers
from api.shapes import instant
from store import audit

router = APIRouter(prefix="/v1/audit", tags=["access"])

MOST = 1000
LONGEST = 200
TEXT = r"^[^\x00]*$"


class AuditAsked(BaseModel):
    """Which changes: all that is said must hold."""

    model_config = ConfigDict(extra="forbid")

    since: Instant | None = Field(None, description="From then on.")
    until: Instant | None = Field(None, description="Before then.")
    actor_id: str | None = Field(
        None, max_length=LONGEST, pattern=TEXT, description="Of the person or the key."
    )
    noun: str | None = Field(
        None, max_length=LONGEST, pattern=TEXT, description="Of what: budget, key, price …"
    )
    noun_id: str | None = Field(None, max_length=LONGEST, pattern=TEXT, description="Of that one.")
    before_id: int | None = Field(
        None, ge=1, le=2**63 - 1, description="Older than this one: `next` of a page."
    )
    limit: int = Field(100, ge=1, le=MOST, description="At most so many.")


class ActorAnswer(BaseModel):
    """Whoever changed something, as they were known then."""

    kind: str = Field(description="`person`, `key`, `machine`, `command` or `job`.")
    id: str | None
    name: str
    address: str | None = Field(description="Where the request came from.")


class ChangeAnswer(BaseModel):
    """A line of the record."""

    id: int
    at: str
    actor: ActorAnswer
    did: str
    noun: str
    noun_id: str | None
    name: str | None
    before: dict[str, Any] | None = Field(description="What differs of it, as it was.")
    after: dict[str, Any] | None = Field(description="As it was from then on.")


class AuditAnswer(BaseModel):
    """Changes, the latest first."""

    changes: list[ChangeAnswer]
    next: int | None = Field(description="`before_id` of the page after this one; null: none.")


@router.get("", summary="Who changed what", responses=answers(401, 403, 422, 503))
def list_changes(
    session: Reading, tenant: Tenant, _who: Auditing, query: Annotated[AuditAsked, Query()]
) -> AuditAnswer:
    """Takes an admin, or finance."""
    found = audit.page(session, tenant, asked_of(query), at_most=query.limit + 1)
    shown = found[: query.limit]
    return AuditAnswer(
        changes=[_answer(each) for each in shown],
        next=shown[-1].id if len(found) > query.limit else None,
    )


def asked_of(query: AuditAsked) -> audit.Asked:
    """Which lines."""
    return audit.Asked(
        since=query.since and query.since.astimezone(UTC),
        until=query.until and query.until.astimezone(UTC),
        actor_id=query.actor_id,
        noun=query.noun,
        noun_id=query.noun_id,
        before_id=query.before_id,
    )


def _answer(change: audit.Change) -> ChangeAnswer:
    actor = change.actor
    return ChangeAnswer(
        id=change.id,
        at=str(instant(change.at)),
        actor=ActorAnswer(kind=actor.kind, id=actor.id, name=actor.name, address=actor.address),
        did=change.did,
        noun=change.noun,
        noun_id=change.noun_id,
        name=change.name,
        before=change.before,
        after=change.after,
    )
