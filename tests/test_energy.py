"""Measured energy is exact: every hour's millijoules, however the readings come."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spend.capacity.energy import (
    EVERY,
    LONGEST,
    EnergyCounter,
    EnergyReading,
    MeasuredHour,
    better,
    fits,
    kept_at,
    measured,
)

NOON = datetime(2026, 10, 14, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
GPU = EnergyCounter(
    "dcgm", device=1, host=7, whole_host=False, rank=0, cumulative=True, attributes={}
)
DELTA = replace(GPU, cumulative=False)


def _at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def _read(
    minutes: float, joules: float, counter: int = 1, since: float | None = None
) -> EnergyReading:
    at = _at(minutes)
    start = at if since is None else _at(since)
    return EnergyReading(counter, start, at, round(joules * 1000))


def _hours(
    readings: Sequence[EnergyReading],
    counters: dict[int, EnergyCounter] | None = None,
    hours: int = 3,
) -> dict[int, tuple[float, Fraction]]:
    """By hours after noon: joules, and the share that is covered."""
    found = measured(counters or {1: GPU}, readings, NOON, NOON + hours * HOUR)
    return {
        (hour - NOON) // HOUR: (it.millijoules / 1000, it.covered) for hour, it in found.items()
    }


def test_a_counters_growth_is_split_over_the_hours_it_lies_in() -> None:
    # 300 W over an hour and a half, from a quarter past.
    readings = [_read(15 + 5 * n, 10**6 + 90_000 * n) for n in range(19)]
    assert _hours(readings) == {
        0: (300 * 45 * 60, Fraction(3, 4)),
        1: (300 * 45 * 60, Fraction(3, 4)),
        2: (0, Fraction(0)),
    }


def test_what_came_before_the_first_reading_is_not_known() -> None:
    assert _hours([_read(0, 15_000_000)], hours=1) == {0: (0, Fraction(0))}
    assert _hours([], hours=1) == {}


def test_a_counter_that_restarts_counts_from_nought() -> None:
    readings = [_read(0, 5_000_000), _read(10, 5_100_000), _read(20, 60_000), _read(30, 160_000)]
    assert _hours(readings, hours=1) == {0: (100_000 + 60_000 + 100_000, Fraction(1, 2))}


def test_a_counter_of_32_bits_goes_over_its_end() -> None:
    end = 2**32 / 1000
    readings = [_read(0, end - 40_000), _read(5, 50_000)]
    assert _hours(readings, hours=1) == {0: (90_000, Fraction(1, 12))}


def test_more_than_anything_draws_is_nonsense_and_counts_nothing() -> None:
    # As where one counter's place is taken by another's, which has run for years.
    readings = [_read(0, 100), _read(5, 10**9), _read(10, 10**9 + 60_000)]
    assert _hours(readings, hours=1) == {0: (60_000, Fraction(1, 12))}


def test_a_counter_that_stands_still_was_not_read() -> None:
    readings = [_read(0, 1000), _read(15, 1000), _read(30, 541_000), _read(45, 541_000)]
    assert _hours(readings, hours=1) == {0: (540_000, Fraction(1, 2))}
    # For too long: what it grew by is of the last step.
    longer = [*(_read(5 * n, 1000) for n in range(13)), _read(65, 361_000)]
    assert _hours(longer, hours=2) == {0: (330_000, Fraction(55, 60)), 1: (30_000, Fraction(1, 12))}
    stuck = [_read(0, 1000), _read(60, 1000), _read(65, 361_000)]
    assert _hours(stuck, hours=2) == {0: (0, Fraction(0)), 1: (360_000, Fraction(1, 12))}


def test_a_silence_of_hours_is_bridged_and_one_of_days_is_not() -> None:
    readings = [_read(0, 0), _read(180, 1_080_000)]
    assert _hours(readings) == {n: (360_000, Fraction(1)) for n in range(3)}
    longer = [_read(0, 0), _read(60 * 25, 1_080_000)]
    assert _hours(longer)[0] == (0, Fraction(0))


def test_deltas_are_of_their_own_time_and_a_repeated_one_is_one() -> None:
    counters = {1: DELTA}
    readings = [_read(30, 900, since=0), _read(30, 900, since=0), _read(90, 3600, since=30)]
    assert _hours(readings, counters, hours=2) == {
        0: (900 + 1800, Fraction(1)),
        1: (1800, Fraction(1, 2)),
    }
    no_start = [_read(30, 900, since=0), _read(60, 900)]
    assert _hours(no_start, counters, hours=1) == {0: (1800, Fraction(1))}


def test_two_that_tell_of_one_gpu_are_one_and_two_gpus_are_two() -> None:
    fuller = [_read(0, 0), _read(60, 360_000)]
    other = [_read(0, 0, counter=2), _read(30, 200_000, counter=2)]
    same = {1: GPU, 2: replace(GPU, rank=0, name="hw.energy")}
    assert _hours([*fuller, *other], same, hours=1) == {0: (360_000, Fraction(1))}
    apart = {1: GPU, 2: replace(GPU, device=2)}
    assert _hours([*fuller, *other], apart, hours=1) == {0: (560_000, Fraction(3, 4))}


def test_a_machines_own_measure_holds_its_gpus() -> None:
    host = replace(GPU, device=9, whole_host=True, name="hw.host.energy")
    gpu = [_read(0, 0), _read(60, 360_000)]
    whole = [_read(0, 0, counter=2), _read(60, 720_000, counter=2)]
    part = [_read(0, 0, counter=2), _read(30, 400_000, counter=2)]
    assert _hours([*gpu, *whole], {1: GPU, 2: host}, hours=1) == {0: (720_000, Fraction(1))}
    assert _hours([*gpu, *part], {1: GPU, 2: host}, hours=1) == {0: (360_000, Fraction(1))}


def test_who_fell_silent_is_expected_for_a_day() -> None:
    counters = {1: GPU, 2: replace(GPU, device=2)}
    lasting = [_read(60 * n, 360_000 * n) for n in range(30)]
    silent = [_read(-60, 0, counter=2), _read(0, 360_000, counter=2)]
    found = _hours([*lasting, *silent], counters, hours=28)
    assert (found[5], found[27]) == ((360_000, Fraction(1, 2)), (360_000, Fraction(1)))


def test_counters_are_found_by_what_is_known_of_them() -> None:
    attributes = {"host.name": "gpu-7", "hw.id": "0"}
    assert fits(attributes, {"host.name": "gpu-*"})
    assert fits(attributes, {"host.name": "gpu-7", "hw.id": "0"})
    assert not fits(attributes, {"host.name": "gpu-7", "hw.id": "1"})
    assert not fits(attributes, {"k8s.node.name": "*"})
    assert not fits(attributes, {})


STEPS = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 2_000_000)), min_size=1, max_size=30)


@given(steps=STEPS, chance=st.randoms(use_true_random=False), cumulative=st.booleans())
def test_hours_add_up_to_the_counters_growth_in_any_order(
    steps: list[tuple[int, int]], chance: Random, *, cumulative: bool
) -> None:
    at, value = 0, 10**9
    readings = [EnergyReading(1, _at(0), _at(0), value)]
    deltas = []
    for minutes, watts in steps:
        used = min(watts, 2_900) * minutes * 60_000 + 7
        deltas.append(EnergyReading(1, _at(at), _at(at + minutes), used))
        at, value = at + minutes, value + used
        readings.append(EnergyReading(1, _at(at), _at(at), value))
    told = readings if cumulative else deltas
    shuffled = [*told, *told[::2]]
    chance.shuffle(shuffled)
    counters = {1: GPU if cumulative else DELTA}
    found = measured(counters, shuffled, NOON, NOON + 24 * HOUR)
    assert found == measured(counters, told, NOON, NOON + 24 * HOUR)
    kept: dict[datetime, EnergyReading] = {}
    for one in told:
        key = kept_at(one, cumulative=cumulative)
        kept[key] = better(kept[key], one) if key in kept else one
    assert found == measured(counters, kept.values(), NOON, NOON + 24 * HOUR)
    ends = sorted(kept.values(), key=lambda one: one.read_at)
    total = sum(it.millijoules for it in found.values())
    assert total == (
        ends[-1].millijoules - ends[0].millijoules
        if cumulative
        else sum(one.millijoules for one in deltas)
    )
    assert all(0 <= it.covered <= 1 for it in found.values())


@pytest.mark.parametrize("minutes", [0, 4.99, 5, 59.99])
def test_of_five_minutes_the_last_reading_is_kept(minutes: float) -> None:
    one = _read(minutes, 1)
    at = kept_at(one, cumulative=True)
    assert at <= one.read_at < at + EVERY
    assert (at - NOON) % EVERY == timedelta(0)
    assert kept_at(one, cumulative=False) == one.read_at
    later = replace(one, read_at=one.read_at + timedelta(seconds=1))
    assert better(one, later) == better(later, one) == later


def test_an_hour_nobody_is_expected_in_is_left_out() -> None:
    found = measured({1: GPU}, [_read(0, 0), _read(60, 1000)], NOON, NOON + 2 * LONGEST)
    assert found[NOON] == MeasuredHour(1_000_000, Fraction(1))
    assert NOON + LONGEST + 3 * HOUR not in found
