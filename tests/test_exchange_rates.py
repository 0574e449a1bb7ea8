"""Which rate is used for what, and that what it makes of an amount is exact."""

from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spend.currencies.exchange import (
    DAILY,
    PERIOD_AVERAGE,
    PERIOD_END,
    Exchange,
    ExchangeRate,
    Rates,
    converted,
)

OCT_1 = date(2026, 10, 1)
FINEST = Decimal("1e-10")
RATE = st.decimals("0.0001", "99999", places=10, allow_nan=False, allow_infinity=False)
AMOUNT = st.decimals("-1e15", "1e15", places=12, allow_nan=False, allow_infinity=False)


def day(number: int) -> date:
    return OCT_1 + timedelta(days=number - 1)


def rate(from_currency: str, to_currency: str, said: str | Decimal, on: int = 1) -> ExchangeRate:
    return ExchangeRate(
        from_currency=from_currency,
        to_currency=to_currency,
        day=day(on),
        rate=Decimal(said),
        source="ecb",
        id=on,
    )


def quantised(exact: Fraction) -> Decimal:
    """By another way than the code: long division far beyond, then half to even."""
    scaled = exact * 10**10
    low = scaled.numerator // scaled.denominator
    rest = scaled - low
    up = rest > Fraction(1, 2) or (rest == Fraction(1, 2) and low % 2)
    return Decimal(low + up) * FINEST


def test_what_was_entered_goes_before_its_inverse_and_that_before_others() -> None:
    entered = [
        rate("EUR", "USD", "1.08"),
        rate("USD", "EUR", "0.93"),
        rate("EUR", "GBP", "0.86"),
        rate("USD", "GBP", "0.79"),
    ]
    found = Rates(entered).on("USD", "EUR", OCT_1)
    assert found is not None
    assert (found.rate, found.path) == (Decimal("0.93"), "entered")
    found = Rates([entered[0], *entered[2:]]).on("USD", "EUR", OCT_1)
    assert found is not None
    assert (found.rate, found.path) == (Decimal("0.9259259259"), "inverse")
    found = Rates(entered[2:]).on("USD", "EUR", OCT_1)
    assert found is not None
    assert (found.rate, found.path) == (quantised(Fraction(79, 86)), "across GBP")
    assert Rates(entered[2:]).on("USD", "JPY", OCT_1) is None


def test_of_several_ways_across_the_first_is_always_taken() -> None:
    across = [
        rate("CHF", each, said)
        for each, said in (("USD", "1.1"), ("EUR", "1.05"), ("JPY", "170"), ("AUD", "1.7"))
    ]
    across += [
        rate(each, "SEK", said)
        for each, said in (("USD", "10"), ("EUR", "11.1"), ("JPY", "0.07"), ("AUD", "6.2"))
    ]

    def path(without: tuple[str, ...]) -> str:
        kept = [each for each in across if not {each.from_currency, each.to_currency} & {*without}]
        found = Rates(reversed(kept)).on("CHF", "SEK", OCT_1)
        assert found is not None
        return found.path

    assert path(()) == "across EUR"
    assert path(("EUR",)) == "across USD"
    assert path(("EUR", "USD")) == "across AUD"


def test_both_sides_of_a_way_across_are_of_one_day() -> None:
    rates = Rates([rate("EUR", "USD", "1.08", 1), rate("EUR", "JPY", "160", 2)])
    assert rates.on("USD", "JPY", day(2)) is None
    assert rates.last("USD", "JPY", day(2), oldest=timedelta(days=7)) is None


@given(RATE, RATE, AMOUNT)
def test_inverse_and_cross_rates_are_rounded_once_and_amounts_never(
    one: Decimal, other: Decimal, amount: Decimal
) -> None:
    rates = Rates([rate("EUR", "USD", one), rate("EUR", "JPY", other)])
    inverse, cross = rates.on("USD", "EUR", OCT_1), rates.on("USD", "JPY", OCT_1)
    expected = quantised(1 / Fraction(one)), quantised(Fraction(other) / Fraction(one))
    for used, wanted in zip((inverse, cross), expected, strict=True):
        if not wanted:
            assert used is None, "of next to nothing, ten decimals say nothing"
            continue
        assert used is not None
        assert used.rate == wanted == used.rate.quantize(FINEST, rounding=ROUND_HALF_EVEN)
        assert Fraction(converted(amount, used)) == Fraction(amount) * Fraction(used.rate)


@given(st.lists(RATE, min_size=1, max_size=31), st.lists(AMOUNT, max_size=5))
def test_the_mean_is_of_the_days_that_have_a_rate(
    said: list[Decimal], amounts: list[Decimal]
) -> None:
    rates = Rates(rate("EUR", "KWD", each, on) for on, each in enumerate(said, 1))
    exchange = Exchange("KWD", PERIOD_AVERAGE, day(1), day(60), rates)
    used = exchange.rate("EUR", None)
    assert used is not None
    assert used.days == len(said)
    assert used.rate == quantised(sum(map(Fraction, said), Fraction()) / len(said))
    whole = sum((Fraction(converted(each, used)) for each in amounts), Fraction())
    assert whole == sum(map(Fraction, amounts), Fraction()) * Fraction(used.rate)


def test_the_period_end_has_a_rate_of_its_last_days_or_none() -> None:
    def at(on: int, last: int) -> Decimal | None:
        rates = Rates([rate("EUR", "USD", "1.05", 1), rate("EUR", "USD", "1.08", on)])
        used = Exchange("USD", PERIOD_END, day(1), day(last), rates).rate("EUR", None)
        return None if used is None else used.rate

    assert at(31, 31) == Decimal("1.08")
    assert at(30, 31) == Decimal("1.08")
    assert at(24, 31) == Decimal("1.08")
    assert at(23, 31) is None
    assert at(31, 8) == Decimal("1.05"), "of a month that is not over: up to today"


def test_a_day_without_a_rate_has_the_one_before_it_and_never_a_later_one() -> None:
    rates = Rates([rate("EUR", "USD", "1.05", 2), rate("EUR", "USD", "1.08", 5)])
    exchange = Exchange("USD", DAILY, day(1), day(31), rates)
    found = [exchange.rate("EUR", day(number)) for number in (1, 2, 4, 5, 31, 400)]
    assert [each and (each.day, each.rate) for each in found] == [
        None,
        (day(2), Decimal("1.05")),
        (day(2), Decimal("1.05")),
        (day(5), Decimal("1.08")),
        (day(5), Decimal("1.08")),
        None,
    ]
    with pytest.raises(ValueError, match="has a day"):
        exchange.rate("EUR", None)
