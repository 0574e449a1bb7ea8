"""/v1/people: who signs in through the identity provider, and what they are here."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field, StrictStr
from sqlalchemy.orm import Session

from api.auth import Administrator
from api.dependencies import Clock, Reading, Tenant, Writing
from api.problems import Problem, answers
from api.shapes import instant
from spend.access.roles import ROLES, role_terms
from spend.checked_fields import TermsRefused
from store.access import people
from store.access.people import Person

router = APIRouter(prefix="/v1/people", tags=["access"])

PersonId = Annotated[int, Path(ge=1, le=2**63 - 1)]
RoleId = Annotated[int, Path(ge=1, le=2**63 - 1)]


class NewRole(BaseModel):
    """A role for somebody."""

    model_config = ConfigDict(extra="forbid")

    role: Literal[tuple(ROLES)] = Field(  # type: ignore[valid-type]  # a tuple of strings
        description="What they are."
    )
    team: StrictStr | None = Field(
        None, max_length=200, description="The only team that they see: of a lead, or a viewer."
    )


class RoleAnswer(BaseModel):
    """A role that somebody has."""

    id: int
    role: str
    team: str | None
    source: str = Field(description="`claim`: by the provider's groups. `grant`: given here.")


class PersonAnswer(BaseModel):
    """Somebody who signed in at least once."""

    id: int
    name: str
    email: str | None = Field(description="Where the provider made sure of it.")
    issuer: str
    subject: str = Field(description="What the provider calls them.")
    first_seen_at: str
    last_seen_at: str = Field(description="When they signed in last.")
    barred_at: str | None = Field(description="From then on they do not come in.")
    roles: list[RoleAnswer]


class PeopleAnswer(BaseModel):
    """People, who came last first."""

    people: list[PersonAnswer]


class SignedOutAnswer(BaseModel):
    """Somebody was signed out everywhere."""

    ended: int = Field(description="So many browsers.")


@router.get("", summary="Who signs in", responses=answers(401, 403, 422, 503))
def list_people(session: Reading, tenant: Tenant, _who: Administrator) -> PeopleAnswer:
    """Takes an admin."""
    return PeopleAnswer(people=[_answer(each) for each in people.all_people(session, tenant)])


@router.get("/{person_id}", summary="One of them", responses=answers(401, 403, 404, 422, 503))
def show(
    session: Reading, tenant: Tenant, _who: Administrator, person_id: PersonId
) -> PersonAnswer:
    """Takes an admin."""
    return _answer(found(session, tenant, person_id))


@router.post(
    "/{person_id}/roles",
    status_code=201,
    summary="Give somebody a role",
    responses=answers(401, 403, 404, 409, 422, 503),
)
def grant(
    session: Writing,
    tenant: Tenant,
    clock: Clock,
    _who: Administrator,
    person_id: PersonId,
    body: NewRole,
) -> PersonAnswer:
    """It stays until it is taken back, whatever the provider says."""
    person = found(session, tenant, person_id)
    try:
        role = role_terms(role=body.role, team=body.team)
    except TermsRefused as refused:
        title = "The role makes no sense"
        raise Problem(422, title, f"{refused.field}: {refused}", field=refused.field) from None
    if not people.grant(session, person, role, tenant=tenant, now=clock()):
        raise Problem(409, "They have it", "They were given this role before.", field="role")
    return _answer(found(session, tenant, person_id))


@router.delete(
    "/{person_id}/roles/{role_id}",
    status_code=204,
    summary="Take a role back",
    responses=answers(401, 403, 404, 422, 503),
)
def take_back(
    session: Writing, tenant: Tenant, _who: Administrator, person_id: PersonId, role_id: RoleId
) -> None:
    """One that was given here: what follows from groups, the provider takes back."""
    person = found(session, tenant, person_id)
    if not people.take_back(session, person, role_id, tenant=tenant):
        detail = "They have no role with this id that was given here."
        raise Problem(404, "No such role", detail, field="role_id")


@router.post(
    "/{person_id}/bar", summary="Keep somebody out", responses=answers(401, 403, 404, 422, 503)
)
def bar(
    session: Writing, tenant: Tenant, clock: Clock, _who: Administrator, person_id: PersonId
) -> PersonAnswer:
    """At once, and whatever the provider says. Nothing where they are kept out."""
    people.bar(session, found(session, tenant, person_id), tenant=tenant, now=clock())
    return _answer(found(session, tenant, person_id))


@router.post(
    "/{person_id}/unbar",
    summary="Let somebody in again",
    responses=answers(401, 403, 404, 422, 503),
)
def unbar(
    session: Writing, tenant: Tenant, _who: Administrator, person_id: PersonId
) -> PersonAnswer:
    """They have to sign in anew. Nothing where they are not kept out."""
    people.unbar(session, found(session, tenant, person_id), tenant=tenant)
    return _answer(found(session, tenant, person_id))


@router.post(
    "/{person_id}/sign-out",
    summary="Sign somebody out everywhere",
    responses=answers(401, 403, 404, 422, 503),
)
def sign_out(
    session: Writing, tenant: Tenant, clock: Clock, _who: Administrator, person_id: PersonId
) -> SignedOutAnswer:
    """Every browser that is signed in as them."""
    person = found(session, tenant, person_id)
    return SignedOutAnswer(ended=people.end_sessions(session, person, tenant=tenant, now=clock()))


def found(session: Session, tenant: int, person_id: int) -> Person:
    """A person; Problem 404 where there is none."""
    person = people.find_person(session, tenant, person_id)
    if person is None:
        raise Problem(404, "No such person", f"Nobody is number {person_id}.", field="person_id")
    return person


def _answer(person: Person) -> PersonAnswer:
    return PersonAnswer(
        id=person.id,
        name=person.name,
        email=person.email,
        issuer=person.issuer,
        subject=person.subject,
        first_seen_at=str(instant(person.created_at)),
        last_seen_at=str(instant(person.last_seen_at)),
        barred_at=instant(person.barred_at),
        roles=[
            RoleAnswer(id=held.id, role=held.role.name, team=held.role.team, source=held.source)
            for held in person.roles
        ],
    )
