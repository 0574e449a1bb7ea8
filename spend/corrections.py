"""How a price book takes in new lines: what was known before is closed, never changed.

A new line that overlaps one we knew corrects what we knew: the old line is closed as knowledge,
and those stretches of it that the new one leaves alone are opened again.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from spend.prices import PriceLine


@dataclass(frozen=True, slots=True)
class Correction:
    """What to do to a book."""

    closed: tuple[PriceLine, ...]
    """Lines of the book that are no longer believed."""
    opened: tuple[PriceLine, ...]
    """Lines to add, without an id."""


def corrected(known: Sequence[PriceLine], said: Iterable[PriceLine]) -> Correction:
    """What makes ``known`` (lines with ids that do not overlap) agree with ``said``.

    Of two lines of ``said`` that overlap the later wins. A line that says what is known already
    changes nothing.
    """
    pieces: dict[object, list[PriceLine]] = defaultdict(list)
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


def overlap(one: PriceLine, other: PriceLine) -> bool:
    """Whether two lines of one subject hold at one time."""
    return (
        one.subject == other.subject
        and (one.valid_to is None or one.valid_to > other.valid_from)
        and (other.valid_to is None or other.valid_to > one.valid_from)
    )


def _without(line: PriceLine, new: PriceLine) -> list[PriceLine]:
    """What remains of ``line`` beside ``new``; itself when they do not meet."""
    if not overlap(line, new):
        return [line]
    pieces = []
    if line.valid_from < new.valid_from:
        pieces.append(replace(_not_yet_known(line), valid_to=new.valid_from))
    if new.valid_to is not None and (line.valid_to is None or line.valid_to > new.valid_to):
        pieces.append(replace(_not_yet_known(line), valid_from=new.valid_to))
    return pieces


def _not_yet_known(line: PriceLine) -> PriceLine:
    return replace(line, id=None, known_from=None, known_to=None)
