"""How a group of calls went. Groups add up, so any period and grouping can be answered."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from spend.calls import Outcome
from spend.histograms import quantile
from spend.meters import INPUTS

SHARES: Final = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True, slots=True)
class Performance:
    """A group of calls.

    Durations are microseconds, in the buckets of ``spend/histograms.py``. What was not reported is
    not in them: a group's percentiles are over the calls that have the measure.
    """

    outcomes: Mapping[Outcome, int]
    """Calls by how they ended."""
    usage: Mapping[str, int]
    """Tokens by meter."""
    timed_output: int
    """Output tokens of calls whose duration is known."""
    timed_output_us: int
    """How long those calls took together."""
    latency: Mapping[int, int]
    ttft: Mapping[int, int]
    """Time to the first token."""

    @property
    def calls(self) -> int:
        """Requests to a model."""
        return sum(self.outcomes.values())

    @property
    def errors(self) -> int:
        """Calls that did not end well."""
        return self.calls - self.outcomes.get(Outcome.OK, 0)

    @property
    def output_per_second(self) -> float | None:
        """Output tokens for each second that a call took, over calls that report both."""
        if not self.timed_output_us:
            return None
        return self.timed_output / self.timed_output_us * 1_000_000

    @property
    def cache_hit_share(self) -> float | None:
        """The share of input tokens that came from a cache; None where there is no input."""
        inputs = sum(self.usage.get(meter, 0) for meter in INPUTS)
        return self.usage.get("cache_read", 0) / inputs if inputs else None


def percentiles_ms(buckets: Mapping[int, int]) -> dict[str, float | None]:
    """The percentiles of SHARES in milliseconds, within 1 %; None where nothing was measured."""
    found = {name: quantile(buckets, share) for name, share in SHARES.items()}
    return {name: None if us is None else us / 1000 for name, us in found.items()}


def together(groups: Iterable[Performance]) -> Performance:
    """All groups as one."""
    outcomes: Counter[Outcome] = Counter()
    usage: Counter[str] = Counter()
    latency: Counter[int] = Counter()
    ttft: Counter[int] = Counter()
    output = output_us = 0
    for group in groups:
        outcomes.update(group.outcomes)
        usage.update(group.usage)
        latency.update(group.latency)
        ttft.update(group.ttft)
        output += group.timed_output
        output_us += group.timed_output_us
    return Performance(outcomes, usage, output, output_us, latency, ttft)
