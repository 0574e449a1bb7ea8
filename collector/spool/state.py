"""How a spool is: whether more is taken, and what the doctor sees who looks from outside."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from collector.spool.folders import QUARANTINE, read_name, sizes_in

SPOOL: Final = "spool"
"""Its folder, in DATA_DIR."""
NEARLY: Final = 0.8
"""A share of what a spool takes at most."""
MIB: Final = 2**20


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is kept at most, by all processes that share the folder."""

    size: int = 1024 * MIB
    """Bytes on the disk, those in quarantine included."""
    age: timedelta = timedelta(days=1)
    """Once the oldest record has waited so long, nothing more is taken."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a spool is to be."""

    root: Path
    bounds: Bounds


@dataclass(frozen=True, slots=True)
class State:
    """What waits in a spool, and whether more is taken."""

    refuses: str | None
    """Why nothing more is taken; None where it is."""
    size: int
    """Bytes of all segments, other processes' and those in quarantine included."""
    nearly_full: bool
    """Over four fifths of what it takes, in bytes or in age."""
    records: int
    """Of this process, as all below."""
    spans: int
    oldest_at: datetime | None
    quarantined: int
    """Pieces kept aside, whoever did it."""

    @property
    def waiting(self) -> Counter[str]:
        """``records`` and ``spans`` that wait."""
        return Counter(records=self.records, spans=self.spans)


@dataclass(frozen=True, slots=True)
class Found:
    """What lies in a spool's folder."""

    size: int
    waiting: int
    """Bytes that are yet to be stored."""
    oldest_at: datetime | None
    quarantined: int


def look(root: Path) -> Found:
    """What lies in a spool, seen from outside. Raises OSError."""
    folders = [path for path in root.iterdir() if path.name.isdecimal()] if root.exists() else []
    waiting = {
        segment: size for path in folders for segment, size in sizes_in(path).items() if size
    }
    aside = sizes_in(root / QUARANTINE)
    return Found(
        size=sum(waiting.values()) + sum(aside.values()),
        waiting=sum(waiting.values()),
        oldest_at=min((read_name(segment.name).made_at for segment in waiting), default=None),
        quarantined=len(aside),
    )
