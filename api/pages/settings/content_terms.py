"""Whether what is said in calls is kept, and on which terms; and what a change would make go."""

from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api.auth import Administering
from api.calls.content import beyond
from api.dependencies import Reading, Tenant, Writing
from api.pages.asked import PageAsked
from api.pages.forms import Fields, Sent, one
from api.pages.links import go_to
from api.pages.shell import page
from api.pages.visitor import Visiting, Visitor
from spend.checked_fields import TermsRefused
from spend.contents.contents import KINDS, MOST_DAYS, ContentTerms, content_terms
from store.contents.content_policies import policy_of, set_policy
from store.contents.contents import held
from store.contents.linear_patterns import check_patterns

router = APIRouter(include_in_schema=False)

PLACE: Final = "/settings/content"
_FIELDS: Final = ("days", "kinds", "patterns", "teams", "services")


@router.get(PLACE)
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    _query: Annotated[PageAsked, Query()],
) -> Response:
    """The terms in force, how much is kept by them, and a form that changes them."""
    visitor.whole_ledger()
    return _shown(request, session, tenant, visitor, policy_of(session, tenant).terms)


@router.post(PLACE)
def save(
    request: Request,
    session: Writing,
    tenant: Tenant,
    visitor: Visiting,
    _who: Administering,
    fields: Sent,
) -> Response:
    """Puts terms in force, or first shows what of what there is they would not keep."""
    try:
        terms = _typed(fields)
        check_patterns(terms.patterns)
    except TermsRefused as refused:
        problems = {refused.field: f"It takes: {refused}."}
        typed = policy_of(session, tenant).terms
        return _shown(request, session, tenant, visitor, typed, problems=problems, fields=fields)
    going = beyond(session, tenant, terms, visitor.now.date())
    if going.parts and one(fields, "sure") != "yes":
        return _shown(request, session, tenant, visitor, terms, asks=True)
    set_policy(session, tenant, terms, now=visitor.now)
    return go_to(request, PLACE, done="saved")


def _typed(fields: Fields) -> ContentTerms:
    days = one(fields, "days")
    if not (days.isascii() and days.isdigit() and len(days) <= len(str(MOST_DAYS))):
        raise TermsRefused("days", f"a whole number from 1 to {MOST_DAYS}")
    on = one(fields, "on") == "yes"
    kinds = fields.get("kinds", [])
    if on and not kinds:
        raise TermsRefused("kinds", "one of them at least")
    return content_terms(
        on=on,
        days=int(days),
        kinds=kinds,
        patterns=_lines(fields, "patterns"),
        ips=one(fields, "ips") == "yes",
        teams=_lines(fields, "teams"),
        services=_lines(fields, "services"),
    )


def _lines(fields: Fields, name: str) -> list[str]:
    return [line.strip() for line in one(fields, name).splitlines() if line.strip()]


def _shown(
    request: Request,
    session: Session,
    tenant: int,
    visitor: Visitor,
    terms: ContentTerms,
    *,
    problems: Mapping[str, str] | None = None,
    fields: Fields | None = None,
    asks: bool = False,
) -> Response:
    typed = {
        "days": str(terms.days),
        "patterns": "\n".join(terms.patterns),
        "teams": "\n".join(terms.teams),
        "services": "\n".join(terms.services),
    } | {name: one(fields or {}, name) for name in _FIELDS if name in (fields or {})}
    return page(
        request,
        visitor,
        "content_terms.html",
        title="Content",
        status=422 if problems else 200,
        policy=policy_of(session, tenant),
        terms=terms,
        typed=typed,
        kinds=KINDS,
        chosen=(fields or {}).get("kinds", list(terms.kinds)),
        is_on=one(fields, "on") == "yes" if fields else terms.on,
        ips=one(fields, "ips") == "yes" if fields else terms.ips,
        most_days=MOST_DAYS,
        held=held(session, tenant),
        going=beyond(session, tenant, terms, visitor.now.date()),
        asks=asks,
        problems={name: (problems or {}).get(name) for name in _FIELDS},
    )
