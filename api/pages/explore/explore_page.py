"""/explore: spend by anything, over any time, compared: bars, a table, files, saved views."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from api.auth import Saving
from api.dependencies import Reading, Tenant, Writing
from api.pages.explore.explore_answer import (
    CUTS,
    MEASURES,
    NO_COLUMNS,
    ExploreAsked,
    Explored,
    explored,
    rows_of,
)
from api.pages.explore.explore_chart import chart_of, told_of
from api.pages.explore.explore_links import Drill
from api.pages.explore.explore_tables import column_labels, groups_table, pivot_table, signed
from api.pages.explore.filters import (
    TITLES,
    UNTIMED,
    as_addressed,
    chips,
    choices,
    days_between,
    ranges,
    span,
)
from api.pages.formats import Formats
from api.pages.forms import Fields, Sent, one
from api.pages.links import go_to, here
from api.pages.shell import page
from api.pages.tables import Table
from api.pages.visitor import Visiting, Visitor
from api.problems import Problem
from spend.periods import local_day
from store import saved_views
from store.breakdowns.dimensions import DIMENSIONS, TIMED
from store.completeness import complete_until
from store.intake.first_heard import anything_counted
from store.spending.seen_values import seen_values

router = APIRouter(include_in_schema=False)

PLACE: Final = "/explore"
MOST_GROUPINGS: Final = 3
LONGEST_NAME: Final = 80
_COMPARED: Final = (
    ("before", "Time before"),
    ("month", "Month earlier"),
    ("year", "Year earlier"),
    ("none", "Nothing"),
)

Asking = Annotated[ExploreAsked, Query()]
ViewId = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.get(PLACE)
def show(
    request: Request, session: Reading, tenant: Tenant, visitor: Visiting, query: Asking
) -> Response:
    """What was spent, as asked; a form's answer is sent to its address."""
    return as_addressed(request, query) or _page(request, session, tenant, visitor, query)


@router.post(PLACE)
def save(
    request: Request,
    session: Writing,
    tenant: Tenant,
    visitor: Visiting,
    who: Saving,
    fields: Sent,
    query: Asking,
) -> Response:
    """Saves the address that the form was on, under a name."""
    asked = here(request, done=None).partition("?")[2]
    try:
        name = _name(fields)
        saved_views.save(
            session, tenant, name=name, asked=asked, by=who.name or "", now=visitor.now
        )
    except (saved_views.NameTaken, saved_views.TooManyViews, ValueError) as refused:
        told = {"name": one(fields, "name"), "problem": str(refused)}
        return _page(request, session, tenant, visitor, query, refused=told)
    return RedirectResponse(here(request, done="saved"), status_code=303)


@router.post(PLACE + "/views/{view_id}/remove")
def remove(
    request: Request, session: Writing, tenant: Tenant, _who: Saving, _fields: Sent, view_id: ViewId
) -> Response:
    """Removes a saved view, of whom ever it was."""
    saved_views.remove(session, tenant, view_id)
    return go_to(request, PLACE, done="removed")


