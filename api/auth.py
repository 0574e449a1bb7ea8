"""Who asks, and what of the ledger they may see or change.

``changing(...)`` stands on every router under /v1, so no route can forget it: it checks the key,
and that whoever changes something has the permission that this takes. A page names it where it
changes something (``Booking``, ``Budgeting`` ...). Where there is no key, nobody signs in through a
provider and the API is bound to loopback, everybody on the machine may do everything.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Final

from fastapi import Depends, Request
from sqlalchemy.exc import SQLAlchemyError

from api.dependencies import Config, database_of, knocks_of, now_of, refusals_of
from api.knocks import address_of
from api.origins import from_elsewhere, from_our_page
from api.problems import Problem
from api.session_cookie import token_in_cookie
from api.settings import ApiSettings
from spend.access.actors import ANYBODY, Actor
from spend.access.forwarded import is_forwarded, is_own_name
from spend.access.group_roles import strongest
from spend.access.roles import OF_KEYS, ROLES, Permission, Role, who_may
from store.access import keys, sign_ins
from store.access.refused_keys import BadKey, Why, looked_at
from store.access.sign_ins import SignIn
from store.tenants import TENANT

_READING: Final = ("read", "admin")
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever a request is from: who holds its key, who signed in, or anybody, without keys."""

    may: frozenset[Permission] = frozenset()
    """What they may do besides reading."""
    team: str | None = None
    """The only team that they may see; None: all of them."""
    name: str = ANYBODY.name
    """Who that is, for people: a person's name, or a key's name and id."""
    key_id: str | None = None
    """Of the key; None where there is none."""
    actor: Actor = ANYBODY
    """The same, for the record of changes."""
    signed_in: SignIn | None = None
    """The session of a browser; None: it showed a key, or nothing."""
    role: Role | None = None
    """Of a person: as whom they act."""


def asker_of(request: Request, config: Config) -> Caller:
    """Whoever sent a request that changes nothing, whatever its method. Problem 401.

    A key comes in the header ``Authorization``; a browser that signed in has it in its cookie.
    """
    caller = (
        _by_header(request, config.key_pepper)
        or _by_cookie(request, config)
        or _by_place(request, config.open_without_keys)
    )
    request.state.actor = replace(caller.actor, address=address_of(request) or None)
    return caller


Asker = Annotated[Caller, Depends(asker_of)]
Who = Asker
"""Whoever sent the request. What they may change, the router says under /v1, and a page itself."""


def changing(permission: Permission | None) -> Callable[[Request, Caller], Caller]:
    """Whoever sent a request, if they may: to change something takes ``permission``.

    None: nothing can be changed there. Problem 401 without a key in force, 403 if they may not.
    """

    def caller_of(request: Request, caller: Asker) -> Caller:
        if request.method not in _SAFE_METHODS:
            if permission is None:
                raise Problem(403, "Not yours to change", "Nothing is changed here.")
            needs(caller, permission)
        return caller

    return caller_of


def having(permission: Permission) -> Callable[[Caller], Caller]:
    """Whoever sent a request, if they have a permission, also to read. Problem 401, 403."""

    def caller_of(caller: Asker) -> Caller:
        needs(caller, permission)
        return caller

    return caller_of


def needs(caller: Caller, permission: Permission) -> None:
    """Keeps whoever has not this permission away. Problem 403."""
    if permission not in caller.may:
        raise Problem(403, "Not yours to change", f"This takes {who_may(permission)}.")


Booking = Annotated[Caller, Depends(changing(Permission.MONEY))]
"""Whoever changes prices, bills, months, pools or who pays."""
Budgeting = Annotated[Caller, Depends(changing(Permission.BUDGETS))]
"""Whoever changes budgets, alert rules or alerts: of their team alone, if they have one."""
Saving = Annotated[Caller, Depends(changing(Permission.VIEWS))]
"""Whoever keeps a view."""
Administering = Annotated[Caller, Depends(changing(Permission.SETTINGS))]
"""Whoever changes keys, people or channels."""
Administrator = Annotated[Caller, Depends(having(Permission.SETTINGS))]
"""Whoever looks at who comes in, or changes it."""
Auditing = Annotated[Caller, Depends(having(Permission.AUDIT))]
"""Whoever reads who changed what."""


def whole_ledger(who: Who) -> None:
    """Keeps keys of one team away from what is not told apart by team. Problem 403."""
    if who.team is not None:
        detail = f"This key sees team {who.team!r} only, and this is not told apart by team."
        raise Problem(403, "Not yours to see", detail)


def of_their_team(caller: Caller, *teams: str) -> None:
    """Keeps a key of one team away from what is asked about others. Problem 403."""
    if caller.team is not None and set(teams) - {caller.team}:
        detail = f"This key sees team {caller.team!r} only."
        raise Problem(403, "Not yours to see", detail, field="team")


def of_their_filter(caller: Caller, asked: Mapping[str, Iterable[str]]) -> None:
    """Keeps a caller of one team away from what is of more than that team. Problem 403."""
    if caller.team is not None and tuple(asked.get("team", ())) != (caller.team,):
        detail = f"You act for team {caller.team!r} only: filter by it, and by no other."
        raise Problem(403, "Not yours to change", detail, field="filter")


