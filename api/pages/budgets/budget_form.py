"""/budgets/new and /budgets/{id}/edit: a budget is set, tried on the past, changed and closed."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field
from sqlalchemy.orm import Session

from api.auth import Budgeting, needs
from api.budgets import budget_writing
from api.budgets.budgets import BudgetId, found_for, seen_by, visible
from api.dependencies import Reading, Tenant, Writing
from api.pages.asked import PageAsked, Text
from api.pages.budgets.budget_tried import Tried, tried
from api.pages.budgets.budget_typed import NONE, Typed, empty, said, typed_in, typed_of
from api.pages.budgets.budget_versions import changes
from api.pages.forms import Sent, one
from api.pages.links import go_to
from api.pages.shell import page
from api.pages.visitor import Visiting, Visitor
from api.problems import Problem
from spend.access.roles import Permission
from spend.budgets.budget_periods import KINDS
from spend.budgets.budgets import DIMENSIONS, Budget
from spend.checked_fields import TermsRefused
from spend.currencies.currencies import CODES
from store.budgets import budgets

router = APIRouter(include_in_schema=False)

_TRIED_MONTHS: Final = 6
_DIGITS: Final = 9
"""No version has as many, and no budget twice as many."""


class NewAsked(PageAsked):
    """What a new budget begins with."""

    team: Annotated[Text | None, Field(description="That it is on.")] = None
    parent: Annotated[Text | None, Field(description="That it is a part of.")] = None


@dataclass(frozen=True, slots=True)
class _Refused:
    """Why a form was not taken, and the field to be changed; '': no field of it."""

    field: str
    text: str


@router.get("/budgets/new")
def new(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    query: Annotated[NewAsked, Query()],
) -> Response:
    """An empty form."""
    needs(visitor.caller, Permission.BUDGETS)
    config = visitor.settings
    typed = empty(config.currency, config.timezone.key, parent=query.parent or "")
    if query.team:
        typed = Typed({**typed.texts, "name": query.team}, [("team", query.team)])
    return _form(request, session, tenant, visitor, typed)


@router.post("/budgets/new")
def create(
    request: Request,
    session: Writing,
    tenant: Tenant,
    visitor: Visiting,
    _who: Budgeting,
    fields: Sent,
) -> Response:
    """Sets it, or shows the form again with what is wrong."""
    typed = typed_in(fields)
    try:
        made = budget_writing.create(
            session, tenant, visitor.settings, said(typed), visitor.now, team=visitor.team
        )
    except (TermsRefused, budgets.NameTaken) as refused:
        return _form(request, session, tenant, visitor, typed, refused=_why(refused))
    return _to(request, made.id, "created")


@router.get("/budgets/{budget_id:number}/edit")
def edit(
    request: Request, session: Reading, tenant: Tenant, visitor: Visiting, budget_id: BudgetId
) -> Response:
    """The form of a budget as it holds now."""
    needs(visitor.caller, Permission.BUDGETS)
    current = found_for(session, tenant, visitor.caller, budget_id, visitor.now)
    typed = typed_of(seen_by(visitor.caller, session, tenant, visitor.now).fields(current.terms))
    return _form(request, session, tenant, visitor, typed, current=current)


@router.post("/budgets/{budget_id:number}/edit")
def change(
    request: Request,
    session: Writing,
    tenant: Tenant,
    visitor: Visiting,
    who: Budgeting,
    budget_id: BudgetId,
    fields: Sent,
) -> Response:
    """Makes a new version, or shows the form again with what is wrong, or what others changed."""
    current = found_for(session, tenant, who, budget_id, visitor.now, lock=True)
    typed = typed_in(fields)
    if (seen := one(fields, "version")) != f"{current.version}":
        meanwhile = _meanwhile(session, tenant, visitor, current, seen)
        return _form(request, session, tenant, visitor, typed, current=current, meanwhile=meanwhile)
    try:
        wanted = said(typed) | {"effective_from": typed["effective_from"] or None}
        budget_writing.change(
            session, tenant, visitor.settings, current, wanted, visitor.now, team=who.team
        )
    except (TermsRefused, budgets.NameTaken, budgets.ChangeScheduled) as refused:
        return _form(
            request, session, tenant, visitor, typed, current=current, refused=_why(refused)
        )
    return _to(request, budget_id, "saved")


@router.post("/budgets/preview")
def preview(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    who: Budgeting,
    fields: Sent,
) -> Response:
    """What a budget with the terms of the form would have told; nothing is written."""
    typed, current = typed_in(fields), None
    if number := one(fields, "budget"):
        if not number.isdecimal() or len(number) >= 2 * _DIGITS:
            raise Problem(404, "No such budget", f"no budget {number[:20]!r} is in force")
        current = found_for(session, tenant, who, int(number), visitor.now)
    # Where it is told, below what and from when says nothing of what is told.
    try:
        wanted = said(typed) | {"webhook_url": None, "parent": None, "channels": []}
        there = seen_by(who, session, tenant, visitor.now)
        terms = (
            budget_writing.new_terms(wanted, there, visitor.settings)
            if current is None
            else budget_writing.changed_terms(wanted, there, visitor.settings, current)
        )
        budget_writing.check_team(terms, who.team)
    except TermsRefused as refused:
        why = _why(refused)
        seen = one(fields, "version")
        return _form(
            request, session, tenant, visitor, typed, current=current, seen=seen, refused=why
        )
    found = tried(session, tenant, visitor, terms, _TRIED_MONTHS)
    seen = one(fields, "version")
    return _form(request, session, tenant, visitor, typed, current=current, seen=seen, found=found)


@router.post("/budgets/{budget_id:number}/close")
def close(
    request: Request,
    session: Writing,
    tenant: Tenant,
    visitor: Visiting,
    who: Budgeting,
    budget_id: BudgetId,
    _fields: Sent,
) -> Response:
    """Ends it. Problem 409 for one that has parts."""
    found_for(session, tenant, who, budget_id, visitor.now, lock=True)
    try:
        budgets.close(session, tenant, budget_id, visitor.now)
    except budgets.HasChildren as parent:
        raise Problem(409, "It has parts: close them first", str(parent)) from None
    return go_to(request, "/budgets", done="closed")


@router.post("/budgets/{budget_id:number}/withdraw")
def withdraw(
    request: Request,
    session: Writing,
    tenant: Tenant,
    visitor: Visiting,
    who: Budgeting,
    budget_id: BudgetId,
    fields: Sent,
) -> Response:
    """Takes back the version that is to come."""
    found_for(session, tenant, who, budget_id, visitor.now, lock=True)
    version = one(fields, "version")
    try:
        number = int(version) if version.isdecimal() and len(version) < _DIGITS else 0
        budgets.withdraw(session, tenant, budget_id, number, visitor.now)
    except (budgets.NoSuchBudget, budgets.ChangeScheduled) as begun:
        raise Problem(409, "It cannot be withdrawn", str(begun)) from None
    return _to(request, budget_id, "saved")


def _form(
    request: Request,
    session: Session,
    tenant: int,
    visitor: Visitor,
    typed: Typed,
    *,
    current: Budget | None = None,
    seen: str | None = None,
    refused: _Refused | None = None,
    meanwhile: str | None = None,
    found: Tried | None = None,
) -> Response:
    """``seen``: the version that whoever fills it in has seen; None: the one in force."""
    there = seen_by(visitor.caller, session, tenant, visitor.now)
    own = None if current is None else current.id
    return page(
        request,
        visitor,
        "budget_form.html",
        title="New budget" if current is None else f"Change {current.terms.name}",
        status=409 if meanwhile else 422 if refused else 200,
        tables={} if found is None else found.tables,
        typed=typed,
        budget=current,
        version=current.version if current and seen is None else seen,
        meanwhile=meanwhile,
        refused=refused,
        found=found,
        dimensions=DIMENSIONS,
        nothing=NONE,
        periods=KINDS,
        currencies=sorted(CODES),
        parents=sorted(each[0].terms.name for each in there.live.values() if each[0].id != own),
        channels=sorted(there.channels.values()),
        to_come=None if own is None else there.to_come(own),
    )


def _meanwhile(session: Session, tenant: int, visitor: Visitor, current: Budget, seen: str) -> str:
    """What a budget says otherwise than the version that somebody saw."""
    known = {
        f"{each.version}": each
        for each in budgets.versions(session, tenant, current.id)
        if visible(each, visitor.caller)
    }
    there = seen_by(visitor.caller, session, tenant, visitor.now)
    changed = "; ".join(changes(current, known.get(seen), there))
    return f"Meanwhile version {current.version} was said: {changed}."


def _why(refused: Exception) -> _Refused:
    if isinstance(refused, TermsRefused):
        field = "filter" if refused.field.startswith("filter.") else refused.field
        said_of = refused.field.removeprefix("filter.") + ": " if field != refused.field else ""
        return _Refused(field, f"{said_of}{refused}")
    return _Refused("name" if isinstance(refused, budgets.NameTaken) else "", str(refused))


def _to(request: Request, budget_id: int, done: str) -> Response:
    return go_to(request, f"/budgets/{budget_id}", done=done)
