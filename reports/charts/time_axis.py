"""The axis of times of day: as many labels as there is room for, and of a day's first its date.

Names are those of moments, ``22 Nov 11:00`` or ``11:00``, or of whole days, ``22 Nov``.
"""

from collections.abc import Sequence
from itertools import pairwise
from statistics import mode
from typing import Any, Final

_DAY: Final = 24 * 60
_WIDE: Final = 46
"""Pixels that a label takes, with what is left free beside it."""
_CLOCK: Final = "slice(datum.value, -5)"
_MINUTES: Final = f"(60 * toNumber(slice({_CLOCK}, 0, 2)) + toNumber(slice({_CLOCK}, 3)))"
_STEPS: Final = (1, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720, _DAY)


def time_axis(names: Sequence[str]) -> dict[str, Any]:
    """An ``axis`` of Vega-Lite for an ordinal scale of these names."""
    axis: dict[str, Any] = {"title": None, "labelAngle": 0, "ticks": False}
    lengths = [(_minutes(after) - _minutes(name)) % _DAY for name, after in pairwise(names)]
    # The most frequent: where clocks are set back two pieces are nearer to each other.
    length = mode([each for each in lengths if each] or [0])
    if not length:
        return {**axis, "labelOverlap": "greedy"}
    # Pieces are cut by UTC: by the clock of a zone they may begin at 01:00, 03:00, or at half past.
    begun = f"({_MINUTES} - {_MINUTES} % {length})"
    first = f"{begun} == 0"
    date = f"{_CLOCK} == '00:00' ? slice(datum.value, 0, -6) || {_CLOCK} : datum.value"
    return {
        **axis,
        # Which of them overlap is known before they are drawn, and those that stay are round.
        "labelOverlap": "greedy",
        "labelExpr": f"{begun} % {_step(len(names), length)} != 0 ? ''"
        f" : {first} ? ({date}) : {_CLOCK}",
        "labelFontWeight": {"condition": {"test": first, "value": "bold"}, "value": "normal"},
    }


def _minutes(name: str) -> int:
    """Since midnight; 0 of a name of a day."""
    hours, colon, minutes = name[-5:].partition(":")
    return 60 * int(hours) + int(minutes) if colon else 0


def _step(count: int, length: int) -> str:
    """Minutes from one label to the next, as an expression of the width."""
    fitting = [each for each in _STEPS if each >= length and each % length == 0] or [_DAY]
    *most, last = fitting
    chosen = str(last)
    for step in reversed(most):
        chosen = f"(width >= {-(-count * length // step) * _WIDE} ? {step} : {chosen})"
    return chosen
