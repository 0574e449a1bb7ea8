"""One step from a model without a price to its price: entered, looked at, saved.

The rules are those of POST /v1/prices (``spend/prices/price_files.py``), whose lines these correct.
Before they are saved the page shows what the waiting calls would come to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field, ValidationError
from sqlalchemy.orm import Session

from api.auth import Booking
from api.dependencies import Reading, Tenant, Writing
from api.pages.asked import PageAsked, Text
from api.pages.forms import Fields, Sent, one
from api.pages.links import go_to
from api.pages.prices.price_tabs import price_tabs
from api.pages.prices.price_words import METERS
from api.pages.prices.unpriced_models import looked_back
from api.pages.shell import page
from api.pages.tables import Cell, Column, Held, Table
from api.pages.visitor import Visiting, Visitor
from api.prices.prices import SOURCE
from api.problems import Problem
from reports.charts.palette import hue_of, shown_name
from spend.capacity.targets import TargetRefusedError, target_named
from spend.currencies.currencies import CODES
from spend.money import plain
from spend.prices.price_files import price_lines
from spend.prices.prices import PriceLine
from spend.prices.rating import rates
from spend.written_rows import Row, RowsRefusedError
from store.calls.waiting_cost import Waiting, waiting_cost
from store.prices import books
from store.prices.books import Pair
from store.prices.price_book import book_for
from store.prices.unpriced_by_days import UnpricedModel, unpriced_by_days

router = APIRouter(include_in_schema=False)

PLACE: Final = "/prices/unpriced/price"
DAYS: Final = "92"
"""Calls that wait are looked for so many days back."""
ALWAYS: Final = ("input", "cache_read", "cache_write", "output")
"""Meters that the form has whatever was used."""
_SHARED: Final = ("currency", "per", "valid_from", "reference")
"""Fields that stand once for all meters."""


class PricingAsked(PageAsked):
    """Which model, and whose prices to begin with."""

    provider: Annotated[Text, Field(min_length=1)]
    model: Annotated[Text, Field(min_length=1)]
    like: Annotated[Text | None, Field(description="provider/model, whose prices to copy.")] = None


@dataclass(frozen=True, slots=True)
class Draft:
    """Prices as somebody fills them in."""

    pair: Pair
    shared: Mapping[str, str]
    """Each of _SHARED."""
    prices: Mapping[str, str]
    """Meter -> what is written for it."""
    problems: dict[str, str] = field(default_factory=dict)
    """What is wrong, by field; ``prices`` for all of them."""

    def rows(self) -> list[Row]:
        """As rows of a request, in the order of the meters."""
        provider, model = self.pair
        said = {"provider": provider, "model": model}
        said |= {name: value for name, value in self.shared.items() if value}
        return [
            Row(place, {**said, "meter": meter, "unit_price": price})
            for place, (meter, price) in enumerate(self._written(), 1)
        ]

    def _written(self) -> list[tuple[str, str]]:
        return [(meter, price) for meter, price in self.prices.items() if price]

    def lines(self, entered_by: str | None) -> list[PriceLine]:
        """The price lines; none where something is wrong, which is then said in ``problems``."""
        written = self._written()
        if not written:
            self.problems["prices"] = "Enter the price of one meter at least."
            return []
        try:
            return price_lines(self.rows(), source=SOURCE, entered_by=entered_by)
        except RowsRefusedError as refused:
            for each in refused.refusals:
                if each.field in _SHARED:
                    self.problems.setdefault(each.field, each.reason)
                elif each.field in {"meter", "unit_price"}:
                    self.problems.setdefault(f"price_{written[each.line - 1][0]}", each.reason)
                else:
                    self.problems["prices"] = f"The {each.field} {each.reason}."
            return []


@router.get(PLACE)
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    query: Annotated[PricingAsked, Query()],
) -> Response:
    """The form, empty or with the prices of another model."""
    visitor.whole_ledger()
    pair = (query.provider, query.model)
    queued = _queued(session, tenant, visitor, pair)
    problems: dict[str, str] = {}
    prices: dict[str, str] = {}
    currency = visitor.currency
    if query.like:
        try:
            prices, currency = _like(session, tenant, visitor, query.like)
        except TargetRefusedError as refused:
            problems["like"] = str(refused)
    since = queued.first if queued else visitor.now.astimezone(UTC).date()
    shared = {
        "currency": currency,
        "per": "1000000",
        "valid_from": str(since),
        "reference": "",
    }
    draft = Draft(pair, shared, prices, problems)
    return _page(request, visitor, draft, queued, like=query.like or "")


@router.post(PLACE)
def enter(
    request: Request,
    session: Writing,
    tenant: Tenant,
    visitor: Visiting,
    who: Booking,
    fields: Sent,
) -> Response:
    """Looks at prices, or saves them."""
    pair = _named(fields)
    draft = Draft(
        pair,
        {name: one(fields, name) for name in _SHARED},
        {meter: one(fields, f"price_{meter}") for meter in METERS},
    )
    queued = _queued(session, tenant, visitor, pair)
    lines = draft.lines(who.name)
    if lines and one(fields, "step") == "save":
        try:
            # Refused it takes back all that it did; the page reads on.
            with session.begin_nested():
                books.enter_contract(session, tenant, lines, now=visitor.now)
        except books.PriceHeldError as held:
            draft.problems["prices"] = f"A price {held}: end that one where it came from."
        else:
            return go_to(request, "/prices/unpriced", done="priced")
    costs = None
    if lines and not draft.problems:
        question = visitor.question(looked_back(visitor.now, DAYS))
        costs = waiting_cost(session, question, tenant, pair, lines)
    return _page(request, visitor, draft, queued, costs=costs)


def _named(fields: Fields) -> Pair:
    try:
        asked = PricingAsked.model_validate(
            {"provider": one(fields, "provider"), "model": one(fields, "model")}
        )
    except ValidationError:
        detail = "Go there from the list of what has no price."
        raise Problem(422, "Which model?", detail, field="model") from None
    return asked.provider, asked.model


def _queued(session: Session, tenant: int, visitor: Visitor, pair: Pair) -> UnpricedModel | None:
    """What waits for a price of this model; None: nothing does."""
    found = unpriced_by_days(session, tenant, looked_back(visitor.now, DAYS))
    its = (each for each in found if (each.provider, each.model) == pair)
    return next((each for each in its if each.calls or each.tokens), None)


def _like(
    session: Session, tenant: int, visitor: Visitor, named: str
) -> tuple[dict[str, str], str]:
    """The prices of another model, as paid now, and their currency. TargetRefusedError."""
    target = target_named(named)
    book = book_for(session, tenant, [target.route])
    held = rates(book, target.route, band=0, at=visitor.now).lines
    own = {meter: rate for meter, rate in held.items() if rate.price.meter == meter}
    if not own:
        raise TargetRefusedError("The price book has no price of it.", target)
    currency = next(iter(own.values())).price.currency
    return {
        meter: plain(rate.unit_price)
        for meter, rate in own.items()
        if rate.price.currency == currency
    }, currency


def _page(
    request: Request,
    visitor: Visitor,
    draft: Draft,
    queued: UnpricedModel | None,
    *,
    costs: Mapping[str, Waiting] | None = None,
    like: str = "",
) -> Response:
    whole = Waiting()
    for each in (costs or {}).values():
        whole = whole.plus(each)
    shown = _meters(draft, queued)
    return page(
        request,
        visitor,
        "unpriced_price.html",
        title=draft.pair[1],
        status=422 if draft.problems else 200,
        tables={} if costs is None else {"waiting": _waiting(visitor, costs)},
        tabs=price_tabs(request, "/prices/unpriced"),
        draft=draft,
        provider_name=shown_name(draft.pair[0]),
        colour=hue_of(draft.pair[0]),
        queued=queued,
        meters=shown,
        more=[meter for meter in METERS if meter not in shown],
        names=METERS,
        used=_used(visitor, queued),
        currencies=[(code, code) for code in _currencies(visitor, draft)],
        costs=costs,
        whole=whole,
        like=like,
        days=DAYS,
    )


def _meters(draft: Draft, queued: UnpricedModel | None) -> list[str]:
    """Meters that the form shows at once: the usual ones, those used, those filled in."""
    used = queued.usage if queued else {}
    return [
        meter
        for meter in METERS
        if meter in ALWAYS
        or used.get(meter)
        or draft.prices.get(meter)
        or f"price_{meter}" in draft.problems
    ]


def _used(visitor: Visitor, queued: UnpricedModel | None) -> dict[str, str]:
    """How much of each meter waits, in words."""
    told = visitor.formats
    return (
        {meter: f"{told.short(units)} used" for meter, units in queued.usage.items() if units}
        if queued
        else {}
    )


def _currencies(visitor: Visitor, draft: Draft) -> Sequence[str]:
    """Every currency, the likely ones first."""
    first = [draft.shared["currency"], visitor.currency]
    return list(dict.fromkeys([code for code in first if code in CODES] + sorted(CODES)))


_WAITING: Final = (
    Column("team", "Team"),
    Column("calls", "Calls", "number"),
    Column("tokens", "Tokens", "short"),
    Column("cost", "Would cost", "money"),
    Column("unpriced", "Still unpriced", "number", narrow=False),
)


def _waiting(visitor: Visitor, costs: Mapping[str, Waiting]) -> Table:
    rows: list[dict[str, Held | Cell]] = [
        {
            "team": team,
            "calls": its.calls,
            "tokens": its.tokens,
            "cost": Cell(its.costs.get(currency), currency=currency),
            "unpriced": its.unpriced_calls,
        }
        for team, its in sorted(costs.items(), key=lambda each: -each[1].calls)
        for currency in its.costs or (visitor.currency,)
    ]
    return Table(
        _WAITING,
        rows,
        "What the waiting calls would cost",
        file="waiting-cost",
        currency=visitor.currency,
        empty="No call waits for this price now.",
    )
