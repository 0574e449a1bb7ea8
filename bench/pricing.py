"""How many calls are priced in a second of one core: the charge job's own step, a row a call.

Calls of a month of chat, agents and batches: twelve models with prices of four kinds (a contract
with context tiers, a list with a surcharge and a discount, a list with service tiers, one that
falls back for its caches), some unpriced. Every call is a cell of its own, so nothing is added up
before it is multiplied. Made up, with the proportions of real traffic; the same in every run.
"""

import statistics
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

import numpy as np
import pandas as pd

from bench.table import Row
from jobs.charging.rate_cells import Cells, Column, Prices, Rated, microseconds, rate
from spend.calls import Route
from spend.meters import INPUTS, METER_NAMES
from spend.prices.bands import EDGES
from spend.prices.discounts import DISCOUNT, UPLIFT, Discount, Discounts
from spend.prices.prices import CONTRACT, LIST, PriceBook, PriceLine

CALLS: Final = 1_000_000
GOAL: Final = 1_000_000
"""Calls a second."""
MODELS: Final = 12

_TURNS: Final = 5
_START: Final = datetime(2026, 10, 1, tzinfo=UTC)
_SLOT: Final = timedelta(minutes=15)
_SLOTS: Final = 31 * 24 * 4
_TIERS: Final = (None, "batch", "flex")
_REGIONS: Final = (None, "eu")


def measure() -> list[Row]:
    """Calls priced in a second of CPU time, the median of some turns."""
    cells = _calls()
    routes, book = _routes(), _book()
    taken = []
    for _turn in range(_TURNS):
        prices = Prices(book, routes)  # Nothing is remembered from the turn before.
        began = time.process_time()
        rated = rate(cells, prices)
        taken.append(time.process_time() - began)
    lines = sum(len(each) for each in rated.lines.values())
    return [
        Row(
            "pricing",
            "calls priced a second, one core",
            CALLS / statistics.median(taken),
            "calls/s",
            f"{CALLS:,} calls, {lines:,} lines, {_unpriced(rated):,} unpriced in"
            f" {statistics.median(taken):.2f} s of CPU",
            at_least=GOAL,
            details={"slowest_seconds": max(taken), "fastest_seconds": min(taken)},
        )
    ]


def _unpriced(rated: Rated) -> int:
    return int(rated.unpriced["calls"].sum())


def _routes() -> dict[int, Route]:
    return {
        1 + number: Route(
            provider="acme",
            model=f"model-{number % MODELS}",
            operation="chat",
            deployment="api",
            service_tier=_TIERS[number // MODELS % len(_TIERS)],
            region=_REGIONS[number // (MODELS * len(_TIERS))],
        )
        for number in range(MODELS * len(_TIERS) * len(_REGIONS))
    }


def _some(dice: np.random.Generator, share: float, counts: Column | int) -> Column:
    """The counts of a share of the calls; 0 of the others."""
    return np.where(dice.random(CALLS) < share, counts, 0)


def _calls() -> Cells:
    dice = np.random.default_rng(5)
    usage = dict.fromkeys(METER_NAMES, np.zeros(CALLS, dtype=np.int64))
    size = np.minimum(dice.lognormal(7.5, 1.6, CALLS), 900_000).astype(np.int64)
    cached = _some(dice, 0.4, size * dice.integers(1, 9, CALLS) // 10)
    output = np.minimum(dice.lognormal(5.5, 1.1, CALLS), 60_000).astype(np.int64)
    usage["input"], usage["cache_read"], usage["output"] = size - cached, cached, output + 1
    usage["cache_write_5m"] = _some(dice, 0.1, cached // 3)
    usage["reasoning"] = _some(dice, 0.3, output // 2)
    usage["output_audio"] = _some(dice, 0.02, output // 2)
    usage["tool_calls"] = _some(dice, 0.05, 1)
    prompt = np.sum([usage[name] for name in INPUTS], axis=0)
    slot = np.sort(dice.integers(0, _SLOTS, CALLS))
    columns = {
        "slot": microseconds(_START) + slot * (_SLOT // timedelta(microseconds=1)),
        # Each call a cell of its own.
        "owner_id": np.arange(CALLS, dtype=np.int64),
        "route_id": dice.integers(1, 1 + len(_routes()), CALLS),
        "band": np.searchsorted(np.array(EDGES), prompt),
        "outcome": _some(dice, 0.02, 1),
        "calls": np.ones(CALLS, dtype=np.int64),
        "unmetered_calls": np.zeros(CALLS, dtype=np.int64),
        **usage,
    }
    return pd.DataFrame(columns)


def _book() -> PriceBook:
    lines = [line for number in range(MODELS - 1) for line in _lines(number)]
    percents = [
        Discount(UPLIFT, "acme", "*", Decimal("7.5"), _START, region="eu"),
        Discount(DISCOUNT, "acme", "model-1*", Decimal("12.5"), _START),
    ]
    return PriceBook(lines, {}, Discounts(percents))


def _lines(number: int) -> list[PriceLine]:
    """A model's prices; the last model has none."""
    changes = _START + timedelta(days=10 + number)
    has_contract, has_tiers, has_no_cache = (number % 4 == kind for kind in range(3))
    book = CONTRACT if has_contract else LIST
    text = Decimal(number + 1) / 4
    lines = [
        _line(book, number, "input", text, valid_to=changes),
        _line(book, number, "input", text * 2, valid_from=changes),
        _line(book, number, "output", text * 4),
    ]
    if has_contract:
        lines.append(_line(book, number, "input", text * 2, above_tokens=200_000))
        lines.append(_line(book, number, "output_audio", text * 40))
        lines.append(_line(book, number, "tool_calls", Decimal(10_000)))
    elif has_tiers:
        lines.append(_line(book, number, "input", text / 2, service_tier="batch"))
        lines.append(_line(book, number, "output", text * 2, service_tier="batch"))
    if not has_no_cache:
        lines.append(_line(book, number, "cache_read", text / 8))
    return lines


def _line(book: str, number: int, meter: str, unit_price: Decimal, **others: object) -> PriceLine:
    return PriceLine(
        **{
            "book": book,
            "provider": "acme",
            "model": f"model-{number}",
            "meter": meter,
            "unit_price": unit_price,
            "currency": "USD",
            "valid_from": _START,
            **others,
        }  # type: ignore[arg-type]  # fields by name
    )
