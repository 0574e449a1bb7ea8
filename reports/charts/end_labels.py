"""Names of lines, each where its line ends, close by where they would stand on one another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_GAP: Final = 15
"""Pixels between the middles of two labels."""


@dataclass(frozen=True, slots=True)
class EndLabel:
    """The name of a line."""

    text: str
    at: float
    """Where the line ends, in what the axis measures."""
    colour: str
    bold: bool = False


def spaced(
    labels: Sequence[EndLabel], domain: tuple[float, float], height: int
) -> list[tuple[EndLabel, float]]:
    """Labels in the domain of an axis that is so many pixels high, and where they stand."""
    bottom, top = domain
    gap = _GAP * (top - bottom) / height
    heaps: list[list[EndLabel]] = []
    inside = (each for each in labels if bottom <= each.at <= top)
    for label in sorted(inside, key=lambda each: each.at):
        heaps.append([label])
        while len(heaps) > 1 and _foot(heaps[-1], gap) < _head(heaps[-2], gap) + gap:
            above = heaps.pop()
            heaps[-1] = heaps[-1] + above
    return [
        (label, _foot(heap, gap) + gap * place)
        for heap in heaps
        for place, label in enumerate(heap)
    ]


def _foot(heap: Sequence[EndLabel], gap: float) -> float:
    """Where the lowest label of a heap stands, whose middle is in the middle of their lines."""
    return sum(each.at for each in heap) / len(heap) - gap * (len(heap) - 1) / 2


def _head(heap: Sequence[EndLabel], gap: float) -> float:
    return _foot(heap, gap) + gap * (len(heap) - 1)
