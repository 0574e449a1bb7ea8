"""Waits until the reports have what was sent, or it is plain that they will not."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from app.canary.clocks import TOLERANCE, Ahead
from app.canary.doors import Doors
from app.canary.report import Sum, Window, last_posted, spent

STANDS_STILL: Final = 90.0
"""Seconds after which a watermark that does not move will not: the jobs tick each half a minute."""
_UNANSWERED: Final = 20.0
"""Seconds of nothing but failures after which nobody is there."""
_PAUSE: Final = 1.0
_ABOUT: Final = timedelta(seconds=TOLERANCE)

Say = Callable[[str], None]


class End(Enum):
    """Why nothing is waited for any more."""

    SETTLED = "settled"
    STILL = "stands still"
    UNANSWERED = "unanswered"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class Waited:
    """What was seen while waiting."""

    end: End
    last: Sum
    seconds: float
    """Since what was sent was acknowledged."""
    moved: bool
    """Whether the watermark moved."""
    jobs_ahead: float | None
    """Seconds that the watermark was ahead of the canary's clock, the most; None: it told none."""
    database: Ahead | None
    """How far the database's clock is ahead; None: nothing was posted meanwhile."""


class Waiting:
    """Looks at the reports each second. It begins before anything is sent."""

    def __init__(
        self, doors: Doors, window: Window, clock: Callable[[], datetime], say: Say
    ) -> None:
        self._doors, self._window, self._clock, self._say = doors, window, clock, say
        self.before = spent(doors, window)
        """How it was before anything was sent."""
        self._ledger = last_posted(doors, window)
        self._ledger_at = clock()
        self._database: Ahead | None = None
        self._ahead: float | None = None
        self._note_ahead(self.before)

    def wait(
        self, sent: tuple[datetime, datetime], *, timeout: float, still: float = STANDS_STILL
    ) -> Waited:
        """Waits until everything that was answered before the end of ``sent`` is in the reports.

        ``sent`` is when the first and the last request were, by the collector's clock; ``timeout``
        and ``still`` are seconds. A watermark that has moved to the first of them may stand there
        for as long as calls wait for their twins: it is the oldest that waits.
        """
        first, goal = sent
        began = time.monotonic()
        latest, answered_at, moved_at = self.before, began, None
        while True:
            time.sleep(_PAUSE)
            now = spent(self._doors, self._window)
            waited = time.monotonic() - began
            if now.reply.ok:
                answered_at = time.monotonic()
                if now.complete_until != latest.complete_until:
                    moved_at = answered_at
                latest = now
                self._note_ahead(now)
                self._look_at_ledger()
            end = self._ended(
                latest,
                goal,
                late=waited >= timeout,
                still=time.monotonic() - (moved_at or began) >= still
                and not (moved_at and _is_past(latest, first - _ABOUT)),
                unanswered=time.monotonic() - answered_at >= _UNANSWERED,
            )
            if end is not None:
                last = now if end is End.UNANSWERED else latest
                moved = moved_at is not None
                return Waited(end, last, waited, moved, self._ahead, self._database)
            self._say(_told(latest, goal, waited))

    def _ended(
        self, latest: Sum, goal: datetime, *, late: bool, still: bool, unanswered: bool
    ) -> End | None:
        if _is_past(latest, goal):
            return End.SETTLED
        if unanswered:
            return End.UNANSWERED
        if still:
            return End.STILL
        return End.TIMEOUT if late else None

    def _note_ahead(self, seen: Sum) -> None:
        if seen.complete_until is not None:
            ahead = (seen.complete_until - self._clock()).total_seconds()
            self._ahead = ahead if self._ahead is None else max(self._ahead, ahead)

    def _look_at_ledger(self) -> None:
        """A line that is new was posted since we looked last, whatever its time says."""
        looked_at = self._clock()
        posted = last_posted(self._doors, self._window)
        if posted is not None and posted != self._ledger:
            self._database = (
                (posted[1] - self._clock()).total_seconds(),
                (posted[1] - self._ledger_at).total_seconds(),
            )
        self._ledger, self._ledger_at = posted or self._ledger, looked_at


def _is_past(seen: Sum, moment: datetime) -> bool:
    return seen.complete_until is not None and seen.complete_until >= moment


def _told(latest: Sum, goal: datetime, waited: float) -> str:
    if latest.complete_until is None:
        return f"{waited:,.0f} s: the reports do not say yet how far they are complete"
    lacks = (goal - latest.complete_until) / timedelta(seconds=1)
    return f"{waited:,.0f} s: the reports lack {lacks:,.0f} s"
