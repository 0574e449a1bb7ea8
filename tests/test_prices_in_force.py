"""Which price line holds, what a meter without one is charged at, and how the book is corrected."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spend.calls import Route
from spend.prices.bands import EDGES, band_of
from spend.prices.corrections import corrected, overlap
from spend.prices.prices import CONTRACT, LIST, Names, PriceBook, PriceLine, wanted
from spend.prices.rating import rates

T0 = datetime(2026, 1, 1, tzinfo=UTC)
ROUTE = Route(provider="azure", model="gpt-4o-2024-08-06", deployment="api", region="eu")
NAMES: Names = {("azure", "gpt-4o-2024-08-06"): ("openai", "gpt-4o")}


def line(meter: str = "input", price: str = "1", **others: Any) -> PriceLine:
    made = PriceLine(
        book=LIST,
        provider="openai",
        model="gpt-4o",
        meter=meter,
        unit_price=Decimal(price),
        currency="USD",
        valid_from=T0,
    )
    return replace(made, **others)


def priced(*lines: PriceLine, route: Route = ROUTE, band: int = 0, at: datetime = T0) -> str | None:
    found = PriceBook(lines, NAMES).line(route, "input", band=band, at=at)
    return found and str(found.unit_price)


# Each beats all that stand before it.
PRECEDENCE = (
    line(price="1"),
    line(price="2", above_tokens=EDGES[0]),
    line(price="3", service_tier="flex"),
    line(price="4", region="eu"),
    line(price="5", region="eu", service_tier="flex"),
    line(price="6", provider="azure", model="gpt-4o-2024-08-06"),
    line(price="7", book=CONTRACT, provider="azure", model="gpt-4o"),
    line(price="8", book=CONTRACT, provider="azure", model="gpt-4o-2024-08-06"),
)


@pytest.mark.parametrize("count", range(1, len(PRECEDENCE) + 1))
def test_the_most_particular_price_wins(count: int) -> None:
    route = replace(ROUTE, service_tier="Flex")
    lines = PRECEDENCE[:count]
    assert priced(*lines[::-1], route=route, band=1) == str(count)
    assert priced(*lines, route=route, band=1) == str(count)
    assert wanted([route], NAMES) >= {(each.provider, each.model) for each in lines}


def test_a_price_for_another_region_tier_prompt_or_time_does_not_hold() -> None:
    for other in (
        line(region="us"),
        line(service_tier="batch"),
        line(above_tokens=EDGES[3]),
        line(valid_from=T0 + timedelta(minutes=15)),
        line(valid_from=T0 - timedelta(days=1), valid_to=T0),
        line(meter="output"),
        line(provider="azure"),
    ):
        assert priced(other, band=3) is None


def test_a_contract_is_with_who_bills() -> None:
    assert priced(line(book=CONTRACT, provider="openai")) is None


def test_the_ordinary_tier_has_many_names() -> None:
    batch, ordinary = line(price="1", service_tier="batch"), line(price="2")
    for tier in (None, "", "default", "auto", "standard"):
        assert priced(batch, ordinary, route=replace(ROUTE, service_tier=tier)) == "2"
    assert priced(batch, ordinary, route=replace(ROUTE, service_tier="batch")) == "1"


def test_what_runs_on_our_own_machines_has_no_list_price() -> None:
    own = replace(ROUTE, deployment="self-hosted")
    assert priced(line(), line(provider="azure", model="gpt-4o-2024-08-06"), route=own) is None
    contract = line(price="9", book=CONTRACT, provider="azure", model="gpt-4o")
    assert priced(contract, route=own) == "9"


def test_the_price_of_a_large_prompt_is_for_the_whole_call() -> None:
    small, large = line(price="1"), line(price="2", above_tokens=200_000)
    assert priced(small, large, band=band_of(200_000)) == "1"
    assert priced(small, large, band=band_of(200_001)) == "2"
    assert priced(small, large, band=band_of(10**9)) == "2"


@pytest.mark.parametrize(
    ("has", "meter", "at"),
    [
        ("input", "cache_read", "input"),
        ("input", "cache_write", "input"),
        ("input cache_write_5m", "cache_write", "cache_write_5m"),
        ("input cache_write", "cache_write_5m", "cache_write"),
        ("input cache_write_5m cache_write", "cache_write_1h", "cache_write_5m"),
        ("input cache_write", "cache_write_1h", "cache_write"),
        ("input", "cache_write_1h", "input"),
        ("input cache_write_1h", "cache_write_5m", "input"),
        ("output", "input", None),
        ("input", "output", None),
        ("cache_read", "input", None),
    ],
)
def test_a_cache_meter_without_a_price_takes_the_next(has: str, meter: str, at: str | None) -> None:
    book = PriceBook([line(each) for each in has.split()], NAMES)
    found = rates(book, ROUTE, band=0, at=T0)
    charged = found.charge({meter: 7})
    assert [each.price.meter for each in charged] == [at] if charged else at is None


def test_audio_is_charged_apart_where_it_has_a_price() -> None:
    usage = {"input": 100, "input_audio": 30, "output": 50, "output_audio": 50, "reasoning": 5}
    text = [line("input"), line("output")]
    for lines, expected in (
        (text, {"input": 100, "output": 50}),
        ([*text, line("input_audio")], {"input": 70, "input_audio": 30, "output": 50}),
        ([*text, line("output_audio")], {"input": 100, "output_audio": 50}),
    ):
        found = rates(PriceBook(lines, NAMES), ROUTE, band=0, at=T0)
        charged = found.charge(usage)
        assert charged is not None
        assert {each.meter: each.quantity for each in charged} == expected


def test_usage_of_which_one_meter_has_no_price_is_unpriced_as_a_whole() -> None:
    found = rates(PriceBook([line("input")], NAMES), ROUTE, band=0, at=T0)
    assert found.charge({"input": 5, "output": 1}) is None
    assert found.charge({"input": 5, "output": 0}) != []
    assert found.charge({}) == [], "nothing used costs nothing"


DAYS = st.integers(0, 12)
SAID = st.lists(
    st.tuples(DAYS, st.one_of(st.none(), st.integers(1, 6)), st.integers(1, 3)), max_size=8
)


@given(SAID)
@settings(max_examples=300, deadline=None)
def test_a_corrected_book_says_what_was_said_last_and_never_two_things(
    said: list[tuple[int, int | None, int]],
) -> None:
    book: dict[int, PriceLine] = {}
    truth: dict[int, int] = {}
    for start, length, price in said:
        new = line(
            price=str(price),
            valid_from=T0 + timedelta(days=start),
            valid_to=None if length is None else T0 + timedelta(days=start + length),
        )
        done = corrected(list(book.values()), [new])
        for closed in done.closed:
            assert closed.id is not None
            del book[closed.id]
        for opened in done.opened:
            number = len(book) + 1000 + len(truth) + (max(book) if book else 0)
            book[number] = replace(opened, id=number)
        truth |= dict.fromkeys(range(start, 20 if length is None else start + length), price)
        lines = list(book.values())
        assert not any(overlap(a, b) for a in lines for b in lines if a is not b)
        for day in range(20):
            at = T0 + timedelta(days=day)
            holding = [int(each.unit_price) for each in lines if each.in_force(at)]
            assert holding == ([truth[day]] if day in truth else [])
    assert corrected(list(book.values()), book.values()).closed == (), "said again: nothing new"
