"""The prices of one model: those in force, over time, and every line that was ever known."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from api.pages.charts import Chart, Legend
from api.pages.formats import Formats
from api.pages.prices.price_words import BOOKS, ORDER, holds_for, meter_name, percent, said_by, term
from api.pages.tables import Cell, Column, Held, Table
from reports.charts.price_chart import Steps, price_steps
from spend.calls import Route
from spend.prices.bands import EDGES
from spend.prices.prices import PriceLine, tier_of
from spend.prices.rating import EMBEDDINGS, Rate, rates
from store.prices.model_prices import ModelPrices

_DRAWN: Final = ("output", "input", "cache_write", "cache_write_5m", "cache_write_1h", "cache_read")
_YEAR: Final = timedelta(days=365)
_MONTH: Final = timedelta(days=30)


def in_force(known: ModelPrices, pair: tuple[str, str], now: datetime) -> list[tuple[str, Rate]]:
    """What calls are charged now: each meter with its rate, once for each that differs."""
    bands = {0} | {EDGES.index(each.above_tokens) + 1 for each in known.lines if each.above_tokens}
    found: dict[tuple[str, object, object, object], tuple[str, Rate]] = {}
    for route in _kinds(known, pair):
        for band in sorted(bands):
            for meter, rate in rates(known.book, route, band=band, at=now).lines.items():
                for step in rate.steps or (rate,):
                    key = (meter, step.price.id, step.uplift, step.discount)
                    found.setdefault(key, (meter, step))
    return sorted(found.values(), key=_place)


def _place(each: tuple[str, Rate]) -> tuple[object, ...]:
    meter, rate = each
    line = rate.price
    place = (line.region, line.service_tier, line.above_tokens, line.above_monthly)
    return (ORDER.get(meter, len(ORDER)), *place, rate.unit_price)


def _kinds(known: ModelPrices, pair: tuple[str, str]) -> list[Route]:
    """A route for each that a price can depend on, the most ordinary one first."""
    kinds = {
        (
            each.operation if each.operation == EMBEDDINGS else None,
            each.deployment,
            each.region,
            tier_of(each.service_tier) or None,
        )
        for each in known.routes
    } or {(None, "api", None, None)}
    return [
        Route(*pair, operation=kind[0], deployment=kind[1], region=kind[2], service_tier=kind[3])
        for kind in sorted(kinds, key=_most_ordinary_first)
    ]


def _most_ordinary_first(kind: tuple[str | None, ...]) -> list[tuple[bool, str]]:
    return [(part is not None, part or "") for part in kind]


_FORCE: Final = (
    Column("meter", "Meter"),
    Column("holds_for", "Holds for", narrow=False),
    Column("unit_price", "Paid for 1 M", "unit_price", "What a million units are charged."),
    Column("list_price", "List price", "unit_price", narrow=False),
    Column("off", "Discount", narrow=False),
    Column("book", "Book", narrow=False),
    Column("valid", "Valid", narrow=False, csv=False),
    Column("valid_from", "Valid from", "when", shown=False),
    Column("valid_to", "Valid to", "when", shown=False),
)


def force_table(
    held: list[tuple[str, Rate]], used: Mapping[str, int], told: Formats, file: str
) -> Table:
    """What is charged now; meters that fall back on another's price only where they were used."""
    rows: list[dict[str, Held | Cell]] = [
        _force_row(meter, rate, told)
        for meter, rate in held
        if rate.price.meter == meter or used.get(meter)
    ]
    return Table(
        _FORCE,
        rows,
        "Prices in force",
        file=f"prices-{file}",
        empty="No price holds for it now.",
    )


def _force_row(meter: str, rate: Rate, told: Formats) -> dict[str, Held | Cell]:
    line = rate.price
    code = line.currency
    apart = meter != line.meter
    changes = [each for each in (rate.uplift, rate.discount) if each is not None]
    return {
        "meter": Cell(
            meter,
            show=meter_name(meter),
            note=f"as {meter_name(line.meter).lower()}" if apart else None,
        ),
        "holds_for": Cell(holds_for(line), show=holds_for(line) or "everything"),
        "unit_price": Cell(rate.unit_price, currency=code),
        "list_price": Cell(rate.list_unit_price, currency=code),
        "off": Cell(", ".join(percent(each) for each in changes), tone="good" if changes else ""),
        "book": _book(line),
        "valid": term(line.valid_from, line.valid_to, told),
        "valid_from": line.valid_from,
        "valid_to": line.valid_to,
    }


def _book(line: PriceLine) -> Cell:
    return Cell(line.book, show=BOOKS.get(line.book, line.book), note=said_by(line))


