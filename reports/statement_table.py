"""A statement as tables for a terminal of 80 columns or more."""

from collections.abc import Iterator
from datetime import UTC, timedelta
from decimal import Decimal

from rich import box
from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from reports.table_parts import UNKNOWN, shown_money, shown_name, signed_money, small_table
from spend.money import ROUNDING, rounded
from spend.periods import local_day
from spend.statements import Figures, Line, Statement, TeamPart


def statement_table(statement: Statement) -> RenderableType:
    """What a statement says, in the order in which it is read: who, idle, unknown, and how sure."""
    parts: list[RenderableType] = [_title(statement), _spend(statement)]
    if statement.pools:
        parts += [Text("\nCapacity paid by the hour", style="bold"), _pools(statement)]
    if statement.total.spent.lacks_price:
        parts += [Text("\nCalls whose cost is unknown, not in the amounts", style="bold")]
        parts += [_unpriced(statement)]
    return Group(*parts, *_notes(statement))


def _title(statement: Statement) -> Text:
    last_day = local_day(statement.period.end - timedelta(microseconds=1), statement.zone)
    who = f"team {shown_name(statement.team)}" if statement.team else "all teams"
    return Text.assemble(
        (f"Statement {statement.month}, {who}", "bold"),
        f"\n{statement.month}-01 to {last_day} ({statement.zone.key}), amounts in"
        f" {statement.currency}\n",
    )


def _spend(statement: Statement) -> Table:
    amount, last, change, calls = _figures(statement.total, statement.currency)
    month, before = str(statement.month), str(statement.month.plus(-1))
    table = Table(
        Column("Team", "Total", no_wrap=True, max_width=20),
        Column("Provider", no_wrap=True, max_width=14),
        Column("Model", overflow="fold"),
        Column(month, amount, justify="right", no_wrap=True),
        Column(before, last, justify="right", no_wrap=True),
        Column("Difference", change, justify="right", no_wrap=True),
        Column("Calls", calls, justify="right", no_wrap=True),
        box=box.SIMPLE,
        show_edge=False,
        show_footer=True,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        header_style="bold",
        footer_style="bold",
    )
    shown = [part for part in statement.parts if part.budgets or any(map(_says, part.lines))]
    for place, part in enumerate(shown):
        if place:
            table.add_row()
        for row in _team_rows(part, statement.currency):
            table.add_row(*row)
    return table


def _says(line: Line) -> bool:
    """Lines of what was paid in advance cost nothing by themselves: they are for its bill."""
    figures = line.figures
    return bool(figures.amount != 0 or figures.last_amount != 0 or figures.spent.calls)


def _team_rows(part: TeamPart, currency: str) -> Iterator[list[RenderableType]]:
    team = Text(shown_name(part.team), style="bold")
    lines = [line for line in part.lines if _says(line)]
    for line in lines:
        names = [Text(shown_name(line.provider)), Text(shown_name(line.model))]
        yield [team, *names, *_figures(line.figures, currency)]
        team = Text()
    if len(lines) != 1:
        sums = [_styled(each, "bold") for each in _figures(part.figures, currency)]
        yield [Text(), Text(), Text("team total", style="bold"), *sums]
    for budget in part.budgets:
        over = budget.difference < 0
        told = f"{shown_money(abs(budget.difference), currency)} {'over' if over else 'left'}"
        left = Text(told, style="bold red" if over else "green")
        amount = Text(shown_money(budget.amount, currency))
        yield [Text(), Text("Budget"), Text(shown_name(budget.name)), amount, Text(), left, Text()]


def _figures(figures: Figures, currency: str) -> list[Text]:
    amount, last = (
        Text(UNKNOWN, style="dim") if each is None else Text(shown_money(each, currency))
        for each in (figures.amount, figures.last_amount)
    )
    change = Text("" if figures.difference is None else signed_money(figures.difference, currency))
    return [amount, last, change, Text(f"{figures.spent.calls:,}")]


def _styled(text: Text, style: str) -> Text:
    return Text(text.plain, style=style)


def _pools(statement: Statement) -> Table:
    table = small_table("Pool", "Cost", "Idle", "Idle share")
    for pool in statement.pools:
        share = ROUNDING.divide(pool.idle * 100, pool.cost) if pool.cost else Decimal(0)
        table.add_row(
            Text(shown_name(pool.name)),
            shown_money(rounded(pool.cost, statement.currency), statement.currency),
            shown_money(rounded(pool.idle, statement.currency), statement.currency),
            f"{share:.1f} %",
        )
    return table


def _unpriced(statement: Statement) -> Table:
    table = small_table("Team", "Provider", "Model", "Calls", "Tokens", words=3)
    for line in statement.lines:
        spent = line.figures.spent
        if spent.lacks_price:
            names = [Text(shown_name(each)) for each in (line.team, line.provider, line.model)]
            table.add_row(*names, f"{spent.unpriced_calls:,}", f"{spent.unpriced_tokens:,}")
    total = statement.total.spent
    counts = (f"{total.unpriced_calls:,}", f"{total.unpriced_tokens:,}")
    table.add_row("Total", "", "", *counts, style="bold")
    return table


def _notes(statement: Statement) -> Iterator[Text]:
    total = statement.total.spent
    if not statement.parts:
        yield Text("\nNothing was heard of this month, nor of the one before.")
    if total.waiting_calls:
        yield Text(f"\n{total.waiting_calls:,} calls are still being priced.", style="yellow")
    until = statement.complete_until
    if until is None:
        yield Text("\nNot known how far this is complete: the jobs have not run.", style="yellow")
    else:
        moment = until.astimezone(UTC)
        yield Text(f"\nComplete for what was heard until {moment:%Y-%m-%d %H:%M} UTC.", style="dim")
    yield Text("Rounded so that lines add up; exact amounts: --format json.", style="dim")
