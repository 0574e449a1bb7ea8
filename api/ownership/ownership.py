"""/v1/ownership: who pays for whose calls, and which shared costs are split."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query

from api.auth import Who, whole_ledger
from api.dependencies import Clock, Config, Reading, Tenant, Writing
from api.ownership.ownership_shapes import (
    OwnershipAnswer,
    OwnershipShape,
    VersionsAnswer,
    ownership_answer,
    versions_answer,
)
from api.problems import Problem, answers
from api.settings import ApiSettings
from spend.ownership.ownership_files import Ownership, OwnershipRefusedError, ownership_of_fields
from store.ownership import ownership

router = APIRouter(prefix="/v1/ownership", tags=["ownership"])

SOURCE: Final = "PUT /v1/ownership"

VersionNumber = Annotated[
    int | None, Query(ge=1, le=2**31 - 1, description="Of before. Default: the one in force.")
]


@router.get(
    "",
    summary="Ownership rules and splits",
    responses=answers(401, 403, 404, 422, 503),
    dependencies=[Depends(whole_ledger)],
)
def show(
    session: Reading, tenant: Tenant, config: Config, version: VersionNumber = None
) -> OwnershipAnswer:
    """The rules in force, in order, or a version of before."""
    if version is None:
        return ownership_answer(ownership.in_force(session, tenant), config.timezone.key)
    found = ownership.numbered(session, tenant, version)
    if found is None:
        raise Problem(404, "No such version", f"there is no version {version}", field="version")
    return ownership_answer(found, config.timezone.key)


@router.get(
    "/versions",
    summary="Versions of the ownership rules",
    responses=answers(401, 403, 503),
    dependencies=[Depends(whole_ledger)],
)
def list_versions(session: Reading, tenant: Tenant) -> VersionsAnswer:
    """When which rules were put in force, and by whom. None is ever changed."""
    return versions_answer(ownership.versions(session, tenant))


@router.put("", summary="Put rules and splits in force", responses=answers(401, 403, 422, 503))
def apply(
    session: Writing, tenant: Tenant, config: Config, clock: Clock, who: Who, body: OwnershipShape
) -> OwnershipAnswer:
    """All of them, in place of what is in force; the same again changes nothing.

    The charge job follows: what is to be paid by somebody else is booked by corrections, from
    when each rule holds, also in the past. Ask `POST /v1/ownership/preview` first.
    """
    version = ownership.apply(
        session,
        tenant,
        ownership_said(body, config),
        source=SOURCE,
        entered_by=who.name,
        now=clock(),
    )
    return ownership_answer(version, config.timezone.key)


def ownership_said(body: OwnershipShape, config: ApiSettings) -> Ownership:
    """What a body says; Problem 422 naming the place and the field."""
    try:
        return ownership_of_fields(body.as_fields(), timezone=config.timezone.key)
    except OwnershipRefusedError as refused:
        kind, _, number = refused.place.partition(" ")
        place = f"{kind}.{int(number) - 1}." if number else ""
        detail = f"{refused.where}: {refused.reason}"
        field = f"{place}{refused.field}"
        raise Problem(422, "The rules make no sense", detail, field=field) from None
