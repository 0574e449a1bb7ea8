"""Whether closed months are what they were closed as, part by part."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

LEDGER: Final = "ledger lines"
USAGE: Final = "usage lines"
STATEMENT: Final = "statement"
DAYS: Final = "sums of days"
RECORD: Final = "record"
LINK: Final = "link"
HISTORY: Final = "history"
BOUND: Final = "bound"


@dataclass(frozen=True, slots=True)
class Broken:
    """A part of a closed month that is not what was recorded."""

    month: str
    part: str
    """One of the above."""
    said: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What became of a month's proof."""

    month: str
    hash: str | None
    """Of its record; None: the record is gone."""
    lines: int
    """Of the ledger and of usage, that were read."""
    broken: Sequence[Broken]
    """Empty: it is what it was closed as."""