def _by_header(request: Request, pepper: bytes) -> Caller | None:
    header = request.headers.get("authorization")
    if header is None:
        return None
    scheme, _, text = header.partition(" ")
    if scheme.lower() != "bearer":
        raise _unauthorised("Send the key in the header Authorization, behind the word Bearer.")
    found = caller_with(request, text.strip(), pepper)
    if found is None:
        raise _unauthorised("There is no such key in force.")
    return found


def _by_cookie(request: Request, config: ApiSettings) -> Caller | None:
    token = token_in_cookie(request)
    # A cookie comes with whatever somebody else's page makes the browser send.
    if token is None or (request.method not in _SAFE_METHODS and not from_our_page(request)):
        return None
    now = now_of(request)
    with database_of(request).read() as session:
        found = sign_ins.find(session, TENANT, token, pepper=config.key_pepper, now=now)
    if found is None:
        return None
    if now - found.last_used_at >= sign_ins.TO_THE:
        # Where it cannot be written now, reading goes on.
        with suppress(SQLAlchemyError), database_of(request).write() as session:
            sign_ins.used(session, found, now)
    if found.person_id is None:
        return replace(_of_key(found), signed_in=found)
    return _of_person(found)


def _of_key(found: SignIn) -> Caller:
    return of_key(str(found.key_id), str(found.key_kind), found.name, found.key_team)


def _of_person(found: SignIn) -> Caller:
    theirs = dict(found.roles)
    chosen = theirs.get(found.role_id or 0) or strongest(theirs.values())
    if chosen is None:
        who = f"{found.name} ({found.email})" if found.email else found.name
        detail = (
            f"You are signed in as {who}, person {found.person_id}, and have no role here yet."
            " Ask whoever administers spanledger for one. (To sign out: /sign-out)"
        )
        raise Problem(403, "Nothing is yours to see yet", detail)
    return Caller(
        may=chosen.may,
        team=chosen.team,
        name=found.name,
        actor=Actor("person", found.name, str(found.person_id)),
        signed_in=found,
        role=chosen,
    )


def caller_with(request: Request, text: str, pepper: bytes) -> Caller | None:
    """Whoever holds the key in force whose text this is.

    Problem 403 for one that only sends, 429 where too many were refused (``api/knocks.py``).
    """
    knocks, address, now = knocks_of(request), address_of(request), now_of(request)
    if not knocks.check(address, text):
        return None
    with database_of(request).read() as session:
        found = keys.find_key(session, text, pepper=pepper, now=now)
        if found is None:
            bad = looked_at(session, text, kinds=_READING, pepper=pepper, now=now)
    knocks.told(address, text, good=found is not None)
    if found is None:
        _log_of(request, bad)
        return None
    tenant, key = found
    if key.kind not in _READING:
        _log_of(request, BadKey(Why.KIND, key.id, key.name))
        raise Problem(403, "Not for this key", "An ingest key sends; reading takes a read key.")
    note_key(request, tenant, key, now)
    return of_key(key.id, key.kind, key.name, key.team)


def _log_of(request: Request, bad: BadKey) -> None:
    agent = request.headers.get("user-agent", "")
    refusals_of(request).note(bad, address_of(request), user_agent=agent)


def note_key(request: Request, tenant: int, key: keys.Key, now: datetime) -> None:
    """Notes that a key was used, once a day."""
    if keys.is_news(key, now):
        with suppress(SQLAlchemyError), database_of(request).write() as session:
            keys.used(session, key.id, tenant=tenant, now=now)


def of_key(key_id: str, kind: str, name: str, team: str | None) -> Caller:
    """Whoever holds a key that reads."""
    return Caller(
        may=ROLES[OF_KEYS[kind]],
        team=None if kind == "admin" else team,
        name=f"{name} (key {key_id})",
        key_id=key_id,
        actor=Actor("key", name, key_id),
    )


def _by_place(request: Request, open_without_keys: bool) -> Caller:
    with database_of(request).read() as session:
        locked = keys.has_keys(session)
    if locked or not open_without_keys:
        raise _unauthorised("Make one with: spanledger keys create")
    if not is_own_name(request.headers.get("host", "")):
        detail = "Without keys this machine answers to its address or to localhost only."
        raise Problem(403, "Not under this name", detail, field="Host")
    if is_forwarded(request.headers):
        # Through a proxy on this machine anybody may come.
        detail = "Without keys nothing is answered through a proxy: make one first."
        raise Problem(403, "Not through a proxy", detail, field="X-Forwarded-For")
    if request.method not in _SAFE_METHODS and from_elsewhere(request):
        detail = "Without keys nothing is changed for a page that is not of this machine."
        raise Problem(403, "Not from that page", detail, field="Origin")
    return Caller(may=frozenset(Permission))


def _unauthorised(detail: str) -> Problem:
    headers = {"WWW-Authenticate": 'Bearer realm="spanledger"'}
    return Problem(401, "A key is needed", detail, field="Authorization", headers=headers)
