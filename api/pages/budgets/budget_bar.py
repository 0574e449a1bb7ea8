"""The bar of a budget: what is spent and expected of its limit, its thresholds as marks."""

from decimal import Decimal
from typing import Final

from markupsafe import Markup

from spend.budgets.budget_attention import EXPECTED, OVER, RECOVERED, WARNING, Stands

TONES: Final = {OVER: "bad", EXPECTED: "warn", WARNING: "warn", RECOVERED: "good"}
"""Of a word of ``spend/budgets/budget_attention.py``; of the others none."""

_HUNDRED: Final = Decimal(100)


def budget_bar(stands: Stands) -> Markup:
    """An SVG that is as wide as there is room; hidden from readers of screens: the text says it.

    All of it is the limit, or more where more is spent or expected; the limit is the tall mark.
    """
    spent, limit = stands.spent or Decimal(0), stands.limit
    forecast = stands.forecast if stands.spent is not None else None
    high = forecast.high if forecast else spent
    whole = max(limit, spent, high)
    if not whole:
        whole = Decimal(1)

    def at(amount: Decimal) -> str:
        return f"{min(max(amount, Decimal(0)) * _HUNDRED / whole, _HUNDRED):.2f}"

    parts = [Markup('<rect class="ground" y="3" width="{}" height="8"/>').format(at(limit))]
    if forecast is not None:
        low = max(forecast.low, spent)
        band = Markup('<rect class="ahead" x="{}" y="3" width="{}" height="8"/>')
        parts.append(band.format(at(low), at(max(high - low, Decimal(0)))))
        parts.append(_mark("expected", at(forecast.expected), 3, 8))
    parts.append(Markup('<rect class="filled" y="3" width="{}" height="8"/>').format(at(spent)))
    for percent in stands.budget.terms.thresholds:
        amount = limit * percent / _HUNDRED
        if amount != limit and amount <= whole:
            parts.append(_mark("mark", at(amount), 3, 8))
    if limit < whole:
        parts.append(_mark("limit", at(limit), 0, 14))
    svg = Markup(
        '<svg class="bar budget {}" viewBox="0 0 100 14" preserveAspectRatio="none"'
        ' aria-hidden="true" focusable="false">{}</svg>'
    )
    return svg.format(TONES.get(stands.word, ""), Markup().join(parts))


def _mark(kind: str, at: str, top: int, height: int) -> Markup:
    # A line, whose width the browser keeps however wide the bar is drawn.
    line = Markup('<line class="{}" x1="{}" x2="{}" y1="{}" y2="{}"/>')
    return line.format(kind, at, at, top, top + height)
