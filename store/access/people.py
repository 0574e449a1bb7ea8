"""People who sign in through an identity provider, and their roles here.

A role is given by somebody here (``grant``), or follows from the provider's groups, which are told
anew each time somebody signs in (``claim``).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from spend.access.roles import Role
from store import audit
from store.access import sign_ins
from store.tables.access import people, roles


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role that somebody has."""

    id: int
    role: Role
    source: str
    """claim | grant"""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signed in at least once. Times are UTC."""

    id: int
    issuer: str
    subject: str
    """What the issuer calls them: theirs for good."""
    email: str | None
    """Only where the issuer says that it made sure; None: it did not."""
    name: str
    created_at: datetime
    last_seen_at: datetime
    """When they signed in last."""
    barred_at: datetime | None
    """From then on they do not come in."""
    roles: tuple[HeldRole, ...] = ()


def signed_in(
    session: Session,
    tenant: int,
    *,
    issuer: str,
    subject: str,
    email: str | None,
    name: str,
    claimed: Collection[Role],
    now: datetime,
) -> Person:
    """Whoever the provider sent, known from now on, with the roles that it says now."""
    told = {"email": email, "name": name, "last_seen_at": now}
    who = {"tenant_id": tenant, "issuer": issuer, "subject": subject}
    person_id = session.execute(
        insert(people)
        .values(**who, **told, created_at=now)
        .on_conflict_do_update(index_elements=list(who), set_=told)
        .returning(people.c.id)
    ).scalar_one()
    known = find_person(session, tenant, person_id)
    if known is None:
        raise LookupError(f"person {person_id} was there a moment ago")
    before = {held.role for held in known.roles if held.source == "claim"}
    if before == set(claimed):
        return known
    for role in before - set(claimed):
        session.execute(delete(roles).where(*_one(tenant, person_id, role, "claim")))
    for role in set(claimed) - before:
        _give(session, tenant, person_id, role, "claim", now)
    audit.note(
        session,
        tenant,
        did="was given by the provider",
        noun="role",
        noun_id=person_id,
        name=name,
        before={"roles": sorted(map(_told, before))},
        after={"roles": sorted(map(_told, claimed))},
    )
    return find_person(session, tenant, person_id) or known


def find_person(session: Session, tenant: int, person_id: int) -> Person | None:
    """A person by id; None: nobody."""
    found = session.execute(
        select(*_PERSON).where(people.c.tenant_id == tenant, people.c.id == person_id)
    ).one_or_none()
    return None if found is None else Person(*found, _roles(session, tenant).get(person_id, ()))


def all_people(session: Session, tenant: int) -> list[Person]:
    """Everybody who ever signed in, who came last first."""
    held = _roles(session, tenant)
    found = session.execute(
        select(*_PERSON)
        .where(people.c.tenant_id == tenant)
        .order_by(people.c.last_seen_at.desc(), people.c.id)
    )
    return [Person(*row, held.get(row.id, ())) for row in found]


def grant(session: Session, person: Person, role: Role, *, tenant: int, now: datetime) -> bool:
    """Gives somebody a role. False: they were given it before."""
    given = _give(session, tenant, person.id, role, "grant", now)
    if given:
        audit.note(
            session, tenant, did="granted", **_named(person, "role"), after={"role": _told(role)}
        )
    return given


def take_back(session: Session, person: Person, role_id: int, *, tenant: int) -> bool:
    """Takes a role that was given here. False: there is none with this id."""
    taken = next(
        (held for held in person.roles if held.id == role_id and held.source == "grant"), None
    )
    if taken is None:
        return False
    session.execute(
        delete(roles).where(
            roles.c.tenant_id == tenant,
            roles.c.id == role_id,
            roles.c.person_id == person.id,
        )
    )
    audit.note(
        session,
        tenant,
        did="took back",
        **_named(person, "role"),
        before={"role": _told(taken.role)},
    )
    return True


def bar(session: Session, person: Person, *, tenant: int, now: datetime) -> bool:
    """Keeps somebody out, whatever the provider says, from now on. False: they were."""
    if person.barred_at is not None:
        return False
    _set_barred(session, tenant, person.id, now)
    sign_ins.end_all(session, tenant, person_id=person.id, now=now)
    audit.note(session, tenant, did="barred", **_named(person))
    return True


def unbar(session: Session, person: Person, *, tenant: int) -> bool:
    """Lets somebody in again. False: they were not kept out."""
    if person.barred_at is None:
        return False
    _set_barred(session, tenant, person.id, None)
    audit.note(session, tenant, did="let in again", **_named(person))
    return True


def end_sessions(session: Session, person: Person, *, tenant: int, now: datetime) -> int:
    """Signs somebody out wherever they are. How many browsers that were."""
    ended = sign_ins.end_all(session, tenant, person_id=person.id, now=now)
    if ended:
        audit.note(
            session, tenant, did="signed out everywhere", **_named(person), after={"ended": ended}
        )
    return ended


_PERSON = (
    people.c.id,
    people.c.issuer,
    people.c.subject,
    people.c.email,
    people.c.name,
    people.c.created_at,
    people.c.last_seen_at,
    people.c.barred_at,
)


def _roles(session: Session, tenant: int) -> dict[int, tuple[HeldRole, ...]]:
    found = session.execute(
        select(roles.c.person_id, roles.c.id, roles.c.role, roles.c.team, roles.c.source)
        .where(roles.c.tenant_id == tenant)
        .order_by(roles.c.person_id, roles.c.id)
    )
    held: dict[int, tuple[HeldRole, ...]] = {}
    for person_id, role_id, name, team, source in found:
        one = HeldRole(role_id, Role(name, team), source)
        held[person_id] = (*held.get(person_id, ()), one)
    return held


def _give(
    session: Session, tenant: int, person_id: int, role: Role, source: str, now: datetime
) -> bool:
    given = session.execute(
        insert(roles)
        .values(
            tenant_id=tenant,
            person_id=person_id,
            role=role.name,
            team=role.team,
            source=source,
            given_at=now,
        )
        .on_conflict_do_nothing()
        .returning(roles.c.id)
    )
    return given.first() is not None


def _one(tenant: int, person_id: int, role: Role, source: str) -> tuple[ColumnElement[bool], ...]:
    return (
        roles.c.tenant_id == tenant,
        roles.c.person_id == person_id,
        roles.c.role == role.name,
        roles.c.team.is_not_distinct_from(role.team),
        roles.c.source == source,
    )


def _set_barred(session: Session, tenant: int, person_id: int, at: datetime | None) -> None:
    session.execute(
        update(people)
        .where(people.c.tenant_id == tenant, people.c.id == person_id)
        .values(barred_at=at)
    )


def _named(person: Person, noun: str = "person") -> audit.Subject:
    return {"noun": noun, "noun_id": person.id, "name": person.name}


def _told(role: Role) -> str:
    return f"{role.name}:{role.team}" if role.team else role.name
