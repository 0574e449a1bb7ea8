"""A statement as tables for a terminal of 80 columns or more."""

from collections.abc import Iterator

from rich import box
from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from reports.statements.long_names import LongName
from reports.statements.statement_sections import sections
from reports.statements.statement_words import notes, state_told
from reports.tables.table_parts import UNKNOWN, shown_money, shown_name, signed_money
from spend.booked import USAGE
from spend.statements.statement_lines import Figures, Line
from spend.statements.statements import Statement, TeamPart


def statement_table(statement: Statement) -> RenderableType:
    """What a statement says, in the order in which it is read: who, why, where, and how sure."""
    parts: list[RenderableType] = [_title(statement), _spend(statement)]
    for heading, table in sections(statement):
        parts += [Text(f"\n{heading}", style="bold"), table]
    parts.append(Text())
    parts += [Text(shown_name(note), style="dim") for note in notes(statement)]
    parts.append(Text("Rounded so that lines add up; exact amounts: --format json.", style="dim"))
    return Group(*parts)


def _title(statement: Statement) -> Text:
    who = f"team {shown_name(statement.team)}" if statement.team else "all teams"
    return Text.assemble(
        (f"Statement {statement.month}, {who}", "bold"),
        f"\n{statement.month.first_day} to {statement.month.last_day} ({statement.zone.key}),"
        f" amounts in {statement.currency}; {state_told(statement)}\n",
    )


def _spend(statement: Statement) -> Table:
    amount, last, change, calls = _figures(statement.total, statement.currency)
    month, before = statement.month.name, statement.before.name
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
        names: list[RenderableType] = [Text(shown_name(line.provider)), _model(line)]
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
        yield [
            Text(),
            Text("Budget"),
            LongName(shown_name(budget.name)),
            amount,
            Text(),
            left,
            Text(),
        ]


def _model(line: Line) -> LongName:
    model = shown_name(line.model)
    if line.kind == USAGE:
        return LongName(model)
    return LongName(f"{line.kind}: {model}" if line.model else line.kind, style="italic")


def _figures(figures: Figures, currency: str) -> list[Text]:
    amount, last = (
        Text(UNKNOWN, style="dim") if each is None else Text(shown_money(each, currency))
        for each in (figures.amount, figures.last_amount)
    )
    change = Text("" if figures.difference is None else signed_money(figures.difference, currency))
    return [amount, last, change, Text(f"{figures.spent.calls:,}")]


def _styled(text: Text, style: str) -> Text:
    return Text(text.plain, style=style)
