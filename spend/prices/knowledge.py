"""By which moment of knowledge a call is priced. The law of docs/decisions/008-knowledge.md.

A slot *s* is priced by the book as it was known at K(s): the start of the slot, or the moment that
the last re-pricing which has reached *s* was asked to go by. Where a meter had no price then, not
even one it falls back on, the first later moment counts at which it got one: what could not be
priced is priced as soon as it can be, and that never changes by itself afterwards.
- Meters are looked at one by one, each with those it falls back on.
- A meter that is a part of another (audio, images) and one that nothing depends on (requests, tool
  calls) has no moment of its own: it follows the meter that it is a part of, or belongs to.
- Discounts and surcharges are those known at the moment of the line that they change.

So what a call costs follows from its usage, the history of the book and the re-pricings: from no
order in which calls, prices or jobs came.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from spend.slots import slot_of


@dataclass(frozen=True, slots=True)
class Repriced:
    """A time (UTC, half-open, quarter hours) that a re-pricing has been through."""

    id: int
    starts: datetime
    ends: datetime
    """How far it has come, not how far it will."""
    known_at: datetime


class Knowledge:
    """K(s) for every slot, by the re-pricings so far. Never changes."""

    def __init__(self, repriced: Iterable[Repriced] = ()) -> None:
        """``repriced`` in any order: of several that hold a slot the highest id counts."""
        done = sorted(
            (each for each in repriced if each.starts < each.ends), key=lambda each: -each.id
        )
        self.moments = tuple(sorted({edge for each in done for edge in (each.starts, each.ends)}))
        """Where K(s) leaves off being the slot itself, or one moment for all: UTC, ascending."""
        self._by_stretch = [
            next((each for each in done if each.starts <= start < each.ends), None)
            for start in self.moments
        ]

    def of(self, at: datetime) -> datetime:
        """K of the slot that holds ``at``, UTC."""
        place = bisect_right(self.moments, at) - 1
        repriced = self._by_stretch[place] if place >= 0 else None
        return slot_of(at) if repriced is None else repriced.known_at


def was_known(known_from: datetime | None, known_to: datetime | None, at: datetime | None) -> bool:
    """Whether what is known from when to when was known at a moment; None: is known now."""
    if at is None:
        return known_to is None
    return (known_from is None or known_from <= at) and (known_to is None or at < known_to)


AS_HEARD = Knowledge()
"""Nothing has been re-priced: every slot goes by what was known at its start."""
