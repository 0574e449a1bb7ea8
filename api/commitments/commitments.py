"""/v1/commitments: credits bought in advance, and spend that was promised."""

from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path
from sqlalchemy.orm import Session

from api.auth import Who, whole_ledger
from api.commitments.commitment_shapes import (
    CommitmentNow,
    CommitmentsAnswer,
    CommitmentWithPeriods,
    NewCommitments,
    with_latest,
    with_periods,
)
from api.dependencies import Clock, Reading, Tenant, Writing
from api.problems import FieldProblem, Problem, answers
from spend.commitments.commitment_files import commitments_of
from spend.commitments.commitments import Commitment
from spend.written_rows import RowsRefusedError
from store.commitments import commitment_use, commitments

router = APIRouter(prefix="/v1/commitments", tags=["commitments"])

SOURCE: Final = "POST /v1/commitments"

CommitmentId = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.get(
    "",
    summary="Commitments that hold",
    responses=answers(401, 403, 503),
    dependencies=[Depends(whole_ledger)],
)
def list_commitments(session: Reading, tenant: Tenant, clock: Clock) -> CommitmentsAnswer:
    """Each with its latest period: what was used, what is left, what to expect."""
    now = clock()
    held = commitments.held(session, tenant)
    return CommitmentsAnswer(
        commitments=[_with_latest(session, tenant, each, now) for each in held]
    )


@router.get(
    "/{commitment_id}",
    summary="A commitment and its periods",
    responses=answers(401, 403, 404, 422, 503),
    dependencies=[Depends(whole_ledger)],
)
def show(
    session: Reading, tenant: Tenant, clock: Clock, commitment_id: CommitmentId
) -> CommitmentWithPeriods:
    """Also one that was withdrawn or replaced."""
    found = commitments.one(session, tenant, commitment_id)
    if found is None:
        raise _missing(commitment_id)
    now = clock()
    begun = list(found.periods(now)) if found.known_to is None else []
    return with_periods(found, commitment_use.used(session, tenant, found, begun), now)


@router.post(
    "",
    status_code=201,
    summary="Declare commitments",
    responses=answers(401, 403, 409, 422, 503),
)
def declare(
    session: Writing,
    tenant: Tenant,
    clock: Clock,
    who: Who,
    body: NewCommitments,
) -> CommitmentsAnswer:
    """Usage that fits is covered by the next round of the charge job, also what is past."""
    rows = [each.as_row(place) for place, each in enumerate(body, 1)]
    single = len(rows) == 1
    try:
        said = commitments_of(rows, source=SOURCE, entered_by=who.name)
    except RowsRefusedError as refused:
        raise _refused(refused, single=single) from None
    now = clock()
    told = []
    for place, each in enumerate(said, 1):
        try:
            declared = commitments.declare(session, tenant, each, now=now)
        except commitments.CommitmentHeldError as held:
            field = _field(place, "name", single=single)
            raise Problem(409, "The name is taken", f"{field}: {held}", field=field) from None
        told.append(_with_latest(session, tenant, declared, now))
    return CommitmentsAnswer(commitments=told)


@router.delete(
    "/{commitment_id}",
    status_code=204,
    summary="Withdraw a commitment",
    responses=answers(401, 403, 404, 422, 503),
)
def withdraw(session: Writing, tenant: Tenant, clock: Clock, commitment_id: CommitmentId) -> None:
    """It was a mistake: the next round of the charge job takes all of its lines back."""
    if commitments.withdraw(session, tenant, commitment_id, now=clock()) is None:
        raise _missing(commitment_id)


def _with_latest(
    session: Session, tenant: int, commitment: Commitment, now: datetime
) -> CommitmentNow:
    latest = list(commitment.periods(now))[-1:]
    return with_latest(commitment, commitment_use.used(session, tenant, commitment, latest), now)


def _missing(commitment_id: int) -> Problem:
    detail = f"there is no commitment {commitment_id}"
    return Problem(404, "No such commitment", detail, field="commitment_id")


def _field(place: int, field: str, *, single: bool) -> str:
    """Where it is in the request, dotted; places of a list count from 0."""
    return field if single else f"{place - 1}.{field}"


def _refused(refused: RowsRefusedError, *, single: bool) -> Problem:
    errors = [
        FieldProblem(field=_field(each.line, each.field, single=single), detail=each.reason)
        for each in refused.refusals
    ]
    first = errors[0]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    detail = f"{first.field}: {first.detail}{more}"
    return Problem(422, "The commitment makes no sense", detail, field=first.field)
