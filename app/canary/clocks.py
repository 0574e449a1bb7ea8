"""Whose clock is off: each is compared with what the others agree on.

A server's clock is told by the ``Date`` of its answers, that of the jobs by how far reports are
complete, the database's by when it posted the canary's lines. Nobody here knows the time itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Final

from app.canary.promises import (
    CLOCK_API,
    CLOCK_CANARY,
    CLOCK_COLLECTOR,
    CLOCK_DATABASE,
    CLOCK_JOBS,
    Proof,
)

TOLERANCE: Final = 5.0
"""Seconds, as the doctor's."""

Ahead = tuple[float, float]
"""Seconds that a clock is ahead of the canary's, from and to."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """What was seen of each clock; None: nothing."""

    collector: Ahead | None = None
    api: Ahead | None = None
    database: Ahead | None = None
    jobs_ahead: float | None = None
    """At least so many seconds; below 0 it says nothing, as the jobs may just be late."""


def judge_clocks(proof: Proof, seen: Clocks) -> None:
    """Tells of each clock whether it goes with the others."""
    told: Mapping[str, Ahead | None] = {
        CLOCK_CANARY: (0.0, 0.0),
        CLOCK_COLLECTOR: seen.collector,
        CLOCK_API: seen.api,
        CLOCK_DATABASE: seen.database,
    }
    known = {name: ahead for name, ahead in told.items() if ahead is not None}
    agreed = _agreed(known)
    for name in told:
        if name not in known:
            proof.not_reached(name, "nothing told its time")
        elif len(known) == 1:
            proof.not_reached(name, "there is no other clock to compare it with")
        else:
            _judge(proof, name, _off(known[name], agreed))
    if seen.jobs_ahead is None:
        proof.not_reached(CLOCK_JOBS, "the reports did not say how far they are complete")
    else:
        _judge(proof, CLOCK_JOBS, max(seen.jobs_ahead - agreed, 0))


def _agreed(known: Mapping[str, Ahead]) -> float:
    """What most of them say, in seconds ahead of the canary's."""
    return median((low + high) / 2 for low, high in known.values())


def _off(ahead: Ahead, agreed: float) -> float:
    """By how much a clock is ahead of the agreed time at least; negative: behind."""
    low, high = ahead
    return low - agreed if low > agreed else min(high - agreed, 0)


def _judge(proof: Proof, name: str, off: float) -> None:
    which = "ahead of" if off > 0 else "behind"
    said = f"{abs(off):,.0f} s {which} the others"
    proof.tell(name, [said] if abs(off) > TOLERANCE else [], "with the others")
