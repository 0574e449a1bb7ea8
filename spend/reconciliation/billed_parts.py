"""One thing that is billed by the piece of time, and the parts that its difference is made of."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Final

from spend.periods import Period
from spend.reconciliation.billed_timing import moved

NOT_SPLIT: Final = "not split: the bill has no quantities"
SAME_FACTOR: Final = "the bill has no quantities, and is the same part of our estimate each day"
UNPRICED: Final = "heard, but without a price of ours"

_EXACT_ENOUGH: Final = Fraction(1, 10_000)
_ENOUGH_DAYS: Final = 3


@dataclass(slots=True)
class Cell:
    """What both sides say of one key in a piece of time; money in 1e-12 of the bill's currency."""

    source: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Currency -> what we estimate, in 1e-12 of it."""
    ours: int = 0
    """The same at our rate; the next at the provider's."""
    theirs: int = 0
    heard: Fraction = Fraction(0)
    """Units."""
    priced: Fraction = Fraction(0)
    """Of these, what has a price of ours."""
    billed: int = 0
    is_billed: bool = False
    """Whether the bill has a line of it."""
    units: Fraction = Fraction(0)
    untold: bool = False
    """Whether some line does not tell how many units it is for."""
    elsewhere: int = 0
    """What bills of other periods say of it; so the next two."""
    elsewhere_units: Fraction = Fraction(0)
    elsewhere_untold: bool = False
    rates: list[tuple[Decimal, int]] = field(default_factory=list)
    """Rates that lines of the bill tell, each with its amount."""

    @property
    def is_heard(self) -> bool:
        """Whether we know anything of it."""
        return bool(self.heard or any(self.source.values()))


Part = dict[str, int]
"""A field of ``Buckets`` -> 1e-12."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The difference of one key."""

    by_piece: Mapping[Period, Part]
    notes: tuple[str, ...] = ()


def parts_of(cells: Mapping[Period, Cell], period: Period, known: Sequence[Period]) -> Parts:
    """Parts of what a bill of ``period`` says of one key.

    ``known``: periods of other bills, whose pieces of time can be compared as well.
    """
    if not any(cell.is_heard for cell in cells.values()):
        return Parts({piece: {"scope": cell.billed} for piece, cell in cells.items()})
    inside = {piece: cell for piece, cell in cells.items() if within(piece, period)}
    by_piece = {
        piece: {"timing": cell.billed} for piece, cell in cells.items() if piece not in inside
    }
    counted = not any(cell.untold for cell in inside.values())
    units = _Units(cells, inside, counted=counted)
    notes = []
    if not units.price_known:
        notes.append(UNPRICED)
    elif not counted and _is_same_factor(inside.values()):
        units.price_known = False
        if any(cell.billed != cell.theirs for cell in inside.values()):
            notes.append(SAME_FACTOR)
    timing = _timing(units, cells, inside, known) if units.price_known else {}
    for piece, cell in inside.items():
        by_piece[piece] = _parts_of_piece(units, piece, cell, timing.get(piece, (Fraction(0), 0)))
        if (
            not counted
            and NOT_SPLIT not in notes
            and by_piece[piece]["more"] + by_piece[piece]["less"]
        ):
            notes.append(NOT_SPLIT)
    return Parts(by_piece, tuple(notes))


def within(piece: Period, period: Period) -> bool:
    """Whether a piece of time begins in a period."""
    return period.start <= piece.start < period.end


class _Units:
    """How much is heard and billed, and what a unit costs us; of a bill without units, money is."""

    def __init__(
        self, cells: Mapping[Period, Cell], inside: Mapping[Period, Cell], *, counted: bool
    ) -> None:
        self.counted = counted
        self._cells = cells
        cost, priced = (
            sum(cell.theirs for cell in cells.values()),
            sum(self.priced(cell) for cell in cells.values()),
        )
        self._average = Fraction(cost) / priced if cost and priced else None
        self.price_known = self._average is not None or any(
            cell.theirs == 0 and cell.priced for cell in inside.values()
        )

    def heard(self, cell: Cell) -> Fraction:
        return cell.heard if self.counted else Fraction(cell.theirs)

    def priced(self, cell: Cell) -> Fraction:
        return cell.priced if self.counted else Fraction(cell.theirs)

    def billed(self, cell: Cell) -> Fraction:
        return cell.units if self.counted else Fraction(cell.billed)

    def elsewhere(self, cell: Cell) -> Fraction:
        if self.counted:
            return Fraction(0) if cell.elsewhere_untold else cell.elsewhere_units
        return Fraction(cell.elsewhere)

    def worth(self, piece: Period, quantity: Fraction) -> int:
        """What units cost at our price of a piece of time, or else of all of them."""
        cell = self._cells[piece]
        priced = self.priced(cell)
        if priced > 0 and cell.theirs > 0:
            return round(cell.theirs * quantity / priced)
        return round((self._average or 0) * quantity)


def _timing(
    units: _Units,
    cells: Mapping[Period, Cell],
    inside: Mapping[Period, Cell],
    known: Sequence[Period],
) -> dict[Period, tuple[Fraction, int]]:
    """For each piece of the period the units billed elsewhere (negative) or from elsewhere."""
    found: dict[Period, tuple[Fraction, int]] = {}

    def add(piece: Period, quantity: Fraction, worth: int) -> None:
        before = found.get(piece, (Fraction(0), 0))
        found[piece] = (before[0] + quantity, before[1] + worth)

    differences = {}
    for piece, cell in cells.items():
        comparable = piece in inside or any(within(piece, each) for each in known)
        if not comparable or (cell.elsewhere_untold and units.counted):
            continue
        lacks = units.heard(cell) - units.billed(cell)
        other = min(units.elsewhere(cell), max(lacks, Fraction(0)))
        if piece not in inside:
            other = units.elsewhere(cell)
        elif other > 0:
            # This very day is on a bill of another period, in part.
            add(piece, -other, -units.worth(piece, other))
        differences[piece] = other - lacks
    heard = {piece: units.heard(cell) for piece, cell in cells.items()}
    for move in moved(differences, heard):
        worth = units.worth(move.counted, move.quantity)
        if move.counted in inside:
            add(move.counted, -move.quantity, -worth)
        if move.billed in inside:
            add(move.billed, move.quantity, worth)
    return found


def _parts_of_piece(units: _Units, piece: Period, cell: Cell, timing: tuple[Fraction, int]) -> Part:
    quantity = 0
    if units.price_known:
        left = units.billed(cell) - units.heard(cell) - timing[0]
        quantity = units.worth(piece, left)
    return {
        "fx": cell.theirs - cell.ours,
        "timing": timing[1],
        "more": max(quantity, 0),
        "less": min(quantity, 0),
        "price": cell.billed - cell.theirs - timing[1] - quantity,
    }


def _is_same_factor(cells: Iterable[Cell]) -> bool:
    """Whether each day's bill is one factor times our estimate.

    What is not heard is rarely the same part of each day; another price is.
    """
    both = [cell for cell in cells if cell.theirs or cell.billed]
    if len(both) < _ENOUGH_DAYS or any(cell.theirs <= 0 or cell.billed <= 0 for cell in both):
        return False
    factor = Fraction(sum(cell.billed for cell in both), sum(cell.theirs for cell in both))
    return all(
        abs(cell.billed - factor * cell.theirs) <= cell.billed * _EXACT_ENOUGH for cell in both
    )
