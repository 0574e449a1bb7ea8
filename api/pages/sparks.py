"""Small drawings in a line of a table: shares by day as bars."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from markupsafe import Markup

_HIGH: Final = 20
_STEP: Final = 4
_WIDE: Final = 3


def share_bars(shares: Sequence[Decimal | None], title: str) -> Markup:
    """A bar for each share (0 to 1), in order; none where it is unknown."""
    parts = []
    for place, share in enumerate(shares):
        if share is None:
            continue
        x = place * _STEP
        parts.append(f'<rect class="ground" x="{x}" width="{_WIDE}" height="{_HIGH}"/>')
        high = round(min(max(float(share), 0.0), 1.0) * _HIGH, 2)
        if high:
            y = round(_HIGH - high, 2)
            parts.append(f'<rect class="filled" x="{x}" y="{y}" width="{_WIDE}" height="{high}"/>')
    width = max(len(shares) * _STEP - 1, 1)
    head = Markup(
        '<svg class="spark" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img"'
        ' focusable="false" aria-label="{2}">'
    ).format(width, _HIGH, title)
    return head + Markup("".join(parts)) + Markup("</svg>")  # noqa: S704 - figures alone
