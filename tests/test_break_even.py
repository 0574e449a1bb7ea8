"""Where a pool and an API cost the same: closed forms, and the traps of utilisation and steps."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spend import money
from spend.capacity import break_even as rules
from spend.capacity.against_api import NO_CAPACITY, Volume, compared, machines
from spend.capacity.break_even import Machines, break_even, days_until, steps, trend
from spend.capacity.economics import Economics, Use, per_million, spread, token_cost
from spend.capacity.pool_costs import CostPart

NO_VOLUME = Volume([], None)
MONEY = st.integers(0, 10**20).map(money.amount)


def pool(
    *, share: str, cost: str = "100", hours: int = 730, capacity: int = 73_000_000
) -> Economics:
    """Hours that did so much of what they could, of input alone: a token is a work unit."""
    done = int(capacity * Decimal(share))
    busy = money.total([Decimal(cost) * Decimal(share)])
    return Economics(
        hours=hours,
        idle_cost=money.EXACT.subtract(Decimal(cost), busy),
        by_team={"search": Use(busy_cost=busy, calls=1, usage={"input": done})},
        work=Decimal(done),
        capacity=Decimal(capacity),
    )


def test_the_break_even_volume_is_cost_over_price() -> None:
    # $36,500 a month against $0.50 for a million tokens: 73 bn tokens.
    found = break_even(Machines(Fraction(36_500)), Fraction(1, 2) / 10**6)
    assert found.tokens == 73 * 10**9
    assert (found.machines, found.utilisation) == (None, None)


@given(st.integers(0, 10**12), st.integers(1, 10**9))
def test_from_the_break_even_volume_on_and_not_before_the_api_costs_no_less(
    cost: int, price: int
) -> None:
    found = break_even(Machines(Fraction(cost)), Fraction(price, 10**6))
    assert found.tokens is not None
    assert found.tokens * Fraction(price, 10**6) >= cost
    assert found.tokens == 0 or (found.tokens - 1) * Fraction(price, 10**6) < cost


def test_a_pool_at_a_quarter_of_its_capacity_costs_four_times_its_full_price_per_token() -> None:
    full, quarter = pool(share="1"), pool(share="0.25")
    assert full.allocation.blended is not None
    assert quarter.allocation.blended == 4 * full.allocation.blended
    assert quarter.allocation.input == 4 * full.allocation.blended
    # The trap: on the usage basis it costs what it costs when full, however empty.
    assert quarter.used == full.used == full.allocation


def test_opencost_s_example_a_dollar_at_full_load_is_four_at_a_quarter() -> None:
    # $1 a million at full load: $100 a month for 100 million tokens.
    quarter = pool(share="0.25", capacity=100_000_000)
    assert quarter.allocation.blended == Decimal(4)
    assert quarter.used.blended == Decimal(1)
    against = compared(quarter, Decimal(50), None, NO_VOLUME)
    assert against.price == Fraction(2, 10**6)
    assert against.even.utilisation == Fraction(1, 2)
    assert against.even.tokens == 50_000_000
    assert (against.cheaper, against.difference) == ("api", Decimal(-50))
    half = compared(pool(share="0.5", capacity=100_000_000), Decimal(100), None, NO_VOLUME)
    assert half.cheaper == "same"


def test_a_pool_whose_tokens_cost_more_than_the_api_s_when_full_never_pays() -> None:
    found = break_even(Machines(Fraction(300), tokens=Fraction(100)), Fraction(2))
    assert found == rules.BreakEven(None, None, Fraction(3, 2), rules.NEVER_FULL)
    shown = list(steps(Machines(Fraction(300), tokens=Fraction(100)), Fraction(2), 5))
    assert [step.cheaper_from for step in shown] == [None] * 5


def test_the_next_machine_enters_with_all_of_its_cost() -> None:
    machine = Machines(Fraction(100), tokens=Fraction(80))
    assert break_even(machine, Fraction(2)).tokens == 50
    # The second one has to earn its keep before the two are cheaper again.
    assert [
        (step.machines, int(step.cost), step.up_to, step.cheaper_from)
        for step in steps(machine, Fraction(2), 4)
    ] == [(1, 100, 80, 50), (2, 200, 160, 100), (3, 300, 240, 161), (4, 400, 320, 241)]


def test_what_is_paid_once_is_earned_by_as_many_machines_as_it_takes() -> None:
    # One full machine earns 2 x 80 - 100 = 60 beyond itself: 150 that are paid once take three.
    shared = Machines(Fraction(100), shared=Fraction(150), tokens=Fraction(80))
    found = break_even(shared, Fraction(2))
    assert (found.machines, found.tokens) == (3, 225)


@given(
    st.integers(1, 1000),
    st.integers(0, 5000),
    st.integers(1, 1000),
    st.fractions(Fraction(1, 9), 9),
)
def test_break_even_is_the_first_volume_at_which_the_staircase_is_no_dearer(
    each: int, shared: int, tokens: int, price: Fraction
) -> None:
    machine = Machines(Fraction(each), shared=Fraction(shared), tokens=Fraction(tokens))
    found = break_even(machine, price)
    shown = list(steps(machine, price, 60))
    first = next((step.cheaper_from for step in shown if step.cheaper_from is not None), None)
    if found.machines is not None and found.machines <= 60:
        assert found.tokens == first
        assert found.tokens is not None
        assert ceil(Fraction(found.tokens, tokens)) in {found.machines, 0}
    else:
        assert first is None


def test_engineering_is_paid_once_and_the_machine_again() -> None:
    parts = [
        CostPart("GPUs", "rental", billed=True, amount=Decimal(60)),
        CostPart("on call", "engineering", billed=False, amount=Decimal(40)),
    ]
    half = replace(pool(share="0.5", hours=73, capacity=7_300), components=parts)
    # 73 hours are a tenth of a month.
    assert machines(half) == Machines(Fraction(600), Fraction(400), Fraction(73_000))
    assert machines(half, shared=()).each == 1000


def test_what_is_free_is_never_beaten() -> None:
    assert break_even(Machines(Fraction(1)), Fraction(0)).reason == rules.NOTHING_ASKED


def test_the_date_is_where_the_straight_line_gets_to_the_volume() -> None:
    # 100, 110, … 160 on the seventh day; 200 four days later.
    assert days_until(trend([100 + 10 * day for day in range(7)]), Fraction(200)) == (4, None)
    assert days_until(trend([100 + 10 * day for day in range(7)]), Fraction(201)) == (5, None)


@pytest.mark.parametrize(
    ("daily", "why"),
    [
        ([100] * 6, rules.NO_TREND),
        ([100] * 7, rules.NO_GROWTH),
        ([100 - day for day in range(7)], rules.NO_GROWTH),
        ([500] * 7, rules.THERE),
        ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], rules.TOO_FAR),
    ],
)
def test_no_date_has_a_reason(daily: list[int], why: str) -> None:
    assert days_until(trend(daily), Fraction(400)) == (None, why)


def test_the_date_of_a_comparison_goes_by_the_break_even_of_a_day() -> None:
    # 73,000 tokens a month are 2,400 a day; 1,000 growing by 100 a day get there in eight days.
    growing = Volume([1000 + 100 * day for day in range(7)], date(2026, 10, 7))
    economics = pool(share="0.5", cost="73", capacity=146_000)
    found = compared(economics, Decimal(73), None, growing)
    assert found.even.tokens == 73_000
    assert found.on == date(2026, 10, 15)


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({"api_cost": None, "why_unknown": "no price"}, {"api_cost", "break_even_tokens"}),
        ({"capacity": None}, {"break_even_utilisation"}),
        ({"whole": Use()}, {"break_even_tokens"}),
    ],
)
def test_what_is_unknown_is_null_with_a_reason(changes: dict[str, Any], reasons: set[str]) -> None:
    known = pool(share="0.5")
    economics = replace(
        known,
        by_team={"search": changes.get("whole", known.whole)},
        capacity=changes.get("capacity", known.capacity),
    )
    api_cost, why = changes.get("api_cost", Decimal(5)), changes.get("why_unknown")
    found = compared(economics, api_cost, why, NO_VOLUME)
    assert reasons <= set(found.reasons)
    if "capacity" in changes:
        assert found.reasons["break_even_utilisation"] == NO_CAPACITY
        assert found.even.tokens is not None


@given(MONEY, st.lists(MONEY, max_size=8), st.sampled_from(["weighted", "even"]))
def test_spread_idle_adds_up_to_the_last_digit(
    idle: Decimal, busy: list[Decimal], view: str
) -> None:
    parts = spread(idle, busy, view)
    assert parts is None if not busy else parts is not None and money.total(parts) == idle
    assert spread(idle, busy, "own") is None


def test_weighted_follows_busy_cost_and_even_does_not() -> None:
    busy = [Decimal(3), Decimal(1)]
    assert spread(Decimal(8), busy, "weighted") == (Decimal(6), Decimal(2))
    assert spread(Decimal(8), busy, "even") == (Decimal(4), Decimal(4))


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9), MONEY)
def test_input_and_output_at_their_prices_add_up_to_the_cost(
    read: int, written: int, cached: int, cost: Decimal
) -> None:
    price = token_cost(cost, {"input": read, "output": written, "cache_read": cached})
    if not read and not written:
        assert (price.input, price.output) == (None, None)
        return
    assert price.input is not None
    assert price.output is not None
    # Each price is rounded once, to 6 decimals.
    back = (Fraction(price.input) * read + Fraction(price.output) * written) / 10**6
    assert abs(back - Fraction(cost)) <= Fraction(read + written, 2 * 10**12)


def test_a_price_is_rounded_once_half_to_even() -> None:
    assert per_million(Fraction(1, 3)) == Decimal("0.333333")
    assert per_million(Fraction(5, 10**7)) == Decimal("0.000000")
    assert per_million(Fraction(15, 10**7)) == Decimal("0.000002")
