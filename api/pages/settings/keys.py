"""Who may send, read and change: keys, made and revoked. A key's text is shown once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from api.auth import Administering
from api.dependencies import Reading, Tenant, Writing
from api.pages import browser_session
from api.pages.asked import PageAsked
from api.pages.forms import Sent, one
from api.pages.links import go_to
from api.pages.shell import page
from api.pages.tables import Cell, Column, Held, Table
from api.pages.visitor import Visiting, Visitor
from api.problems import Problem
from spend.access.actors import ANYBODY
from spend.access.key_terms import KeyTerms, expiry, key_terms
from spend.access.roles import Permission
from spend.checked_fields import TermsRefused
from store.access.keys import Key, create_key, list_keys, revoke_key

router = APIRouter(include_in_schema=False)

PLACE: Final = "/settings/keys"
KINDS: Final = {
    "ingest": ("Send", "An application or a collector sends spans with it, and can do no more."),
    "read": ("Read", "Sees everything, or one team's; changes nothing."),
    "admin": ("Admin", "Sees and changes everything."),
}
"""Kind -> what it is called, what it may do."""

PROBLEMS: Final = ("kind", "name", "team", "expires")

KeyId = Annotated[str, Path(pattern="^[a-z2-7]{8}$")]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form."""

    kind: str
    name: str = ""
    team: str = ""
    expires: str = ""


@router.get(PLACE)
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    _query: Annotated[PageAsked, Query()],
) -> Response:
    """The keys, and a form that makes one."""
    visitor.whole_ledger()
    known = list_keys(session, tenant=tenant)
    locked = visitor.caller.actor != ANYBODY
    return _listed(request, visitor, known, Typed("ingest" if locked else "admin"))


@router.post(PLACE)
def create(
    request: Request,
    session: Writing,
    tenant: Tenant,
    visitor: Visiting,
    who: Administering,
    fields: Sent,
) -> Response:
    """A new key, whose text is in this answer and nowhere else.

    The first one has to be an admin key, and signs this browser in: nobody locks themselves out.
    """
    typed = Typed(*(one(fields, name) for name in ("kind", "name", "team", "expires")))
    known = list_keys(session, tenant=tenant)
    try:
        terms = _terms(typed, first=who.actor == ANYBODY)
        expires_at = expiry(typed.expires, visitor.now)
    except TermsRefused as refused:
        problems = {refused.field: f"{refused}."}
        return _listed(request, visitor, known, typed, problems)
    text = create_key(
        session,
        tenant=tenant,
        kind=terms.kind,
        name=terms.name,
        team=terms.team,
        pepper=visitor.settings.key_pepper,
        now=visitor.now,
        expires_at=expires_at,
    )
    log.info("a key was made", kind=terms.kind, team=terms.team, by=who.name)
    signs_in = who.actor == ANYBODY
    answer = page(
        request,
        visitor,
        "key_made.html",
        title="A new key",
        otlp=visitor.settings.otlp_http_url,
        here_url=str(request.base_url).rstrip("/"),
        text=text,
        terms=terms,
        expires_at=expires_at,
        kind=KINDS[terms.kind][0],
        signs_in=signs_in,
    )
    answer.headers["Cache-Control"] = "no-store"
    if signs_in:
        key_id = text.removeprefix("sl_admin_")[:8]
        browser_session.sign_in(
            request, answer, session, tenant, visitor.settings, visitor.now, key_id=key_id
        )
    return answer


@router.get(PLACE + "/{key_id}/revoke")
def ask(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    key_id: KeyId,
    _query: Annotated[PageAsked, Query()],
) -> Response:
    """Asks whether to revoke a key, and says what follows."""
    visitor.whole_ledger()
    known = list_keys(session, tenant=tenant)
    return page(
        request,
        visitor,
        "key_revoke.html",
        title="Revoke a key",
        key=_found(known, key_id),
        own=visitor.caller.key_id == key_id,
        last=[each.id for each in known if each.revoked_at is None] == [key_id],
        last_admin=_last_admin(known, visitor) == key_id,
    )


