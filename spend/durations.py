"""How long things took, counted between bounds: what Prometheus' histograms are made of."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

REQUESTS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bounds in seconds, of what somebody waits for."""
WORK: Final = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
"""Of what runs by itself."""


class Durations:
    """Counts by bounds, and the sum of all. One thread at a time."""

    __slots__ = ("bounds", "counts", "seconds")

    def __init__(
        self,
        bounds: Sequence[float] = REQUESTS,
        counts: Sequence[int] = (),
        seconds: float = 0.0,
    ) -> None:
        """``counts``: one for each bound and one beyond; of another number they are left out."""
        self.bounds = bounds
        fits = len(counts) == len(bounds) + 1
        self.counts = list(counts) if fits else [0] * (len(bounds) + 1)
        self.seconds = seconds if fits else 0.0

    def note(self, seconds: float) -> None:
        """One more took so long. A bound counts as below it, as Prometheus' ``le`` has it."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.seconds += seconds

    def add(self, other: "Durations") -> None:
        """The other's, too; both have the same bounds."""
        self.counts = [
            ours + theirs for ours, theirs in zip(self.counts, other.counts, strict=True)
        ]
        self.seconds += other.seconds
