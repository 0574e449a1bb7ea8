"""Draws a page: the template in its frame, the headers that hold the browser to what is ours.

Nothing comes from another host, no script or style stands in a page, and every name is escaped:
what spans carry can be shown, never run.
"""

from collections.abc import Mapping
from datetime import UTC
from pathlib import Path
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.answers import csv_answer
from api.grouping import wrong
from api.pages.assets import SCRIPT, STYLE, VEGA
from api.pages.forms import form_token
from api.pages.links import elsewhere, here
from api.pages.navigation import SECTIONS
from api.pages.table_cells import cells_of
from api.pages.tables import Table
from api.pages.visitor import Visitor, theme_of
from api.settings import ApiSettings

CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    # A form that is sent without a referrer has no origin either.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "private, no-cache",
    "Vary": "Cookie, Authorization, Accept-Language",
}

_templates: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    extensions=["jinja2.ext.do"],
)
_templates.globals["cells_of"] = cells_of


def page(
    request: Request,
    visitor: Visitor,
    template: str,
    *,
    title: str,
    tables: Mapping[str, Table] | None = None,
    status: int = 200,
    **told: Any,
) -> Response:
    """The page ``templates/{template}`` with ``told`` in it, and ``tables`` by their names.

    Asked with ``csv=NAME`` it is the table of that name as CSV, exact and unformatted.
    """
    tables = tables or {}
    wanted = request.query_params.get("csv")
    if wanted is not None:
        if wanted not in tables:
            known = ", ".join(tables) or "none"
            raise wrong("csv", f"{wanted[:100]!r} is no table of this page: there are {known}")
        answer = csv_answer(request, tables[wanted].csv(), f"{tables[wanted].file}.csv")
        answer.headers.update(HEADERS)
        return answer
    cookie, token = form_token(request, visitor.settings.key_pepper)
    body = _templates.get_template(template).render(
        **_frame(request, visitor), **told, title=title, tables=tables, token=token
    )
    shown = HTMLResponse(body, status, headers=HEADERS)
    if cookie is not None:
        cookie.set_on(request, shown)
    return shown


def bare(
    request: Request,
    settings: ApiSettings,
    template: str,
    *,
    title: str,
    status: int = 200,
    **told: Any,
) -> Response:
    """A page without navigation, for whoever is not known yet."""
    cookie, token = form_token(request, settings.key_pepper)
    body = _templates.get_template(template).render(
        **told,
        title=title,
        token=token,
        theme=theme_of(request),
        style=STYLE.address,
        script=SCRIPT.address,
    )
    answer = HTMLResponse(body, status, headers=HEADERS)
    if cookie is not None:
        cookie.set_on(request, answer)
    return answer


def problem(
    request: Request, status: int, title: str, detail: str | None, *, retry: bool = False
) -> Response:
    """What went wrong, as a page that needs nothing: no database, no visitor."""
    body = _templates.get_template("problem.html").render(
        status=status,
        title=title,
        detail=detail,
        retry=retry,
        place=request.url.path if request.method == "GET" else "/",
        theme=theme_of(request),
        style=STYLE.address,
        script=SCRIPT.address,
    )
    return HTMLResponse(body, status, headers=HEADERS)


def _frame(request: Request, visitor: Visitor) -> dict[str, Any]:
    told = visitor.formats
    return {
        "visitor": visitor,
        "sections": SECTIONS,
        "path": request.url.path,
        "style": STYLE.address,
        "script": SCRIPT.address,
        "vega": VEGA.address,
        "said": _said(request),
        "here": lambda **changes: here(request, **changes),
        # For forms of questions, whose fields replace the address's parameters.
        "asked_zone": lambda: request.query_params.get("timezone"),
        "to": lambda path, **asked: elsewhere(request, path, **asked),
        "offset": visitor.now.replace(tzinfo=UTC).astimezone(visitor.zone).strftime("%z"),
        "fmt": told,
        "ago": lambda moment: told.ago(moment, visitor.now),
    }


def _said(request: Request) -> str | None:
    """What was just done, for a line at the top: one of a fixed set, so nothing can be put in."""
    return DONE.get(request.query_params.get("done", ""))


DONE: Final = {
    "saved": "Saved.",
    "created": "Created.",
    "removed": "Removed.",
    "sent": "On its way: a sample is sent within 10 seconds.",
    "acknowledged": "Acknowledged.",
    "snoozed": "Snoozed.",
    "muted": "Muted.",
    "unmuted": "No longer muted.",
    "resent": "Queued again: it is sent within 10 seconds.",
    "priced": "Priced. Charges follow within a minute.",
    "revoked": "Revoked: whoever used that key is refused from now on.",
    "signed-out": "Signed out.",
    "closed": "Closed.",
    "soft-closed": "Soft-closed: what comes late is booked in the next month.",
    "reopened": "Open again.",
    "booked": "Booked.",
    "acting": "You act as that now, in this browser.",
    "granted": "Granted.",
    "taken-back": "Taken back.",
    "barred": "Barred, and signed out everywhere.",
    "let-in": "Let in again.",
    "ended": "Signed out everywhere.",
}
"""What ``done=`` in an address says, after a form was taken (303)."""
