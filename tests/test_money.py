"""Money is exact, whatever is done to it."""

from decimal import Decimal, Inexact

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spend import money

ATOMS = st.integers(-(10**24), 10**24)
WEIGHTS = st.lists(st.integers(0, 10**15), min_size=1, max_size=40)


@given(ATOMS, WEIGHTS)
@settings(max_examples=200, deadline=None)
def test_parts_add_up_to_the_whole(whole: int, weights: list[int]) -> None:
    total = money.amount(whole)
    parts = money.split(total, weights)
    assert sum(map(money.atoms, parts)) == whole
    divisor = sum(weights) or len(weights)
    for part, weight in zip(parts, weights if sum(weights) else [1] * len(weights), strict=True):
        assert abs(money.atoms(part) - whole * weight / Decimal(divisor)) < 1


@given(ATOMS, WEIGHTS)
@settings(max_examples=100, deadline=None)
def test_a_negative_whole_is_split_like_a_positive_one(whole: int, weights: list[int]) -> None:
    parts = money.split(money.amount(whole), weights)
    assert money.split(money.amount(-whole), weights) == tuple(-part for part in parts)


def test_what_cannot_be_split_evenly_goes_to_the_first_of_equals() -> None:
    atom = money.amount(1)
    assert money.split(atom, [1, 1, 1]) == (atom, 0, 0)
    assert money.split(money.amount(10), [0, 3, 0, 3]) == (0, atom * 5, 0, atom * 5)
    assert money.split(money.amount(5), [0, 0]) == (atom * 3, atom * 2), "no weight: evenly"
    with pytest.raises(ValueError, match="nothing to split by"):
        money.split(atom, [])
    with pytest.raises(ValueError, match="negative"):
        money.split(atom, [1, -1])


@given(
    st.lists(st.integers(-(10**20), 10**20), max_size=30),
    st.sampled_from(["USD", "JPY", "KWD", "CLF"]),
)
@settings(max_examples=200, deadline=None)
def test_lines_of_a_statement_add_up_to_its_total(numbers: list[int], currency: str) -> None:
    amounts = [money.amount(number) for number in numbers]
    shown = money.rounded_lines(amounts, currency)
    assert sum(shown) == money.rounded(money.total(amounts), currency)
    coin = Decimal(1).scaleb(-money.minor_digits(currency))
    assert all(abs(line - exact) < coin for line, exact in zip(shown, amounts, strict=True))


def test_a_line_that_was_converted_is_rounded_by_all_of_its_digits() -> None:
    lines = [Decimal("0.004000000000"), Decimal("0.0040000000000001"), Decimal("0.002")]
    assert money.rounded_lines(lines, "USD") == (Decimal(0), Decimal("0.01"), Decimal(0))


@given(st.integers(0, 2**63 - 1), st.decimals(0, 999_999_999_999, places=6, allow_nan=False))
@settings(max_examples=200, deadline=None)
def test_a_cost_is_quantity_times_price_to_the_last_digit(quantity: int, price: Decimal) -> None:
    assert money.cost(quantity, price) == money.EXACT.multiply(
        Decimal(quantity), price.scaleb(-6, money.EXACT)
    )


def test_what_would_lose_a_digit_is_refused() -> None:
    with pytest.raises(Inexact):
        money.atoms(Decimal("0.0000000000001"))
    with pytest.raises(Inexact):
        money.per_unit(Decimal("0.0000001"))


def test_a_price_is_rounded_half_to_even_when_it_enters() -> None:
    assert money.quantised(Decimal("0.0000005")) == Decimal("0.000000")
    assert money.quantised(Decimal("0.0000015")) == Decimal("0.000002")
    assert money.quantised(Decimal("1.0399999999999998")) == Decimal("1.040000")
