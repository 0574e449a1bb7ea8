"""Who signs in through the identity provider: what they are here, kept out, let in, signed out."""

from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api.access.people import PersonId, found
from api.auth import Administrator
from api.dependencies import Reading, Tenant, Writing
from api.pages.asked import PageAsked
from api.pages.forms import Sent, one
from api.pages.links import go_to
from api.pages.shell import page
from api.pages.tables import Cell, Column, Held, Table
from api.pages.visitor import Visiting, Visitor
from spend.access.roles import ROLES, role_terms
from spend.checked_fields import TermsRefused
from store.access import people, sign_ins
from store.access.people import Person

router = APIRouter(include_in_schema=False)

PLACE: Final = "/settings/people"
WHAT: Final = {
    "admin": "Sees and changes everything.",
    "finance": "Sees everything; changes money, budgets and views; reads the record.",
    "lead": "Sees one team, and changes its budgets and alerts.",
    "viewer": "Sees everything, or one team; changes nothing.",
}


@router.get(PLACE)
def show_all(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    _who: Administrator,
    _query: Annotated[PageAsked, Query()],
) -> Response:
    """Everybody who signed in, who came last first."""
    known = people.all_people(session, tenant)
    return page(
        request,
        visitor,
        "people.html",
        title="People",
        tables={"people": _table(known)},
        provider=visitor.settings.oidc,
    )


@router.get(PLACE + "/{person_id:number}")
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    _who: Administrator,
    person_id: PersonId,
    _query: Annotated[PageAsked, Query()],
) -> Response:
    """One of them: roles, browsers, and what can be done."""
    return _shown(request, session, tenant, visitor, found(session, tenant, person_id))


@router.post(PLACE + "/{person_id:number}/grant")
def grant(
    request: Request,
    session: Writing,
    tenant: Tenant,
    visitor: Visiting,
    _who: Administrator,
    fields: Sent,
    person_id: PersonId,
) -> Response:
    """Gives them a role."""
    person = found(session, tenant, person_id)
    typed = one(fields, "role"), one(fields, "team")
    try:
        role = role_terms(role=typed[0], team=typed[1] or None)
    except TermsRefused as refused:
        problems = {refused.field: f"{refused}."}
        return _shown(request, session, tenant, visitor, person, typed, problems)
    people.grant(session, person, role, tenant=tenant, now=visitor.now)
    return go_to(request, f"{PLACE}/{person_id}", done="granted")


@router.post(PLACE + "/{person_id:number}/take-back")
def take_back(
    request: Request,
    session: Writing,
    tenant: Tenant,
    _who: Administrator,
    fields: Sent,
    person_id: PersonId,
) -> Response:
    """Takes a role back that was given here."""
    person = found(session, tenant, person_id)
    for held in person.roles:
        if str(held.id) == one(fields, "role"):
            people.take_back(session, person, held.id, tenant=tenant)
    return go_to(request, f"{PLACE}/{person_id}", done="taken-back")


@router.post(PLACE + "/{person_id:number}/bar")
def bar(
    request: Request,
    session: Writing,
    tenant: Tenant,
    visitor: Visiting,
    _who: Administrator,
    _fields: Sent,
    person_id: PersonId,
) -> Response:
    """Keeps them out, at once."""
    people.bar(session, found(session, tenant, person_id), tenant=tenant, now=visitor.now)
    return go_to(request, f"{PLACE}/{person_id}", done="barred")


@router.post(PLACE + "/{person_id:number}/let-in")
def let_in(
    request: Request,
    session: Writing,
    tenant: Tenant,
    _who: Administrator,
    _fields: Sent,
    person_id: PersonId,
) -> Response:
    """Lets them in again."""
    people.unbar(session, found(session, tenant, person_id), tenant=tenant)
    return go_to(request, f"{PLACE}/{person_id}", done="let-in")


@router.post(PLACE + "/{person_id:number}/sign-out")
def sign_out(
    request: Request,
    session: Writing,
    tenant: Tenant,
    visitor: Visiting,
    _who: Administrator,
    _fields: Sent,
    person_id: PersonId,
) -> Response:
    """Ends their sessions."""
    person = found(session, tenant, person_id)
    people.end_sessions(session, person, tenant=tenant, now=visitor.now)
    return go_to(request, f"{PLACE}/{person_id}", done="ended")


def _shown(
    request: Request,
    session: Session,
    tenant: int,
    visitor: Visitor,
    person: Person,
    typed: tuple[str, str] = ("viewer", ""),
    problems: dict[str, str] | None = None,
) -> Response:
    signed_in = sign_ins.in_force_of(session, tenant, person.id, visitor.now)
    return page(
        request,
        visitor,
        "person.html",
        title=person.name,
        status=422 if problems else 200,
        person=person,
        place=f"{PLACE}/{person.id}",
        own=visitor.caller.actor.kind == "person" and visitor.caller.actor.id == str(person.id),
        roles=[(name, WHAT[name]) for name in ROLES],
        typed=typed,
        problems={name: (problems or {}).get(name) for name in ("role", "team")},
        tables={"sessions": _sessions(signed_in)},
    )


def _table(known: list[Person]) -> Table:
    columns = [
        Column("name", "Who"),
        Column("roles", "Is"),
        Column("state", "State"),
        Column("last", "Signed in last", "when"),
        Column("id", "Number", narrow=False),
        Column("email", "Mail", shown=False),
    ]
    rows: list[dict[str, Held | Cell]] = [
        {
            "name": Cell(each.name, href=f"{PLACE}/{each.id}", note=each.email),
            "roles": Cell(
                ", ".join(dict.fromkeys(str(held.role) for held in each.roles)) or None,
                show=None if each.roles else "nothing yet",
                tone="" if each.roles else "quiet",
            ),
            "state": Cell("barred", tone="bad") if each.barred_at else "",
            "last": each.last_seen_at,
            "id": str(each.id),
            "email": each.email,
        }
        for each in known
    ]
    return Table(columns, rows, "People", file="people", empty="Nobody signed in yet.")


def _sessions(there: list[tuple[datetime, datetime, datetime]]) -> Table:
    columns = [
        Column("began", "Signed in", "when"),
        Column("used", "Used last", "when"),
        Column("ends", "Ends", "when"),
    ]
    rows = [{"began": began, "used": used, "ends": ends} for began, used, ends in there]
    return Table(columns, rows, "Signed in now", file="sessions", empty="In no browser.")