def _name(fields: Fields) -> str:
    """ValueError with what is wrong with it."""
    name = " ".join(one(fields, "name").split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise ValueError(f"A name has 1 to {LONGEST_NAME} characters, all of them visible.")
    return name


def _page(
    request: Request,
    session: Session,
    tenant: int,
    visitor: Visitor,
    query: ExploreAsked,
    *,
    refused: Mapping[str, str] | None = None,
) -> Response:
    seen: Mapping[str, tuple[str | None, ...]] = {}
    found, problem = None, None
    try:
        found = explored(request, session, tenant, visitor, query)
        seen = seen_values(session, found.asked.question, tenant)
    except Problem as wrong:
        if wrong.status != 422:  # noqa: PLR2004 - mistakes are told beside the form
            raise
        problem = wrong.detail
    told: dict[str, Any] = {}
    tables: dict[str, Table] = {}
    if found is not None:
        told, tables = _answer(request, visitor, query, found, seen)
    return page(
        request,
        visitor,
        "explore.html",
        title="Explore",
        tables=tables,
        status=422 if problem or refused else 200,
        found=found,
        problem=problem,
        refused=refused,
        query=query,
        views=_views(request, session, tenant),
        complete=complete_until(session),
        never=found is not None and not found.pivot.lines and not anything_counted(session, tenant),
        clear=here(request, **dict.fromkeys(DIMENSIONS)),
        choices=choices(seen, _filters(query, found)),
        chips=chips(request, _filters(query, found)),
        **_form(request, query, found),
        **told,
    )


def _answer(
    request: Request,
    visitor: Visitor,
    query: ExploreAsked,
    found: Explored,
    seen: Mapping[str, tuple[str | None, ...]],
) -> tuple[dict[str, Any], dict[str, Table]]:
    formats = visitor.formats
    drill = Drill(request, found, seen)
    whole = query.csv is not None
    tables = {
        "table": pivot_table(found, formats, drill, sort=query.sort, whole=whole),
        # Tens of thousands of lines: made for the file alone.
        "groups": groups_table(found) if query.csv == "groups" else Table((), (), "Groups"),
    }
    if whole:
        return {}, tables
    labels = column_labels(found, formats)
    total = found.pivot.total
    span_before = span(visitor, found.before) if found.before else None
    return {
        "chart": chart_of(
            found,
            formats,
            labels,
            drill.deeper,
            today=local_day(visitor.now, visitor.zone),
        ),
        "total": total,
        "in_short": told_of(found, formats, total.total),
        "names": _cards(found, formats, span_before),
        "span": span(visitor, found.asked.question.period),
        "span_before": span_before,
        "has_before": total.before is not None,
        "calls_behind": drill.calls(),
        "elsewhere": _elsewhere(found),
    }, tables


def _cards(found: Explored, told: Formats, span_before: str | None) -> dict[str, Any]:
    """The figures at the top, with what they were before."""
    total, before = found.pivot.total.total, found.pivot.total.before
    value, earlier = found.value(total), found.value(before)
    others = []
    if before is not None:
        others.append(("Before", told_of(found, told, before), span_before or ""))
    if not found.is_money:
        amount = _change(total.cost, None if before is None else before.cost, told)
        others.append((MEASURES["cost"], told.rounded(total.cost, found.conversion.to), amount))
    for name in ("calls", "tokens"):
        if name != found.measure:
            count: int = getattr(total, name)
            was: int | None = None if before is None else getattr(before, name)
            others.append((MEASURES[name], told.short(count), _change(count, was, told)))
    return {
        "measure": MEASURES[found.measure],
        "change": _change(value, earlier, told),
        "exact": "" if value is None else f"{value:f}",
        "others": others,
    }


def _change(value: Decimal | int | None, before: Decimal | int | None, told: Formats) -> str:
    """By how much more or less, in words."""
    if not before or before < 0 or value is None:
        return ""
    share = (Decimal(value) - Decimal(before)) / Decimal(before)
    return f"{signed(share, told.percent(share))} on the time before"


def _filters(query: ExploreAsked, found: Explored | None) -> Mapping[str, tuple[str, ...]]:
    if found is not None:
        return found.asked.question.filters
    return {name: tuple(getattr(query, name)) for name in DIMENSIONS if getattr(query, name)}


def _views(request: Request, session: Session, tenant: int) -> list[dict[str, Any]]:
    now = here(request, done=None, csv=None).partition("?")[2]
    return [
        {
            "id": view.id,
            "name": view.name,
            "href": f"{PLACE}?{view.asked}" if view.asked else PLACE,
            "is_here": view.asked == now,
        }
        for view in saved_views.views(session, tenant)
    ]


def _form(request: Request, query: ExploreAsked, found: Explored | None) -> dict[str, Any]:
    """What the fields of the form offer, and what is chosen in them."""
    rows = list(found.rows) if found else rows_of(request, query)
    dimensions = [("", "Nothing"), *UNTIMED, *((name, TITLES[name]) for name in TIMED)]
    columns = [("", "Time"), *((cut, f"Time by {cut}") for cut in CUTS)]
    columns += [(NO_COLUMNS, "Sums alone"), *UNTIMED]
    range_name = found.range_name if found else query.range
    return {
        "ranges": ranges(request, range_name),
        "range_name": range_name,
        "days": found and days_between(found.asked.question.period, found.asked.question.zone),
        "groupings": [*rows, *[""] * MOST_GROUPINGS][: max(MOST_GROUPINGS, len(rows))],
        "dimensions": dimensions,
        "untimed": UNTIMED,
        "columns_offered": columns,
        "compared_with": _COMPARED,
        "measures": list(MEASURES.items()),
    }


def _elsewhere(found: Explored) -> list[tuple[str, Decimal | int | None]]:
    """What no rate is for, by currency: it is in no amount of the page."""
    if not found.is_money:
        return []
    return [(currency, found.value(each.total.total)) for currency, each in found.elsewhere.items()]
