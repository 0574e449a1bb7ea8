"""The price book: what a million units of each meter cost, by model, in force and known when."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from markupsafe import Markup
from pydantic import Field
from sqlalchemy.orm import Session

from api.dependencies import Reading, Tenant
from api.instants import Instant
from api.pages.asked import PageAsked, Text
from api.pages.links import here
from api.pages.prices.model_list import address
from api.pages.prices.price_tabs import price_tabs
from api.pages.prices.price_words import ALWAYS, BOOKS, METERS, holds_for, meter_name, said_by, term
from api.pages.shell import page
from api.pages.tables import Cell, Column, Held, Table
from api.pages.visitor import Visiting, Visitor
from reports.charts.palette import hue_of, shown_name
from spend.prices.prices import PriceLine, wanted
from store import parties
from store.prices import listings, price_pages
from store.prices.books import Pair

router = APIRouter(include_in_schema=False)

MODELS_SHOWN: Final = 100
_PIVOTED: Final = ("input", "cache_read", "cache_write", "output")
"""Meters with a column of their own; the others stand together."""
_WRITES: Final = {"cache_write_5m": "cache_write"}
"""A meter that takes the column of another one, where that has no price."""


class BookAsked(PageAsked):
    """Which lines of the book."""

    search: Annotated[Text | None, Field(description="Parts of provider and model.")] = None
    meter: Annotated[Text | None, Field(description="Lines of this meter only.")] = None
    book: Literal["contract", "list", "supplement"] | None = None
    of: Literal["called", "all"] = "called"
    at: Annotated[Instant | None, Field(description="In force then. Default: now.")] = None
    known_at: Annotated[Instant | None, Field(description="As it was known then.")] = None
    after_provider: Text = ""
    after_model: Text = ""


@router.get("/prices")
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    query: Annotated[BookAsked, Query()],
) -> Response:
    """The lines in force at a moment, a row for each model and place that a price is for."""
    visitor.whole_ledger()
    pairs = called_pairs(session, tenant) if query.of == "called" else None
    at = (query.at or visitor.now).astimezone(UTC)
    found = price_pages.lines_by_model(
        session,
        tenant,
        words=(query.search or "").split(),
        meter=query.meter,
        book=query.book,
        pairs=pairs,
        at=at,
        known_at=query.known_at and query.known_at.astimezone(UTC),
        after=(query.after_provider, query.after_model),
        at_most=MODELS_SHOWN + 1,
    )
    models = list(dict.fromkeys((line.provider, line.model) for line in found))
    more = len(models) > MODELS_SHOWN
    shown = set(models[:MODELS_SHOWN])
    lines = [line for line in found if (line.provider, line.model) in shown]
    last = models[MODELS_SHOWN - 1] if more else None
    return page(
        request,
        visitor,
        "price_book.html",
        title="Prices",
        tables={"prices": _table(request, visitor, lines)},
        tabs=price_tabs(request, "/prices"),
        query=query,
        at=at,
        asked_at=request.query_params.get("at", ""),
        asked_known=request.query_params.get("known_at", ""),
        meters=[("", "all"), *METERS.items()],
        books=[("", "all"), *BOOKS.items()],
        next=last and here(request, after_provider=last[0], after_model=last[1]),
        later=bool(query.after_provider),
        nothing_called=pairs is not None and not pairs,
    )


def called_pairs(session: Session, tenant: int) -> set[Pair]:
    """What can price whatever was called."""
    routes = parties.routes_of(session, tenant).values()
    return wanted(routes, listings.names(session, tenant))


@dataclass(slots=True)
class _Row:
    """Lines that hold for the same, of one book and since the same moment."""

    line: PriceLine
    prices: dict[str, PriceLine] = field(default_factory=dict)


def _rows(lines: Sequence[PriceLine]) -> list[_Row]:
    rows: dict[tuple[Any, ...], _Row] = {}
    for line in lines:
        place = (line.region, line.service_tier, line.above_tokens, line.above_monthly)
        term = (line.valid_from, line.valid_to, line.currency, line.source)
        key = (line.provider, line.model, line.book, *place, *term)
        rows.setdefault(key, _Row(line)).prices[line.meter] = line
    return list(rows.values())


_COLUMNS: Final = (
    Column("model", "Model"),
    Column("provider", "Provider", shown=False),
    Column("holds_for", "Holds for", shown=False),
    Column("input", "Input", "unit_price", "For 1,000,000 tokens."),
    Column("cache_read", "Cache read", "unit_price", narrow=False),
    Column("cache_write", "Cache write", "unit_price", narrow=False),
    Column("output", "Output", "unit_price"),
    Column("others", "Other meters", narrow=False),
    Column("currency", "Currency", shown=False),
    Column("book", "Book", narrow=False),
    Column("valid", "Valid", narrow=False, csv=False),
    Column("source", "Source", shown=False),
    Column("reference", "Reference", shown=False),
    Column("entered_by", "Entered by", shown=False),
    Column("valid_from", "Valid from", "when", shown=False),
    Column("valid_to", "Valid to", "when", shown=False),
)


def _table(request: Request, visitor: Visitor, lines: Sequence[PriceLine]) -> Table:
    rows = _rows(lines)
    before = [None, *((each.line.provider, each.line.model) for each in rows)]
    return Table(
        _COLUMNS,
        [
            _row(request, visitor, each, again=(each.line.provider, each.line.model) == last)
            for each, last in zip(rows, before, strict=False)
        ],
        "For 1,000,000 units",
        file="prices",
        empty="No price line fits.",
    )


def _row(request: Request, visitor: Visitor, row: _Row, *, again: bool) -> dict[str, Held | Cell]:
    line = row.line
    pivoted = dict(row.prices)
    for meter, column in _WRITES.items():
        if meter in pivoted and column not in pivoted:
            pivoted[column] = pivoted.pop(meter)
    told: dict[str, Held | Cell] = {
        name: Cell(pivoted[name].unit_price, currency=line.currency) if name in pivoted else None
        for name in _PIVOTED
    }
    rest = [each for name, each in pivoted.items() if name not in _PIVOTED]
    others = "; ".join(
        f"{meter_name(each.meter)} {visitor.formats.unit_price(each.unit_price, each.currency)}"
        for each in sorted(rest, key=lambda each: each.meter)
    )
    exact = "; ".join(f"{each.meter}={each.unit_price}" for each in rest)
    holds = holds_for(line)
    valid = term(line.valid_from, line.valid_to, visitor.formats)
    href = address(request, line.provider, line.model)
    return {
        "model": _model(line, holds, href, again=again),
        "provider": line.provider,
        "holds_for": holds,
        **told,
        "others": Cell(exact, show=others),
        "currency": line.currency,
        "book": Cell(line.book, show=BOOKS.get(line.book, line.book), note=said_by(line)),
        "valid": Cell(valid, tone="quiet" if valid == ALWAYS else ""),
        "source": line.source,
        "reference": line.reference,
        "entered_by": line.entered_by,
        "valid_from": line.valid_from,
        "valid_to": line.valid_to,
    }


def _model(line: PriceLine, holds: str, href: str | None, *, again: bool) -> Cell:
    """Of the lines of a model the first has its name, the others what they hold for alone."""
    if again:
        name = Markup('<span class="unseen">{} </span>{}').format(line.model, holds or "everything")
        return Cell(line.model, href=href, show=name, tone="again")
    note = ", ".join(part for part in (shown_name(line.provider), holds) if part)
    return Cell(line.model, href=href, colour=hue_of(line.provider), note=note)
