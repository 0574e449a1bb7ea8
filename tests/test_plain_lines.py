"""What a re-pricing posts in columns is what it would post by rows."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from priced_month import CONTRACTS, DISCOUNTS, LISTS, ROUTES, START
from test_cells_in_columns import cells

from jobs.charging.lacking import Books, Said, Target, lacking, targets
from jobs.charging.plain_lines import take_plain
from jobs.charging.rate_cells import Prices, frame, rate
from spend.calls import Owner
from spend.ownership.ownership import Term
from spend.prices.discounts import Discounts
from spend.prices.prices import PriceBook, PriceLine
from store.ledger.ledger import CELL, POSTED, NewCharge
from store.ledger.ledger_columns import STANDING, table_of
from store.ownership.payers import Paying

LINES = [replace(line, id=number) for number, line in enumerate([*CONTRACTS, *LISTS], 1)]
RULES = [replace(rule, id=number) for number, rule in enumerate(DISCOUNTS, 1)]
BOOK = PriceBook(LINES, {}, Discounts(RULES))
PRICES = Prices(BOOK, dict(enumerate(ROUTES)))
BOOKS = Books({line.id or 0: line for line in LINES}, {rule.id or 0: rule for rule in RULES})
SEVEN = Decimal("7.000000")
SOON = START + timedelta(hours=1)
PAYING = Paying({2: (Term(SOON, SOON + timedelta(hours=9), Owner("ops")),)})


def stands(target: Target, what: str) -> list[tuple[Any, ...]]:
    """What may be posted where ``target`` is wanted."""
    rate, sign = target.rate, 1
    line = {
        "slot": target.place[0],
        "owner_id": target.place[1],
        "route_id": target.place[2],
        "band": target.place[3],
        "meter": target.meter,
        "payer_id": PAYING.payer_of(target.place[1], target.place[0]),
        "price_id": rate.price.id,
        "unit_price": rate.unit_price,
        "list_unit_price": rate.list_unit_price,
        "uplift_id": rate.uplift and rate.uplift.id,
        "discount_id": rate.discount and rate.discount.id,
        "quantity": Decimal(target.quantity),
        "list_amount": target.list_amount,
        "contracted_amount": target.amount,
        "amount": target.amount,
        "billed_amount": target.amount,
    }
    other: dict[str, Any] = {}
    match what:
        case "nothing":
            return []
        case "another price":
            other = {
                "unit_price": Decimal("7.000000"),
                "list_unit_price": None,
                "list_amount": None,
            }
        case "another payer":
            other = {"payer_id": 99}
        case "less":
            other = {"quantity": Decimal(target.quantity - 1)}
        case "none" | "none and another":
            sign = 0
    one = line | other
    sums = ("quantity", "list_amount", "contracted_amount", "amount", "billed_amount")
    if sign == 0:
        one |= {name: None if one[name] is None else Decimal(0) for name in sums}
    found = [one]
    if what in ("two", "none and another"):
        found.append(line | {"unit_price": SEVEN})
    return [tuple(each[name] for name in POSTED) for each in found]


WHATS = ("nothing", "the same", "another price", "another payer", "less", "none", "two",
         "none and another")  # fmt: skip


def has_steps(line: PriceLine) -> bool:
    return (line.id or 0) % 7 == 0


def told(lines: list[NewCharge]) -> list[str]:
    return sorted(map(repr, table_of(lines).to_pylist()))


@given(
    before=st.lists(cells(), max_size=8),
    now=st.lists(cells(), max_size=8),
    kept=st.integers(0, 8),
    drawn=st.randoms(use_true_random=False),
)
@settings(max_examples=60, deadline=None)
def test_what_is_plain_is_lacking_in_columns_as_it_is_by_rows(
    before: list[dict[str, Any]], now: list[dict[str, Any]], kept: int, drawn: Any
) -> None:
    stood, wanted = (
        rate(frame(CELL, [[each[name] for name in CELL] for each in many]), PRICES)
        for many in (before, [*before[:kept], *now])
    )
    rows = [row for each in targets(stood) for row in stands(each, drawn.choice(WHATS))]
    rows = list({row[:11]: row for row in rows}.values())
    posted = pa.Table.from_pylist(
        [dict(zip(POSTED, row, strict=True)) for row in rows], schema=STANDING
    )
    every = list(lacking(targets(wanted), rows, BOOKS, PAYING.payer_of))
    found = take_plain(wanted, posted, Said(BOOKS), PAYING, has_steps)
    left = [tuple(each.values()) for each in found.posted.to_pylist()]
    others = list(lacking(targets(found.rated), left, BOOKS, PAYING.payer_of))
    assert sorted([*map(repr, found.lines.to_pylist()), *told(others)]) == told(every)
    large = any(each.quantity > 2**52 for each in targets(wanted))
    plain = [each for each in targets(wanted) if not has_steps(each.rate.price)]
    assert found.lines.num_rows or large or rows or not plain, "columns are for most of it"