_HISTORY: Final = (
    Column("meter", "Meter"),
    Column("holds_for", "Holds for"),
    Column("unit_price", "For 1 M", "unit_price"),
    Column("state", "State"),
    Column("valid", "Valid", hint="For calls of that time.", narrow=False, csv=False),
    Column("known", "Known", hint="When the book said so.", narrow=False, csv=False),
    Column("valid_from", "Valid from", "when", shown=False),
    Column("valid_to", "Valid to", "when", shown=False),
    Column("known_from", "Known from", "when", shown=False),
    Column("known_to", "Known to", "when", shown=False),
    Column("currency", "Currency", shown=False),
    Column("book", "Book", shown=False),
    Column("listed_provider", "Listed provider", shown=False),
    Column("listed_model", "Listed model", shown=False),
    Column("source", "Source", shown=False),
    Column("reference", "Reference", shown=False),
    Column("entered_by", "Entered by", shown=False),
)


def history_table(
    known: ModelPrices, held: list[tuple[str, Rate]], now: datetime, told: Formats, file: str
) -> Table:
    """Every line that can price it, also those that are no longer believed."""
    used = {rate.price.id for _meter, rate in held}
    rows = [
        _history_row(line, _state(line, used, now), told) for line in sorted(known.lines, key=_age)
    ]
    return Table(
        _HISTORY,
        rows,
        "Every price that was ever known",
        file=f"price-history-{file}",
        empty="The book has never had a price of it.",
    )


def _age(line: PriceLine) -> tuple[object, ...]:
    known_from = line.known_from.timestamp() if line.known_from else 0
    return (
        ORDER.get(line.meter, len(ORDER)),
        line.region,
        line.service_tier,
        line.above_tokens,
        line.above_monthly,
        -line.valid_from.timestamp(),
        -known_from,
    )


def _history_row(line: PriceLine, state: tuple[str, str], told: Formats) -> dict[str, Held | Cell]:
    return {
        "meter": Cell(line.meter, show=meter_name(line.meter)),
        "holds_for": Cell(holds_for(line), show=holds_for(line) or "everything"),
        "unit_price": Cell(line.unit_price, currency=line.currency),
        "state": Cell(state[0], tone=state[1], note=_of_book(line)),
        "valid": term(line.valid_from, line.valid_to, told),
        "known": term(line.known_from, line.known_to, told),
        "valid_from": line.valid_from,
        "valid_to": line.valid_to,
        "known_from": line.known_from,
        "known_to": line.known_to,
        "currency": line.currency,
        "book": line.book,
        "listed_provider": line.provider,
        "listed_model": line.model,
        "source": line.source,
        "reference": line.reference,
        "entered_by": line.entered_by,
    }


def _of_book(line: PriceLine) -> str | None:
    """The book, and who says so; None: the list that we ship."""
    said = said_by(line)
    return f"{BOOKS.get(line.book, line.book)}: {said}" if said else None


def _state(line: PriceLine, used: set[int | None], now: datetime) -> tuple[str, str]:
    if line.known_to is not None:
        return "superseded", "quiet"
    if line.valid_to is not None and line.valid_to <= now:
        return "ended", "quiet"
    if line.valid_from > now:
        return "to come", "warn"
    return ("charged", "good") if line.id in used else ("not used", "quiet")


def price_chart(
    known: ModelPrices, pair: tuple[str, str], now: datetime, name: str
) -> Chart | None:
    """What a million units came to, as it is known today; None: nothing changed in a year."""
    route = _kinds(known, pair)[0]
    last = max((each.valid_from for each in known.lines if each.known(None)), default=now)
    ends = max(now, last + _MONTH)
    starts = now - _YEAR
    moments = [starts, *(each for each in _changes(known) if starts < each < ends)]
    steps: dict[str, list[tuple[datetime, Decimal | None]]] = {}
    currency = ""
    for at in moments:
        its = rates(known.book, route, band=0, at=at).lines
        for meter in _DRAWN:
            rate = its.get(meter)
            if rate is not None and rate.price.meter == meter:
                currency = currency or rate.price.currency
            price = rate.unit_price if rate and rate.price.meter == meter else None
            points = steps.setdefault(meter, [])
            if not points or points[-1][1] != price:
                points.append((at, price))
    lines = [
        Steps(meter, points)
        for meter, points in steps.items()
        if any(price is not None for _at, price in points)
    ]
    if not any(len(line.prices) > 1 for line in lines):
        return None
    lines.sort(key=lambda line: -(line.prices[-1][1] or Decimal(0)))
    legend = tuple(Legend(meter_name(line.meter), line.colour) for line in lines)
    title = f"What a million units of {name} cost, as steps over the last year"
    return Chart(price_steps(lines, ends=ends, currency=currency), title, legend)


def _changes(known: ModelPrices) -> Iterator[datetime]:
    terms = [(each.valid_from, each.valid_to) for each in known.lines if each.known(None)]
    terms += [(each.valid_from, each.valid_to) for each in known.discounts if each.known(None)]
    return iter(sorted({moment for term in terms for moment in term if moment is not None}))
