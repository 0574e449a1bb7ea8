"""Bars by day, as small as a word: they stand in a row of a table."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from markupsafe import Markup

_STEP: Final = 4
_HEIGHT: Final = 20


def day_bars(amounts: Sequence[Decimal], said: str) -> Markup:
    """An SVG of a bar for each amount, the largest as high as there is room.

    ``said``: what readers of screens are told instead. Nothing where all are 0.
    """
    most = max(amounts, default=Decimal(0))
    if most <= 0:
        return Markup()
    bars = "".join(
        f"M{place * _STEP} {_HEIGHT}v-{max(1, round(_HEIGHT * amount / most))}h3V{_HEIGHT}z"
        for place, amount in enumerate(amounts)
        if amount > 0
    )
    return Markup(
        '<svg class="day-bars" role="img" aria-label="{}" viewBox="0 0 {} {}"'
        ' preserveAspectRatio="none" focusable="false"><path d="{}"/></svg>'
    ).format(said, _STEP * len(amounts) - 1, _HEIGHT, bars)