@router.post(PLACE + "/{key_id}/revoke")
def revoke(
    request: Request,
    session: Writing,
    tenant: Tenant,
    visitor: Visiting,
    who: Administering,
    _fields: Sent,
    key_id: KeyId,
) -> Response:
    """Ends a key for good."""
    if not revoke_key(session, key_id, tenant=tenant, now=visitor.now):
        raise Problem(404, "No such key", f"There is no key {key_id} in force.")
    log.info("a key was revoked", key=key_id, by=who.name)
    return go_to(request, PLACE, done="revoked")


def _terms(typed: Typed, *, first: bool) -> KeyTerms:
    terms = key_terms(kind=typed.kind, name=typed.name, team=typed.team or None)
    if first and terms.kind != "admin":
        reason = "Make an admin key first: without one nobody could come back to this page"
        raise TermsRefused("kind", reason)
    return terms


def _in_force(known: list[Key], visitor: Visitor) -> list[Key]:
    return [each for each in known if each.in_force(visitor.now)]


def _last_admin(known: list[Key], visitor: Visitor) -> str | None:
    """The only key that administers, where nobody signs in otherwise."""
    admins = [each.id for each in _in_force(known, visitor) if each.kind == "admin"]
    return admins[0] if len(admins) == 1 and visitor.caller.role is None else None


def _found(known: list[Key], key_id: str) -> Key:
    for each in known:
        if each.id == key_id and each.revoked_at is None:
            return each
    raise Problem(404, "No such key", f"There is no key {key_id} in force.")


def _listed(
    request: Request,
    visitor: Visitor,
    known: list[Key],
    typed: Typed,
    problems: Mapping[str, str] | None = None,
) -> Response:
    in_force = _in_force(known, visitor)
    return page(
        request,
        visitor,
        "keys.html",
        title="Keys",
        status=422 if problems else 200,
        tables={
            "keys": _table("Keys in force", "keys", in_force, visitor),
            "revoked": _table(
                "Revoked or expired",
                "revoked-keys",
                [each for each in known if each not in in_force],
                visitor,
            ),
        },
        typed=typed,
        problems={name: (problems or {}).get(name) for name in PROBLEMS},
        kinds=KINDS,
        in_force=in_force,
        locked=visitor.caller.actor != ANYBODY,
        senders_locked=any(each.kind == "ingest" for each in known),
    )


def _table(caption: str, file: str, keys: list[Key], visitor: Visitor) -> Table:
    revoked = file != "keys"
    columns = [
        Column("name", "For"),
        Column("kind", "May"),
        Column("team", "Team"),
        Column("id", "Id", narrow=False),
        Column("made", "Made", "when", narrow=False),
        Column("expires", "Expires", "when", narrow=False),
        Column("used", "Last used", "when", narrow=False),
    ]
    if revoked:
        columns.append(Column("revoked", "Revoked", "when"))
    elif visitor.may(Permission.SETTINGS):
        columns.append(Column("end", "", hint="Revoke", csv=False))
    return Table(
        columns=columns,
        rows=[_row(each, visitor) for each in reversed(keys)],
        caption=caption,
        file=file,
        empty="None.",
    )


def _row(key: Key, visitor: Visitor) -> dict[str, Held | Cell]:
    own = visitor.caller.key_id == key.id
    every = "every team" if key.kind != "ingest" else "as senders say"
    return {
        "name": Cell(key.name, note="this browser" if own else None),
        "kind": Cell(key.kind, show=KINDS[key.kind][0].lower()),
        "team": Cell(key.team, show=None if key.team else every, tone="" if key.team else "quiet"),
        "id": key.id,
        "made": key.created_at,
        "expires": key.expires_at,
        "used": key.last_used_at,
        "revoked": key.revoked_at,
        "end": Cell(None, show="Revoke…", href=f"{PLACE}/{key.id}/revoke"),
    }
