"""What a re-pricing makes different, as tables for a terminal: by team, and by model."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from reports.tables.table_parts import shown_money, shown_name, signed_money, small_table
from spend.money import rounded
from spend.prices.repricings import NO_DIFFERENCE, Difference

Named = tuple[str, str | None, str | None]
"""Team, provider, model."""

MOST_MODELS = 30


def repricing_table(different: Mapping[Named, Difference], currency: str) -> RenderableType:
    """Amounts before and after, by team and by provider and model; largest difference first.

    Each amount is rounded by itself; the total is that of the exact amounts. Unpriced are calls.
    """
    by_team = _summed((name[:1], each) for name, each in different.items())
    by_model = _summed((name[1:], each) for name, each in different.items())
    changed = {name: each for name, each in by_model.items() if each.lines}
    parts: list[RenderableType] = [_table(("Team",), by_team, currency, total=True)]
    if changed:
        parts += ["", _table(("Provider", "Model"), changed, currency, total=False)]
    if len(changed) > MOST_MODELS:
        parts.append(Text(f"and {len(changed) - MOST_MODELS:,} models more", style="dim"))
    return Group(*parts)


def _summed(
    parts: Iterator[tuple[tuple[str | None, ...], Difference]],
) -> dict[tuple[str | None, ...], Difference]:
    found: dict[tuple[str | None, ...], Difference] = defaultdict(lambda: NO_DIFFERENCE)
    for name, each in parts:
        found[name] = found[name].plus(each)
    return dict(found)


def _table(
    headers: Sequence[str],
    parts: Mapping[tuple[str | None, ...], Difference],
    currency: str,
    *,
    total: bool,
) -> Table:
    table = small_table(
        *headers,
        "Before",
        "After",
        "Difference",
        "Unpriced",
        words=len(headers),
    )
    ordered = sorted(parts.items(), key=lambda part: (-abs(part[1].amount), str(part[0])))
    for name, each in ordered if total else ordered[:MOST_MODELS]:
        table.add_row(*(Text(shown_name(word)) for word in name), *_figures(each, currency))
    if total:
        whole = NO_DIFFERENCE
        for each in parts.values():
            whole = whole.plus(each)
        table.add_row("Total", *_figures(whole, currency), style="bold")
    return table


def _figures(each: Difference, currency: str) -> tuple[str, ...]:
    was, now = f"{each.unpriced_before:,}", f"{each.unpriced_after:,}"
    return (
        shown_money(rounded(each.before, currency), currency),
        shown_money(rounded(each.after, currency), currency),
        signed_money(rounded(each.amount, currency), currency),
        was if was == now else f"{was} → {now}",
    )
