"""Problems told to a reader: a page for browsers, the way to sign in where a key is missing."""

from typing import Final
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from api.pages import shell
from api.problems import Problem

_NEEDS_KEY: Final = 401
_AWAY: Final = 503
_NOWHERE: Final = 404


def shows(request: Request, problem: Problem) -> Response | None:
    """The page of a problem; None where a program asks, which is answered as always."""
    if not _read_by_people(request):
        return None
    if problem.status == _NEEDS_KEY:
        back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        asked = urlencode({"back": back if request.method == "GET" else "/"})
        return RedirectResponse(f"/sign-in?{asked}", status_code=303)
    title, detail = problem.title, problem.detail
    if problem.status == _NOWHERE and not detail:
        title = "No such page"
        detail = f"There is no page at {request.url.path}. An address may be cut off, or be older."
    if problem.field and detail and not detail.startswith(problem.field):
        detail = f"{problem.field}: {detail}"
    answer = shell.problem(
        request,
        problem.status,
        title,
        detail,
        # A form is not sent again by itself.
        retry=problem.status == _AWAY and request.method == "GET",
    )
    answer.headers.update(problem.headers)
    return answer


def _read_by_people(request: Request) -> bool:
    if request.url.path.startswith("/v1/") or request.url.path == "/openapi.json":
        return False
    return "text/html" in request.headers.get("accept", "")
