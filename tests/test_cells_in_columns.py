"""Cells priced in columns of integers cost what the rules say of each one alone."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from priced_month import CONTRACTS, DISCOUNTS, LISTS, ROUTES, START

from jobs.charging.lacking import targets
from jobs.charging.rate_cells import Prices, frame, rate
from spend import money
from spend.calls import Outcome
from spend.meters import DISJOINT, METER_NAMES
from spend.prices.discounts import Discounts
from spend.prices.prices import PriceBook
from store.ledger.ledger import CELL

BOOK = PriceBook([*CONTRACTS, *LISTS], {}, Discounts(DISCOUNTS))
BY_ID = dict(enumerate(ROUTES))
PRICES = Prices(BOOK, BY_ID)
COUNTS = st.one_of(st.just(0), st.integers(0, 10**6), st.integers(10**17, 10**18))


@st.composite
def cells(draw: Any) -> dict[str, Any]:
    calls = draw(st.integers(1, 5))
    some = draw(st.dictionaries(st.sampled_from(METER_NAMES), COUNTS))
    return {
        "slot": START + timedelta(minutes=15) * draw(st.integers(0, 20)),
        "owner_id": draw(st.integers(1, 2)),
        "route_id": draw(st.sampled_from(sorted(BY_ID))),
        "band": draw(st.sampled_from([0, 6, 11])),
        "outcome": draw(st.sampled_from([Outcome.OK, Outcome.ERROR])),
        "calls": calls,
        "unmetered_calls": draw(st.integers(0, calls)),
        **dict.fromkeys(METER_NAMES, 0),
        **some,
    }


@given(many=st.lists(cells(), max_size=12))
@settings(max_examples=120, deadline=None)
def test_many_cells_cost_what_each_costs_alone_however_large(many: list[dict[str, Any]]) -> None:
    rated = rate(frame(CELL, [[each[name] for name in CELL] for each in many]), PRICES)
    expected: dict[tuple[Any, ...], list[Decimal | int | None]] = {}
    for number, cell in enumerate(many):
        rates = PRICES.at(cell["route_id"], cell["band"], cell["slot"])
        ended_well = cell["outcome"] is Outcome.OK
        told = cell["calls"] - (0 if rates.by_request else cell["unmetered_calls"])
        lines = rates.charge({**cell, "requests": told if ended_well else 0})
        silent = 0 if rates.by_request else cell["unmetered_calls"]
        used = sum(cell[meter] for meter in DISJOINT)
        unpriced = (silent, 0) if lines is not None else (cell["calls"], used)
        assert tuple(rated.unpriced.iloc[number]) == unpriced
        for line in lines or ():
            place = tuple(cell[name] for name in ("slot", "owner_id", "route_id", "band"))
            sums = expected.setdefault((place, line.meter), [0, Decimal(0), Decimal(0)])
            asked = line.list_amount
            sums[0] += line.quantity
            sums[1] = money.EXACT.add(sums[1], line.amount)
            sums[2] = None if asked is None else money.EXACT.add(sums[2], asked)
    found = {
        (each.place, each.meter): [each.quantity, each.amount, each.list_amount]
        for each in targets(rated)
    }
    assert found == expected


def test_no_cells_cost_nothing() -> None:
    assert list(targets(rate(frame(CELL, []), PRICES))) == []
