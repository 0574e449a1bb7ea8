"""Percentiles from merged buckets are within 1 % of the exact ones."""

import math
import random
from collections import Counter
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from spend.histograms import bucket_of, quantile

QUANTILES = (0.5, 0.9, 0.95, 0.99)


def lognormal(rng: random.Random, n: int) -> list[int]:
    middle, spread = rng.uniform(2, 18), rng.uniform(0.1, 2)
    return [max(1, round(math.exp(rng.gauss(middle, spread)))) for _ in range(n)]


def bimodal(rng: random.Random, n: int) -> list[int]:
    low, high = rng.randint(100, 10_000), rng.randint(1_000_000, 90_000_000)
    return [round(rng.choice((low, high)) * rng.uniform(0.9, 1.1)) for _ in range(n)]


def constant(rng: random.Random, n: int) -> list[int]:
    return [rng.randint(1, 10**10)] * n


@given(
    kind=st.sampled_from([lognormal, bimodal, constant]),
    seed=st.integers(0, 2**32),
    n=st.integers(1, 3000),
    parts=st.integers(1, 20),
)
def test_merged_in_any_order_they_are_within_one_percent(
    kind: Callable[[random.Random, int], list[int]], seed: int, n: int, parts: int
) -> None:
    rng = random.Random(seed)
    durations = kind(rng, n)
    cells = [Counter(bucket_of(us) for us in durations[at::parts]) for at in range(parts)]
    rng.shuffle(cells)
    merged: Counter[int] = sum(cells, Counter())
    exact = sorted(durations)
    for q in QUANTILES:
        found = quantile(merged, q)
        truth = exact[math.floor(q * (n - 1))]
        assert found is not None
        assert abs(found - truth) <= 0.01 * truth, (q, found, truth)


def test_no_calls_have_no_percentiles() -> None:
    assert quantile({}, 0.5) is None
