"""/v1/silences: budgets and alert rules that are to tell nobody anything for a while."""

from datetime import UTC, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr

from api.auth import Who
from api.dependencies import Clock, Reading, Tenant, Writing
from api.instants import Instant
from api.problems import Problem, answers
from api.shapes import instant
from spend.channels.silences import KINDS, LONGEST, Silence, silence_terms
from spend.checked_fields import TermsRefused
from store.alerts import silent_subjects
from store.alerts.silent_subjects import NoSuchSubject
from store.channels import silences

router = APIRouter(prefix="/v1/silences", tags=["alerts"])

_MOST = 1000
"""Silences that are looked at, or told."""
MOST_HOURS = LONGEST // timedelta(hours=1)

SilenceId = Annotated[int, Path(ge=1, le=2**63 - 1)]
Id = Annotated[StrictInt, Field(ge=1, le=2**63 - 1)]


class NewSilence(BaseModel):
    """A silence that is to begin now."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal[KINDS] = Field(  # type: ignore[valid-type]  # a tuple of strings
        description="`snooze`: messages wait, and at its end those that are still true are sent."
        " `mute`: messages are dropped; what is crossed is recorded all the same."
    )
    budget_id: Id | None = Field(None, description="What is silent: a budget,")
    rule_id: Id | None = Field(None, description="or an alert rule.")
    until: Instant | None = Field(
        None,
        description="When it ends. Default: after `hours`; of a muted budget without them, at the"
        f" end of its present period. At most {LONGEST.days} days from now.",
    )
    hours: Annotated[StrictInt, Field(ge=1, le=MOST_HOURS)] | None = Field(
        None, description="How long it is, instead of `until`."
    )
    by: StrictStr | None = Field(
        None, description="Who wants it. Default: the name of the key.", examples=["ann"]
    )
    reason: StrictStr | None = Field(None, description="Why.")


class SilencesAsked(BaseModel):
    """Which silences."""

    model_config = ConfigDict(extra="forbid")

    past: bool = Field(False, description="Those that have ended, too, the newest first.")
    limit: int = Field(100, ge=1, le=_MOST, description="At most so many of them.")


class SilenceAnswer(BaseModel):
    """A time in which a budget or an alert rule tells nobody anything."""

    id: int
    kind: str
    budget_id: int | None
    rule_id: int | None
    name: str | None = Field(description="The budget's or rule's; null: it was closed.")
    starts: str
    ends: str = Field(description="As it was meant.")
    by: str
    reason: str | None
    ended_at: str | None = Field(description="When somebody ended it early.")
    in_force: bool


class SilencesAnswer(BaseModel):
    """Silences in force, the first to end first."""

    silences: list[SilenceAnswer]


@router.post(
    "",
    status_code=201,
    summary="Snooze or mute a budget or an alert rule",
    responses=answers(401, 403, 404, 422, 503),
)
def begin(
    session: Writing, tenant: Tenant, clock: Clock, who: Who, body: NewSilence
) -> SilenceAnswer:
    """From now on. What waits to be sent of it waits on, or is dropped."""
    now = clock()
    try:
        subject = silent_subjects.found(
            session,
            tenant,
            budget_id=body.budget_id,
            rule_id=body.rule_id,
            team=who.team,
            now=now,
        )
        said = silence_terms(
            kind=body.kind,
            budget_id=subject.budget_id,
            rule_id=subject.rule_id,
            ends=subject.end_of(
                body.kind,
                until=None if body.until is None else body.until.astimezone(UTC),
                hours=body.hours,
                now=now,
            ),
            by=who.name if body.by is None else body.by,
            reason=body.reason,
            now=now,
        )
    except NoSuchSubject as missing:
        raise Problem(404, "Nothing to silence", str(missing), field=missing.field) from None
    except TermsRefused as refused:
        title = "The silence makes no sense"
        raise Problem(422, title, f"{refused.field}: {refused}", field=refused.field) from None
    return _answer(silences.put(session, tenant, said), subject.name, in_force=True)


@router.get("", summary="What is silent", responses=answers(401, 403, 422, 503))
def list_silences(
    session: Reading,
    tenant: Tenant,
    clock: Clock,
    who: Who,
    query: Annotated[SilencesAsked, Query()],
) -> SilencesAnswer:
    """Silences in force. A key of one team sees those of that team's budgets and rules."""
    now = clock()
    there = (
        silences.latest(session, tenant, at_most=query.limit if who.team is None else _MOST)
        if query.past
        else silences.in_force(session, tenant, now)
    )
    known = silent_subjects.in_force(session, tenant, now)
    found = []
    for each in there:
        subject = known.get((each.budget_id, each.rule_id))
        if who.team is None or (subject is not None and subject.teams == (who.team,)):
            name = None if subject is None else subject.name
            found.append(_answer(each, name, in_force=each.holds(now)))
    return SilencesAnswer(silences=found[: query.limit])


@router.delete(
    "/{silence_id}",
    status_code=204,
    summary="End a silence early",
    responses=answers(401, 403, 404, 422, 503),
)
def end(session: Writing, tenant: Tenant, clock: Clock, who: Who, silence_id: SilenceId) -> None:
    """What was snoozed and is still true is sent; what was dropped stays so."""
    try:
        silent_subjects.end(session, tenant, silence_id, team=who.team, now=clock())
    except silences.NoSuchSilence as missing:
        raise Problem(404, "No such silence", str(missing), field="silence_id") from None


def _answer(silence: Silence, name: str | None, *, in_force: bool) -> SilenceAnswer:
    return SilenceAnswer(
        id=silence.id,
        kind=silence.kind,
        budget_id=silence.budget_id,
        rule_id=silence.rule_id,
        name=name,
        starts=str(instant(silence.starts)),
        ends=str(instant(silence.ends)),
        by=silence.by,
        reason=silence.reason,
        ended_at=instant(silence.ended_at),
        in_force=in_force,
    )
