"""What budgets would have told, as a table for a terminal and as JSON."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from reports.tables.table_parts import shown_money
from spend.budgets.budget_periods import name_of
from spend.budgets.budget_preview import Message
from spend.budgets.budget_states import ACTUAL, FORECAST, PACE
from spend.budgets.budgets import Terms
from spend.moments import moment_text
from spend.money import plain, rounded
from spend.periods import Month, Period, month_of, months_in
from spend.slots import SLOT

BY_USE: Final = (
    "By the time of use: as if every call had been known and priced at once. In truth calls come"
    " late and prices are corrected, so that some of it would have been told later."
)
_KINDS: Final = {
    ACTUAL: ("threshold", "thresholds"),
    FORECAST: ("forecast", "forecasts"),
    PACE: ("pace", "pace"),
}
_MOST_MONTHS: Final = 14
"""Columns of a table."""


def preview_table(
    budgets: Sequence[Terms], messages: Sequence[Message], spans: Sequence[Period], months: int
) -> RenderableType:
    """How many messages each budget would have sent by month, each of them, and all in a line."""
    parts: list[RenderableType] = [_counts(budgets, messages, spans, months)]
    if messages:
        parts += [Text(""), _list(budgets, messages)]
    parts += [Text(f"\n{BY_USE}"), Text(f"\n{in_a_line(messages, months)}", style="bold")]
    return Group(*parts)


def in_a_line(messages: Sequence[Message], months: int) -> str:
    """Such as '14 messages in 6 months: 9 thresholds, 3 forecasts, 2 pace; noisiest: search'."""
    line = counted(len(messages), months)
    if not messages:
        return line
    kinds = Counter(_counted(each) for each in messages)
    told = [f"{kinds[each]} {each[kinds[each] > 1]}" for each in _COUNTED if kinds[each]]
    budgets = Counter(each.budget for each in messages)
    name, most = min(budgets.items(), key=lambda each: (-each[1], each[0]))
    return f"{line}: {', '.join(told)}; noisiest: {name} with {most}"


def counted(messages: int, months: int) -> str:
    """Such as '14 messages in 6 months'."""
    count = f"{messages} message{'' if messages == 1 else 's'}"
    return f"{count} in {months} month{'' if months == 1 else 's'}"


_COUNTED: Final = (*_KINDS.values(), ("recovered", "recovered"), ("reminder", "reminders"))


def _counted(message: Message) -> tuple[str, str]:
    what = message.change.what
    of_what = {"recovered": _COUNTED[-2], "reminder": _COUNTED[-1]}
    return of_what.get(what) or _KINDS[message.change.kind]


def preview_json(
    budgets: Sequence[Terms], messages: Sequence[Message], spans: Sequence[Period], months: int
) -> dict[str, Any]:
    """The same for programs: amounts as exact strings, times as UTC."""
    by_name = {each.name: each for each in budgets}
    counts = Counter(each.budget for each in messages)
    return {
        "months": months,
        "by": "time of use",
        "budgets": [
            {
                "name": each.name,
                "from": moment_text(span.start),
                "to": moment_text(span.end),
                "messages": counts[each.name],
            }
            for each, span in zip(budgets, spans, strict=True)
        ],
        "messages": [
            {
                "at": moment_text(each.at),
                "budget": each.budget,
                "what": each.change.what,
                "kind": each.change.kind,
                "threshold": each.change.threshold,
                "period": name_of(by_name[each.budget], each.period),
                "spent": plain(each.spent),
                "limit": plain(each.limit),
                "currency": by_name[each.budget].currency,
                "expected": None if each.expected is None else plain(each.expected),
                "pace": each.pace,
            }
            for each in messages
        ],
    }


def _counts(
    budgets: Sequence[Terms], messages: Sequence[Message], spans: Sequence[Period], asked: int
) -> Table:
    zones = {each.name: ZoneInfo(each.timezone) for each in budgets}
    months = sorted(
        {
            month
            for each, span in zip(budgets, spans, strict=True)
            for month in months_in(span, zones[each.name])
        }
    )
    counts = Counter((each.budget, _month(each, zones[each.budget])) for each in messages)
    # A year that began long ago makes no columns for months that nobody asked for.
    told = {month for _, month in counts}
    while len(months) > asked + 1 and months[0] not in told:
        del months[0]
    return by_month("budget", [each.name for each in budgets], months, counts)


def by_month(
    what: str, names: Sequence[str], months: Sequence[Month], counts: Counter[tuple[str, Month]]
) -> Table:
    """How many messages each would have sent in each month, of the last some; and in all."""
    shown = months[-_MOST_MONTHS:]
    columns = [Column(str(each), justify="right") for each in shown]
    table = Table(what, *columns, Column("all", justify="right"), box=None, pad_edge=False)
    whole: Counter[str] = Counter()
    for (name, _), count in counts.items():
        whole[name] += count
    for name in names:
        its = [str(counts[name, month] or "") for month in shown]
        table.add_row(Text(name), *its, str(whole[name]))
    return table


def _month(message: Message, zone: ZoneInfo) -> Month:
    # Of what is told at midnight, the quarter hour before it.
    return month_of(message.at - SLOT, zone)


def _list(budgets: Sequence[Terms], messages: Sequence[Message]) -> Table:
    by_name = {each.name: each for each in budgets}
    right = [Column(each, justify="right") for each in ("at", "spent", "of", "expected", "pace")]
    # Nothing is cut off in a narrow window.
    left = [Column(each, overflow="fold") for each in ("when", "budget", "period", "")]
    table = Table(*left, *right, box=None, pad_edge=False)
    for each in messages:
        terms = by_name[each.budget]
        zone = ZoneInfo(terms.timezone)
        expected = each.expected if each.change.kind == FORECAST else None
        is_pace = each.change.kind == PACE and each.pace is not None
        table.add_row(
            f"{each.at.astimezone(zone):%Y-%m-%d %H:%M}",
            Text(each.budget),
            name_of(terms, each.period),
            _what(each),
            f"{each.change.threshold} %",
            _money(each.spent, terms),
            f"{_money(each.limit, terms)} {terms.currency}",
            "" if expected is None else _money(expected, terms),
            f"{each.pace} %" if is_pace else "",
        )
    return table


def _what(message: Message) -> str:
    kind, _ = _KINDS[message.change.kind]
    what = message.change.what
    return kind if what == "crossed" else f"{kind}, {what}"


def _money(amount: Any, terms: Terms) -> str:
    return shown_money(rounded(amount, terms.currency), terms.currency)
