"""Bars by day, as small as a word: they stand in a row of a table. Amounts, or shares of 1."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from markupsafe import Markup

_STEP: Final = 4
_WIDTH: Final = 3
_HEIGHT: Final = 20


def amount_bars(amounts: Sequence[Decimal], said: str) -> Markup:
    """An SVG of a bar for each amount, the largest as high as there is room.

    ``said``: what readers of screens are told instead. Nothing where all are 0.
    """
    most = max(amounts, default=Decimal(0))
    if most <= 0:
        return Markup()
    bars = "".join(
        f"M{place * _STEP} {_HEIGHT}v-{max(1, round(_HEIGHT * amount / most))}h{_WIDTH}V{_HEIGHT}z"
        for place, amount in enumerate(amounts)
        if amount > 0
    )
    return Markup(
        '<svg class="day-bars" role="img" aria-label="{}" viewBox="0 0 {} {}"'
        ' preserveAspectRatio="none" focusable="false"><path d="{}"/></svg>'
    ).format(said, _STEP * len(amounts) - 1, _HEIGHT, bars)


def share_bars(shares: Sequence[Decimal | None], title: str) -> Markup:
    """A bar for each share (0 to 1), in order; none where it is unknown."""
    parts = []
    for place, share in enumerate(shares):
        if share is None:
            continue
        x = place * _STEP
        parts.append(f'<rect class="ground" x="{x}" width="{_WIDTH}" height="{_HEIGHT}"/>')
        high = round(min(max(float(share), 0.0), 1.0) * _HEIGHT, 2)
        if high:
            y = round(_HEIGHT - high, 2)
            parts.append(f'<rect class="filled" x="{x}" y="{y}" width="{_WIDTH}" height="{high}"/>')
    width = max(len(shares) * _STEP - 1, 1)
    head = Markup(
        '<svg class="spark" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img"'
        ' focusable="false" aria-label="{2}">'
    ).format(width, _HEIGHT, title)
    return head + Markup("".join(parts)) + Markup("</svg>")  # noqa: S704 - figures alone
