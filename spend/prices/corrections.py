"""How a book of prices or discounts takes in new lines: what was known is closed, never changed.

A new line that overlaps one we knew corrects what we knew: the old line is closed as knowledge,
and those stretches of it that the new one leaves alone are opened again.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar

from spend.prices.discounts import Discount
from spend.prices.prices import PriceLine

Line = TypeVar("Line", PriceLine, Discount)


@dataclass(frozen=True, slots=True)
class Correction(Generic[Line]):
    """What to do to a book."""

    closed: tuple[Line, ...]
    """Lines of the book that are no longer believed."""
    opened: tuple[Line, ...]
    """Lines to add, without an id."""


def corrected(known: Sequence[Line], said: Iterable[Line]) -> Correction[Line]:
    """What makes ``known`` (lines with ids that do not overlap) agree with ``said``.

    Of two lines of ``said`` that overlap the later wins. A line that says what is known already
    changes nothing.
    """
    pieces: dict[object, list[Line]] = defaultdict(list)
    for line in known:
        pieces[line.subject].append(line)
    for new in said:
        current = pieces[new.subject]
        if any(new.said == line.said for line in current):
            continue
        current[:] = [piece for line in current for piece in _without(line, new)]
        current.append(_not_yet_known(new))
    kept = {line.id for lines in pieces.values() for line in lines if line.id is not None}
    return Correction(
        closed=tuple(line for line in known if line.id not in kept),
        opened=tuple(line for lines in pieces.values() for line in lines if line.id is None),
    )


def moment_of(closed: Iterable[Line], now: datetime) -> datetime:
    """When knowledge changes: ``now``, or where a clock was set back, when the last of it began.

    Knowledge must not end before its beginning.
    """
    return max([now, *(line.known_from for line in closed if line.known_from is not None)])


def overlap(one: Line, other: Line) -> bool:
    """Whether two lines of one subject hold at one time."""
    return (
        one.subject == other.subject
        and (one.valid_to is None or one.valid_to > other.valid_from)
        and (other.valid_to is None or other.valid_to > one.valid_from)
    )


def _without(line: Line, new: Line) -> list[Line]:
    """What remains of ``line`` beside ``new``; itself when they do not meet."""
    if not overlap(line, new):
        return [line]
    pieces = []
    if line.valid_from < new.valid_from:
        pieces.append(replace(_not_yet_known(line), valid_to=new.valid_from))
    if new.valid_to is not None and (line.valid_to is None or line.valid_to > new.valid_to):
        pieces.append(replace(_not_yet_known(line), valid_from=new.valid_to))
    return pieces


def _not_yet_known(line: Line) -> Line:
    return replace(line, id=None, known_from=None, known_to=None)
