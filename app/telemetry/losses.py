"""Counts spans of ours that nobody gets, and tells the log of it once in a while."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Final

import structlog

from store.steps import LOST_FOR

log = structlog.get_logger(__name__)

QUEUE, RECEIVER = LOST_FOR
TOLD_EVERY: Final = 300.0
"""Seconds between two lines of the log about the same trouble."""


class Losses:
    """How many were lost since the process began, by why. Any thread may."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._counts = Counter(dict.fromkeys(LOST_FOR, 0))
        self._full_told_at: float | None = None
        self._lock = Lock()

    def __call__(self) -> Mapping[str, int]:
        """Until now."""
        with self._lock:
            return dict(self._counts)

    def not_taken(self, spans: int) -> None:
        """The receiver did not take so many."""
        with self._lock:
            self._counts[RECEIVER] += spans

    def no_room(self) -> None:
        """One found no room: the oldest that waited went for it."""
        now = self._monotonic()
        with self._lock:
            self._counts[QUEUE] += 1
            told_at, lost = self._full_told_at, self._counts[QUEUE]
            if told_at is not None and now - told_at < TOLD_EVERY:
                return
            self._full_told_at = now
        log.warning("our traces come faster than they are taken", spans_lost_since_start=lost)
