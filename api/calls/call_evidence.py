"""/v1/calls/evidence as the API shows it: why several sightings are one call, counted."""

from dataclasses import asdict
from datetime import datetime

from pydantic import BaseModel, Field

from api.grouping import Asked
from api.shapes import BoundsAnswer, bounds_of, instant
from store.calls.evidence import Joins


class RuleCounted(BaseModel):
    """Evidence by which sightings were joined."""

    rule: str = Field(description="As `evidence` of a call's sightings names it.")
    calls: int
    sightings: int = Field(description="How many it joined to others, or kept for what they tell.")


class EmitterContradicted(BaseModel):
    """An instrumentation of whose calls another one told other usage."""

    scope: str
    version: str | None
    signal: str = Field(description="`span`, `log` or `metric`.")
    calls: int


class EvidenceAnswer(BoundsAnswer):
    """How the calls of a period were put together from what was seen of them."""

    joined_calls: int = Field(description="Calls that several sightings tell of.")
    rules: list[RuleCounted] = Field(description="Most sightings first.")
    contradicted: list[EmitterContradicted] = Field(
        description="Whose usage differs by more than 2 % from that of another one: of each such"
        " call all that saw it. A version that begins to do so has changed what its counts mean."
    )
    listed_from: str | None = Field(
        description="Calls that began before this are not in it, as their days are no longer kept."
    )


def evidence_answer(
    asked: Asked, found: Joins, complete_until: datetime | None, listed_from: datetime | None
) -> EvidenceAnswer:
    """The counts, with what they are about, and since when calls are there to be counted."""
    body = {
        **bounds_of(asked, complete_until),
        "joined_calls": found.calls,
        "listed_from": instant(listed_from),
        "rules": [asdict(each) for each in found.rules],
        "contradicted": [asdict(each) for each in found.contradicted],
    }
    return EvidenceAnswer.model_validate(body)
