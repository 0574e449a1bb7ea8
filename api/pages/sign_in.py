"""Signing in with a key, and out."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from api.auth import caller_with
from api.dependencies import Config
from api.origins import over_https
from api.pages.forms import Sent, one
from api.pages.shell import bare
from api.problems import Problem
from api.session_cookie import forget_key, keep_key

router = APIRouter(include_in_schema=False)

LONGEST: Final = 2000


@router.get("/sign-in")
def show(
    request: Request, config: Config, back: Annotated[str, Query(max_length=LONGEST)] = "/"
) -> Response:
    """Asks for a key."""
    return bare(request, config, "sign_in.html", title="Sign in", back=ours(back), refused=None)


@router.post("/sign-in")
def sign_in(request: Request, config: Config, fields: Sent) -> Response:
    """Takes a key that reads, and goes back to where it was asked for."""
    text, back = one(fields, "key"), ours(one(fields, "back"))
    try:
        caller = caller_with(request, text, config.key_pepper)
        refused = None if caller else "There is no such key in force."
    except Problem as problem:
        refused = problem.detail
    if refused is not None:
        return bare(
            request, config, "sign_in.html", title="Sign in", back=back, refused=refused, status=401
        )
    answer = RedirectResponse(back, status_code=303)
    keep_key(answer, text, config.seal, secure=over_https(request))
    return answer


@router.get("/sign-out")
def ask(request: Request, config: Config) -> Response:
    """Asks whether to sign out: an address that is only looked at changes nothing."""
    return bare(request, config, "sign_out.html", title="Sign out")


@router.post("/sign-out")
def sign_out(_fields: Sent) -> Response:
    """Forgets the key."""
    answer = RedirectResponse("/sign-in", status_code=303)
    forget_key(answer)
    return answer


def ours(back: str) -> str:
    """An address to go back to, if it is one of this server's: no other host, no scheme.

    >>> ours("/budgets?team=a"), ours("//evil.example/"), ours("///evil.example"), ours("https://e")
    ('/budgets?team=a', '/', '/', '/')
    """
    # Browsers read a backslash as a slash, leave out tabs and ends of lines, and take a host after
    # two slashes or more.
    plain = not any(each == "\\" or each < " " for each in back)
    return back if plain and back.startswith("/") and not back.startswith("//") else "/"
