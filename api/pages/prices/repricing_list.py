"""Re-pricings: charged time, priced again by what is known now; tried out first, then booked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import Field, TypeAdapter, ValidationError

from api.auth import Booking
from api.dependencies import Reading, Tenant, Writing
from api.instants import Instant
from api.pages.asked import PageAsked
from api.pages.formats import Formats
from api.pages.forms import Sent, one
from api.pages.links import elsewhere, go_to, here
from api.pages.prices.price_tabs import price_tabs
from api.pages.prices.price_words import term
from api.pages.shell import page
from api.pages.tables import Cell, Column, Held, Table
from api.pages.visitor import Visiting, Visitor
from api.problems import Problem
from reports.charts.palette import hue_of, shown_name
from spend.prices.repricings import (
    NO_DIFFERENCE,
    Difference,
    Repricing,
    RepricingRefusedError,
    booked_from,
    check_range,
    slot_after,
)
from store import closing
from store.prices import repricings
from store.prices.repricings import Named

router = APIRouter(include_in_schema=False)

PLACE: Final = "/prices/repricings"
MOST: Final = 50
LONGEST_NOTE: Final = 1000
_MOMENT: Final[TypeAdapter[datetime]] = TypeAdapter(Instant)


class RepricingsAsked(PageAsked):
    """Which of them."""

    before: Annotated[int | None, Field(ge=1, le=2**63 - 1)] = None


@dataclass(frozen=True, slots=True)
class Wish:
    """A re-pricing as somebody fills it in."""

    starts: str
    ends: str
    note: str
    problems: dict[str, str] = field(default_factory=dict)

    def bounds(self, now: datetime) -> tuple[datetime, datetime] | None:
        """The time, UTC; None where it is wrong, which is then said in ``problems``."""
        starts, ends = self._moment("from", self.starts), self._moment("to", self.ends)
        if len(self.note) > LONGEST_NOTE:
            self.problems["note"] = f"is longer than {LONGEST_NOTE} characters"
        if self.starts == "":
            self.problems["from"] = "is missing"
        if self.problems or starts is None:
            return None
        ends = ends or slot_after(now)
        try:
            check_range(starts, ends, now=now)
        except RepricingRefusedError as refused:
            self.problems[refused.field] = refused.reason
            return None
        return starts, ends

    def _moment(self, name: str, text: str) -> datetime | None:
        if not text:
            return None
        try:
            return _MOMENT.validate_python(text).astimezone(UTC)
        except (ValidationError, OverflowError):
            self.problems[name] = "write a date such as 2026-10-01"
            return None


@router.get(PLACE)
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    query: Annotated[RepricingsAsked, Query()],
) -> Response:
    """What was asked for, the last one first, and a form to try one out."""
    visitor.whole_ledger()
    found = repricings.page(session, tenant, before=query.before, at_most=MOST + 1)
    first = visitor.now.astimezone(visitor.zone).replace(day=1)
    return _list(request, visitor, found, Wish(f"{first:%Y-%m-%d}", "", ""))


@router.post(PLACE)
def ask(
    request: Request,
    session: Writing,
    tenant: Tenant,
    visitor: Visiting,
    who: Booking,
    fields: Sent,
) -> Response:
    """Asks for one: dry unless it is said to be booked. The job ``reprice`` does it."""
    wish = Wish(one(fields, "from"), one(fields, "to"), one(fields, "note"))
    bounds = wish.bounds(visitor.now)
    if bounds is None:
        found = repricings.page(session, tenant, at_most=MOST + 1)
        return _list(request, visitor, found, wish)
    asked = repricings.request(
        session,
        tenant,
        *bounds,
        dry_run=one(fields, "step") != "book",
        now=visitor.now,
        requested_by=who.name,
        note=wish.note or None,
    )
    return go_to(request, f"{PLACE}/{asked.id}")


@router.get(f"{PLACE}/{{repricing_id}}")
def show_one(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    repricing_id: Annotated[int, Path(ge=1, le=2**63 - 1)],
    _query: Annotated[PageAsked, Query()],
) -> Response:
    """How far it has come, and what it makes different by team and by model."""
    visitor.whole_ledger()
    found = repricings.one(session, tenant, repricing_id)
    if found is None:
        raise Problem(404, "There is no such re-pricing", f"No re-pricing has id {repricing_id}.")
    different = repricings.differences(session, tenant, found.id)
    whole = NO_DIFFERENCE
    for each in different.values():
        whole = whole.plus(each)
    return page(
        request,
        visitor,
        "repricing.html",
        title=f"Re-pricing {found.id}",
        tables={
            "by_team": _differences(visitor, different, ("team",)),
            "by_model": _differences(visitor, different, ("model", "provider")),
        },
        tabs=price_tabs(request, PLACE),
        it=found,
        state=_state(found)[0],
        tone=_state(found)[1],
        whole=whole,
        booked_from=booked_from(found, closing.open_from(session, tenant)),
    )


def _list(request: Request, visitor: Visitor, found: list[Repricing], wish: Wish) -> Response:
    shown = found[:MOST]
    return page(
        request,
        visitor,
        "repricings.html",
        title="Re-pricings",
        status=422 if wish.problems else 200,
        tables={
            "repricings": Table(
                _COLUMNS,
                [_row(request, each, visitor.formats) for each in shown],
                "Asked for",
                file="repricings",
                empty="No time was priced again.",
            )
        },
        tabs=price_tabs(request, PLACE),
        wish=wish,
        next=here(request, before=shown[-1].id) if len(found) > MOST else None,
    )


_COLUMNS: Final = (
    Column("id", "Re-pricing"),
    Column("time", "Time", narrow=False, csv=False),
    Column("from", "From", "when", shown=False),
    Column("to", "To", "when", shown=False),
    Column("state", "State"),
    Column("note", "Why", narrow=False),
    Column("requested_by", "Asked for by", narrow=False),
    Column("requested_at", "At", "when", shown=False),
    Column("known_at", "By what was known", "when", shown=False),
    Column("changed_cells", "Cells with another cost", "number", shown=False),
    Column("lines", "Corrections", "number"),
)


def _row(request: Request, each: Repricing, told: Formats) -> dict[str, Held | Cell]:
    state, tone = _state(each)
    return {
        "id": Cell(each.id, href=elsewhere(request, f"{PLACE}/{each.id}"), show=f"#{each.id}"),
        "time": term(each.starts, each.ends, told),
        "from": each.starts,
        "to": each.ends,
        "state": Cell(state, tone=tone),
        "note": each.note,
        "requested_by": Cell(each.requested_by, note=told.when(each.requested_at)),
        "requested_at": each.requested_at,
        "known_at": each.known_at,
        "changed_cells": each.changed_cells,
        "lines": Cell(each.lines, note="not booked" if each.dry_run else None),
    }


def _state(each: Repricing) -> tuple[str, str]:
    """How far it is, in words, and their tone."""
    if each.finished_at is not None:
        return ("tried out", "quiet") if each.dry_run else ("booked", "good")
    if each.done_until > each.starts:
        share = (each.done_until - each.starts) / (each.ends - each.starts)
        return f"going on, {share:.0%}", "warn"
    return "waiting", "warn"


_PLACES: Final = {"team": 0, "provider": 1, "model": 2}
_TITLES: Final = {"team": "Team", "provider": "Provider", "model": "Model"}


def _differences(
    visitor: Visitor, different: Mapping[Named, Difference], by: tuple[str, ...]
) -> Table:
    found: dict[tuple[str | None, ...], Difference] = {}
    for name, each in different.items():
        key = tuple(name[_PLACES[part]] for part in by)
        found[key] = found.get(key, NO_DIFFERENCE).plus(each)
    ordered = sorted(found.items(), key=lambda each: (-abs(each[1].amount), str(each[0])))
    return Table(
        (
            *(Column(part, _TITLES[part], shown=part != "provider") for part in by),
            Column("before", "Before", "money", narrow=False),
            Column("after", "After", "money"),
            Column("difference", "Difference", "difference"),
            Column("unpriced_before", "Unpriced before", "number", narrow=False),
            Column("unpriced_after", "Unpriced after", "number", narrow=False),
        ),
        [dict(_words(key, by)) | _figures(each) for key, each in ordered],
        f"By {by[0]}",
        file=f"repricing-by-{by[0]}",
        currency=visitor.currency,
        total={by[0]: "Total", **_figures(_sum(found.values()))},
        empty="Nothing yet.",
    )


def _words(key: tuple[str | None, ...], by: tuple[str, ...]) -> Iterable[tuple[str, Held | Cell]]:
    told = dict(zip(by, key, strict=True))
    for part, value in told.items():
        if part == "model":
            provider = told["provider"]
            name = None if value else "not told"
            colour, note = hue_of(provider), shown_name(provider)
            yield part, Cell(value, show=name, colour=colour, note=note)
        else:
            yield part, value


def _sum(parts: Iterable[Difference]) -> Difference:
    whole = NO_DIFFERENCE
    for each in parts:
        whole = whole.plus(each)
    return whole


def _known(amount: Decimal, unpriced: int) -> Decimal | None:
    """Where none of the calls had a price, nothing is known of what they cost."""
    return amount if amount or not unpriced else None


def _figures(each: Difference) -> dict[str, Held | Cell]:
    return {
        "before": _known(each.before, each.unpriced_before),
        "after": _known(each.after, each.unpriced_after),
        "difference": each.amount,
        "unpriced_before": each.unpriced_before,
        "unpriced_after": each.unpriced_after,
    }
