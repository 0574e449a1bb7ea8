"""Counts what this process runs, and whether its clock ticks."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Final

from spend.durations import WORK, Durations
from spend.job_ticks import EVERY

DONE: Final = "done"
FAILED: Final = "failed"
AWAY: Final = "away"
OUTCOMES: Final = (DONE, FAILED, AWAY)
BEATS_EVERY: Final = 1
"""Seconds."""
DEAD_AFTER: Final = 30.0
"""Seconds without a beat, after which nobody expects one."""


@dataclass(slots=True)
class Counts:
    """Since the process began."""

    runs: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Job and one of OUTCOMES -> runs; ``AWAY``: Postgres was not reached."""
    took: dict[tuple[str, ...], Durations] = field(
        default_factory=lambda: {(job,): Durations(WORK) for job in EVERY}
    )
    """Job -> how long its runs took."""
    running: Counter[str] = field(default_factory=Counter)
    """Job -> 1 while it runs."""
    beat_at: datetime | None = None
    """When the clock ticked last (UTC)."""


class RunCounts:
    """What was run. Any thread may count, and ask."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._counts = Counts()
        self._lock = Lock()
        self._beat = monotonic()

    def counts(self) -> Counts:
        """Up to now."""
        with self._lock:
            return deepcopy(self._counts)

    def beats(self, now: datetime) -> None:
        """The clock ticks."""
        with self._lock:
            self._counts.beat_at = now
            self._beat = self._monotonic()

    @property
    def lives(self) -> bool:
        """Whether the clock ticked lately; at first it has time to begin."""
        return self._monotonic() - self._beat < DEAD_AFTER

    def ended(self, job: str, outcome: str) -> None:
        """A tick of a job that was ours came to one of OUTCOMES."""
        with self._lock:
            self._counts.runs[job, outcome] += 1

    @contextmanager
    def running(self, job: str) -> Iterator[None]:
        """A job runs in the block."""
        began = self._monotonic()
        with self._lock:
            self._counts.running[job] += 1
        try:
            yield
        finally:
            took = self._monotonic() - began
            with self._lock:
                self._counts.running[job] -= 1
                self._counts.took[job,].note(took)
