"""Signing in with a key, and out; and as which of their roles a person acts."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from api.auth import Asker, caller_with
from api.dependencies import Clock, Config, Tenant, Writing
from api.pages import browser_session
from api.pages.forms import Sent, one
from api.pages.shell import bare
from api.problems import Problem
from api.settings import ApiSettings
from store import audit
from store.access import sign_ins

router = APIRouter(include_in_schema=False)

LONGEST: Final = 2000

Back = Annotated[str, Query(max_length=LONGEST)]


@router.get("/sign-in")
def show(request: Request, config: Config, back: Back = "/") -> Response:
    """Asks who it is."""
    return asks(request, config, back)


@router.post("/sign-in")
def sign_in(
    request: Request,
    session: Writing,
    tenant: Tenant,
    config: Config,
    clock: Clock,
    fields: Sent,
) -> Response:
    """Takes a key that reads, and goes back to where it was asked for."""
    back = one(fields, "back")
    try:
        caller = caller_with(request, one(fields, "key"), config.key_pepper)
    except Problem as problem:
        refused = asks(request, config, back, refused=problem.detail, status=problem.status)
        refused.headers.update(problem.headers)
        return refused
    if caller is None or caller.key_id is None:
        return asks(request, config, back, refused="There is no such key in force.", status=401)
    request.state.actor = caller.actor
    answer = RedirectResponse(ours(back), status_code=303)
    browser_session.sign_in(request, answer, session, tenant, config, clock(), key_id=caller.key_id)
    audit.note(
        session,
        tenant,
        did="signed in with",
        noun="key",
        noun_id=caller.key_id,
        name=caller.actor.name,
    )
    return answer


@router.get("/sign-out")
def ask(request: Request, config: Config) -> Response:
    """Asks whether to sign out: an address that is only looked at changes nothing."""
    return bare(request, config, "sign_out.html", title="Sign out")


@router.post("/sign-out")
def sign_out(
    request: Request,
    session: Writing,
    tenant: Tenant,
    config: Config,
    clock: Clock,
    _fields: Sent,
) -> Response:
    """Ends the session of this browser, also for whoever has a copy of its cookie."""
    answer = RedirectResponse("/sign-in", status_code=303)
    browser_session.sign_out(request, answer, session, tenant, config, clock())
    return answer


@router.post("/sign-out/everywhere")
def sign_out_everywhere(
    request: Request,
    session: Writing,
    tenant: Tenant,
    config: Config,
    clock: Clock,
    caller: Asker,
    _fields: Sent,
) -> Response:
    """Ends all sessions of the person, or with the key, that this browser is signed in as."""
    answer = RedirectResponse("/sign-in", status_code=303)
    if caller.signed_in is not None:
        own = caller.signed_in
        sign_ins.end_all(session, tenant, person_id=own.person_id, key_id=own.key_id, now=clock())
        noun = "key" if own.key_id else "person"
        did = "signed out everywhere"
        whose = own.key_id or own.person_id
        audit.note(session, tenant, did=did, noun=noun, noun_id=whose, name=own.name)
    browser_session.sign_out(request, answer, session, tenant, config, clock())
    return answer


@router.post("/act-as")
def act_as(session: Writing, caller: Asker, fields: Sent) -> Response:
    """Chooses as which of their roles a person acts in this browser."""
    said = one(fields, "role")
    role_id = int(said) if said.isascii() and said.isdigit() and len(said) < LONGEST_ID else 0
    if caller.signed_in is None or not sign_ins.act_as(session, caller.signed_in, role_id):
        raise Problem(422, "No such role", "You have no such role.", field="role")
    # Not back to where they were: it may not be theirs to see as somebody else.
    return RedirectResponse("/?done=acting", status_code=303)


LONGEST_ID: Final = 19
"""Digits."""


def asks(
    request: Request,
    config: ApiSettings,
    back: str,
    *,
    refused: str | None = None,
    status: int = 200,
) -> Response:
    """The page that asks who it is; ``refused`` says why whoever tried was not let in."""
    return bare(
        request,
        config,
        "sign_in.html",
        title="Sign in",
        back=ours(back),
        refused=refused,
        provider=config.oidc is not None,
        status=status,
    )


def ours(back: str) -> str:
    """An address to go back to, if it is one of this server's: no other host, no scheme.

    >>> ours("/budgets?team=a"), ours("//evil.example/"), ours("///evil.example"), ours("https://e")
    ('/budgets?team=a', '/', '/', '/')
    """
    # Browsers read a backslash as a slash, leave out tabs and ends of lines, and take a host after
    # two slashes or more.
    plain = not any(each == "\\" or each < " " for each in back)
    return back if plain and back.startswith("/") and not back.startswith("//") else "/"
