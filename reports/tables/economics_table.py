"""A pool's economics as tables for a terminal of 80 columns or more."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from reports.tables.table_parts import UNKNOWN, shown_money, shown_name, signed_money, small_table
from spend.capacity.against_api import Comparison, PoolEconomics
from spend.capacity.economics import (
    MILLION,
    Economics,
    TeamLine,
    TokenCost,
    per_million,
    token_cost,
)
from spend.money import rounded, rounded_lines
from spend.owners import IDLE

_STEPS: Final = 4
_FIELDS: Final = {
    "break_even_tokens": "break-even",
    "break_even_utilisation": "utilisation",
    "break_even_date": "date",
}
_CHEAPER: Final = {
    "pool": "the pool is cheaper",
    "api": "the API is cheaper",
    "same": "they cost the same",
}


def economics_table(found: PoolEconomics, view: str, when: str) -> RenderableType:
    """What a pool's tokens cost, who used it, and APIs beside it. ``when``: its time, in words."""
    whole, currency = found.whole, found.pool.currency
    title = Text.assemble(
        (shown_name(found.pool.name), "bold"),
        f"\n{when}: {whole.hours:,} hours, amounts in {currency}\n",
    )
    if not whole.hours:
        return Group(title, Text("No hour of it is settled in this time."))
    parts: list[RenderableType] = [title, _costs(whole, currency)]
    parts += [Text("\nFor 1M tokens", style="bold"), _prices(whole)]
    parts += [Text("\nWho used it", style="bold"), _teams(whole, view, currency)]
    for target, each in found.against:
        at = f"{found.prices_at:%Y-%m-%d %H:%M}"
        heading = f"\nAgainst {shown_name(target.name)}, by its prices of {at} UTC"
        parts += [Text(heading, style="bold"), *_against(each, currency)]
    return Group(*parts)


def _costs(whole: Economics, currency: str) -> Table:
    table = small_table("Cost", "Amount", "Share")
    cost = rounded(whole.cost, currency)
    shown = rounded_lines([part.amount for part in whole.components], currency, shown=cost)
    for part, amount in zip(whole.components, shown, strict=True):
        share = _percent(_ratio(part.amount, whole.cost))
        table.add_row(Text(shown_name(part.name)), shown_money(amount, currency), share)
    table.add_row("total", shown_money(cost, currency), "", style="bold")
    busy, idle = rounded_lines([whole.whole.busy_cost, whole.idle_cost], currency, shown=cost)
    table.add_row("of it busy", shown_money(busy, currency), _percent(whole.busy_share))
    idle_share = None if whole.busy_share is None else 1 - whole.busy_share
    table.add_row("of it idle", shown_money(idle, currency), _percent(idle_share))
    used = "no capacity is declared" if whole.capacity is None else _percent(whole.of_capacity)
    table.add_row("capacity used", "", used)
    return table


def _prices(whole: Economics) -> Table:
    table = small_table("", "Input", "Output", "All tokens")
    table.add_row("with idle hours (compare this)", *_three(whole.allocation))
    table.add_row("busy share alone", *_three(whole.used))
    return table


def _three(cost: TokenCost) -> list[str]:
    return [_price(each) for each in (cost.input, cost.output, cost.blended)]


def _teams(whole: Economics, view: str, currency: str) -> Table:
    table = small_table("Team", "Calls", "M tokens", "Busy", "Idle", "Cost", "For 1M")
    table.padding = (0, 2, 0, 0)
    team, *figures = table.columns
    team.no_wrap, team.max_width = True, 18
    for column in figures:
        # A figure that is cut is another one.
        column.overflow = "fold"
    lines = whole.teams(view)
    for line, cost in zip(lines, _shown_costs(whole, lines, currency), strict=True):
        busy, idle = rounded_lines([line.use.busy_cost, line.idle_cost], currency, shown=cost)
        blended = token_cost(line.cost, line.use.usage).blended
        table.add_row(
            Text(shown_name(line.team)),
            f"{line.use.calls:,}",
            _millions(line.use.tokens),
            *(shown_money(each, currency) for each in (busy, idle, cost)),
            _price(blended) if line.use.tokens else "",
        )
    return table


def _shown_costs(whole: Economics, lines: Sequence[TeamLine], currency: str) -> Sequence[Decimal]:
    """Costs in whole coins, that add up to what is shown of all: idle as it is shown there."""
    cost = rounded(whole.cost, currency)
    both = [whole.whole.busy_cost, whole.idle_cost]
    busy, idle = rounded_lines(both, currency, shown=cost)
    own = [line for line in lines if line.team == IDLE]
    others = [line.cost for line in lines if line.team != IDLE]
    shown = list(rounded_lines(others, currency, shown=busy if own else cost))
    return [idle if line.team == IDLE else shown.pop(0) for line in lines]


def _against(each: Comparison, currency: str) -> Iterator[RenderableType]:
    if each.api_cost is None or each.price is None:
        why = each.reasons.get("api_cost") or each.reasons.get("break_even_tokens", UNKNOWN)
        yield Text(f"  not known: {why}")
        return
    difference = each.difference or Decimal(0)
    facts = small_table("", "", words=1)
    facts.show_header = False
    facts.add_row("it would have cost", shown_money(rounded(each.api_cost, currency), currency))
    facts.add_row("difference to the pool", signed_money(rounded(difference, currency), currency))
    facts.add_row("so", _CHEAPER[each.cheaper or "same"])
    facts.add_row("for 1M tokens", _price(per_million(each.price * MILLION)))
    even = each.even
    for name, told in (
        ("M tokens a month now", each.tokens_now and _millions(each.tokens_now)),
        ("break-even, M tokens a month", even.tokens and _millions(even.tokens)),
        ("machines that it takes", even.machines),
        ("break-even, of what one can do", even.utilisation and _percent(even.utilisation)),
        ("volume gets there on", each.on),
    ):
        if told is not None:
            facts.add_row(name, str(told))
    yield facts
    for name, why in each.reasons.items():
        yield Text(f"  {_FIELDS.get(name, name)}: {why}", style="dim")
    if each.steps:
        yield _steps(each, currency)


def _steps(each: Comparison, currency: str) -> Table:
    table = small_table("Machines", "A month", "Up to M tokens", "Cheaper from")
    for step in each.steps[:_STEPS]:
        cost = rounded(per_million(step.cost), currency)
        table.add_row(
            str(step.machines),
            shown_money(cost, currency),
            _millions(step.up_to),
            "never" if step.cheaper_from is None else _millions(step.cheaper_from),
        )
    return table


def _price(price: Decimal | None) -> str:
    """For 1M tokens, with as many decimals as tell something."""
    if price is None:
        return UNKNOWN
    return f"{price:,.2f}" if price >= 100 else f"{price:,.4f}"  # noqa: PLR2004 - a hundred


def _percent(share: Fraction | None) -> str:
    return UNKNOWN if share is None else f"{Decimal(round(share * 1000)) / 10:.1f} %"


def _ratio(part: Decimal, whole: Decimal) -> Fraction | None:
    return Fraction(part) / Fraction(whole) if whole else None


def _millions(tokens: int) -> str:
    return f"{Decimal(tokens) / MILLION:,.1f}"
