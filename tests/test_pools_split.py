"""A pool's hour is split over what used it, and nothing of it is lost."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spend.calls import Owner, Route
from spend.capacity.pool_files import PoolRefusedError, pool_of_fields, pools_of_file
from spend.capacity.pools import Pool, pool_of
from spend.capacity.splitting import (
    METHODS,
    HourSplit,
    busy_of,
    split_hour,
    weigh,
    weight_of_call,
    work_units,
)

NOW = datetime(2026, 10, 20, 12, 34, tzinfo=UTC)
ROUTE = Route(
    provider="vllm", model="llama-3.3-70b", server="10.0.0.7:8000", deployment="self-hosted"
)
OWNER = Owner(team="search", service="search-api", environment="production")
HOUR_US = 3_600_000_000
SAID: dict[str, Any] = {
    "name": "llama",
    "cost_per_hour": "49.24",
    "match": {"deployment": ["self-hosted"]},
}


def declared(**others: Any) -> Pool:
    return pool_of_fields(SAID | others, currency="USD", now=NOW)


def split(
    cost: Decimal, work: list[int], *, capacity: Decimal | None = None, timed_us: int = 0
) -> HourSplit:
    return split_hour(cost, work, busy_of(Decimal(sum(work)), capacity, timed_us))


@given(
    st.decimals(0, 10_000, places=6, allow_nan=False),
    st.lists(st.integers(0, 10**12), max_size=30),
    st.one_of(st.none(), st.decimals("0.000001", 10**12, places=6, allow_nan=False)),
    st.integers(0, 10 * HOUR_US),
)
@settings(max_examples=300, deadline=None)
def test_parts_and_idle_add_up_to_the_hour(
    cost: Decimal, work: list[int], capacity: Decimal | None, timed_us: int
) -> None:
    hour = split(cost, work, capacity=capacity, timed_us=timed_us)
    assert hour.idle + sum(hour.parts) == cost
    assert hour.idle >= 0
    assert all(part >= 0 for part in hour.parts)
    assert all(part == 0 for part, units in zip(hour.parts, work, strict=True) if units == 0)


def test_the_figures_of_the_documentation() -> None:
    # docs/pools.md; the source of the example is notes on cost attribution.
    rag, chat, agent = 900 * (8000 + 4 * 200), 1500 * (600 + 4 * 700), 200 * (30_000 + 4 * 1500)
    hour = split(Decimal("49.24"), [rag, chat, agent], capacity=Decimal(50700000))
    assert [f"{part:.2f}" for part in (*hour.parts, hour.idle)] == [
        "7.69",
        "4.95",
        "6.99",
        "29.60",
    ]


def test_without_a_capacity_it_is_busy_while_a_call_is_in_flight() -> None:
    half = split(Decimal(10), [3, 1], timed_us=HOUR_US // 2)
    assert (half.parts, half.idle) == ((Decimal("3.75"), Decimal("1.25")), Decimal(5))
    full = split(Decimal(10), [3, 1], timed_us=7 * HOUR_US)
    assert full.idle == 0


def test_an_hour_without_known_work_is_idle() -> None:
    for work in ([], [0, 0]):
        assert split(Decimal(10), work, timed_us=HOUR_US).idle == 10


def test_work_is_uncached_input_and_four_times_output() -> None:
    usage = {"input": 10, "cache_read": 1000, "cache_write": 5, "output": 3, "reasoning": 3}
    assert work_units(usage) == 10 + 5 + 12


@pytest.mark.parametrize(
    ("match", "fits"),
    [
        ({"provider": ["vllm"]}, True),
        ({"provider": ["tgi", "vllm"]}, True),
        ({"provider": ["tgi"]}, False),
        ({"model": ["llama-3.3*"]}, True),
        ({"model": ["*"]}, True),
        ({"model": ["llama-3.3"]}, False),
        ({"region": ["*"]}, False),
        ({"server": ["10.0.0.*"], "service": ["search-api"]}, True),
        ({"server": ["10.0.0.*"], "service": ["other"]}, False),
        ({"environment": ["production"], "project": ["x"]}, False),
    ],
)
def test_every_dimension_must_fit_and_one_value_of_it(
    match: dict[str, list[str]], fits: bool
) -> None:
    assert declared(match=match).fits(ROUTE, OWNER) is fits


def test_of_two_pools_the_first_declared_has_the_call_while_it_is_in_force() -> None:
    first, second = replace(declared(), id=1), replace(declared(name="b"), id=2)
    first = replace(first, valid_to=NOW + timedelta(hours=1))
    assert pool_of([second, first], ROUTE, OWNER, NOW) == first
    assert pool_of([second, first], ROUTE, OWNER, NOW + timedelta(hours=1)) == second
    assert pool_of([second, first], ROUTE, OWNER, NOW - timedelta(hours=1)) is None


def test_what_is_left_out_has_a_default() -> None:
    pool = declared()
    assert pool.valid_from == datetime(2026, 10, 20, 12, tzinfo=UTC)
    assert (pool.valid_to, pool.currency, pool.provider) == (None, "USD", "self-hosted")
    assert declared(match={"provider": ["vllm"], "region": "eu"}).idle_route == Route(
        provider="vllm", deployment="self-hosted", region="eu"
    )


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"cost_per_hour": None}, "cost_per_hour"),
        ({"cost_per_hour": "-1"}, "cost_per_hour"),
        ({"cost_per_hour": 1.5}, "cost_per_hour"),
        ({"cost_per_hour": "1e3"}, "cost_per_hour"),
        ({"cost_per_hour": "NaN"}, "cost_per_hour"),
        ({"cost_per_hour": True}, "cost_per_hour"),
        ({"cost_per_hour": "0.0000001"}, "cost_per_hour"),
        ({"cost_per_hour": "1000000000000"}, "cost_per_hour"),
        ({"capacity_per_hour": "0"}, "capacity_per_hour"),
        ({"currency": "EURO"}, "currency"),
        ({"from": "yesterday"}, "from"),
        ({"from": "2026-10-01T00:30"}, "from"),
        ({"from": "2026-10-02", "to": "2026-10-02"}, "to"),
        ({"from": "0026-10-02"}, "from"),
        ({"match": {}}, "match"),
        ({"match": None}, "match"),
        ({"match": {"colour": ["a"]}}, "match.colour"),
        ({"match": {"model": []}}, "match.model"),
        ({"match": {"model": ["a*b"]}}, "match.model"),
        ({"match": {"model": [1]}}, "match.model"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_mistake_is_told_by_field(said: dict[str, Any], field: str) -> None:
    with pytest.raises(PoolRefusedError) as refused:
        declared(**said)
    assert refused.value.field == field


def test_a_file_says_the_same_in_toml_and_json() -> None:
    toml = """
        [[pools]]
        name = "llama"
        cost_per_hour = 49.24
        from = 2026-10-01
        to = 2026-11-01T00:00:00+02:00
        match = { deployment = ["self-hosted"] }
        """
    text = """[{"name": "llama", "cost_per_hour": 49.24, "from": "2026-10-01",
        "to": "2026-10-31T22:00Z", "match": {"deployment": ["self-hosted"]}}]"""
    common: dict[str, Any] = {"currency": "USD", "now": NOW, "began": {}}
    assert pools_of_file(toml, toml=True, **common) == pools_of_file(text, toml=False, **common)
    for wrong in ("[", "{}", "[]", "[1]", '{"pools": []}', '"x"'):
        with pytest.raises(PoolRefusedError):
            pools_of_file(wrong, toml=False, **common)


USAGE = st.fixed_dictionaries(
    {},
    optional={
        name: st.integers(0, 10**9)
        for name in ("input", "cache_read", "cache_write_1h", "output", "prefill_ms", "decode_ms")
    },
)


@given(
    st.sampled_from(METHODS),
    st.lists(USAGE, max_size=8),
    st.decimals("0.000001", 100, places=6, allow_nan=False),
    st.tuples(*2 * [st.decimals(0, 10_000, places=12, allow_nan=False)]),
    st.one_of(st.none(), st.decimals(0, 10**12, places=6, allow_nan=False)),
    st.integers(0, 10 * HOUR_US),
)
@settings(max_examples=200, deadline=None)
def test_whatever_the_method_an_hour_is_split_whole_in_every_basis(
    method: str,
    uses: list[dict[str, int]],
    output_weight: Decimal,
    costs: tuple[Decimal, Decimal],
    capacity: Decimal | None,
    timed_us: int,
) -> None:
    weights = weigh(method, uses, output_weight)
    work = sum((work_units(use, output_weight) for use in uses), Decimal(0))
    busy = busy_of(work, capacity, timed_us)
    assert 0 <= busy.share <= 1
    assert weights.method in {method, "work-units-v1"}
    assert len(weights.weights) == len(weights.quantities) == len(uses)
    for cost in costs:
        hour = split_hour(cost, weights.weights, busy)
        assert hour.idle + sum(hour.parts) == cost
        assert min([hour.idle, *hour.parts]) >= 0
        whole = sum(weights.weights) or 1
        for part, weight in zip(hour.parts, weights.weights, strict=True):
            share = Fraction(cost) * busy.share * Fraction(weight, whole)
            assert abs(Fraction(part) - share) <= Fraction(2, 10**12)
    told = (weights.method, weights.input, weights.output)
    of_calls = [Fraction(weight_of_call(use, *told)) for use in uses]
    total = sum(of_calls)
    for call, weight in zip(of_calls, weights.weights, strict=True):
        assert call * sum(weights.weights) == weight * total
