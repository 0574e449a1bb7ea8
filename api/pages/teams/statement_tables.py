"""The tables of a statement's page, and what its charts are of."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from api.pages.formats import UNKNOWN, Formats
from api.pages.links import elsewhere
from api.pages.tables import Cell, Column, Held, Table
from api.pages.teams.statement_links import Leads
from api.pages.teams.team_list import share_of, team_address, used_of
from reports.charts.palette import hue_of, shown_name
from reports.charts.waterfall_chart import Step
from reports.statements.statement_grids import Cells, Grid, Value, grids
from reports.statements.statement_words import MEANS, PARTS, SHORT, parts_told
from spend.booked import USAGE
from spend.money import EXACT, rounded
from spend.statements.statement_lines import Figures, Line, no_coins
from spend.statements.statements import Statement
from spend.statements.why import amounts_of

MOST_LINES: Final = 400
"""More are of no use on a page: they are in the files, and on each team's own page."""
SILENT: Final = Cell(None, show="")
_OWN: Final = frozenset({"why", "pools", "commitments"})
"""Grids that are made here: in other currencies, or beside a chart."""
_KINDS: Final = {
    Cells.TEXT: "text",
    Cells.COINS: "money",
    Cells.CHANGE: "difference",
    Cells.COUNT: "number",
    Cells.SHARE: "percent",
}
_COUNTED: Final = frozenset({"Calls", "Tokens"})
_MONEY: Final = (
    Column("amount", "Effective", "money", "Commitments are spread over what they were for"),
    Column("billed_amount", "Billed", "money", "What is invoiced", narrow=False),
)
_REST: Final = (
    Column("difference", "Difference", "difference", narrow=False),
    Column("calls", "Calls", "number", narrow=False),
    Column("tokens", "Tokens", "number", narrow=False),
)

Row = Mapping[str, Held | Cell]


def tables_of(leads: Leads, told: Formats) -> dict[str, Table]:
    """Every table of the page that has something to say, by its name."""
    found = leads.found
    made = {"lines": lines_table(leads, told)}
    made |= {table.file: table for table in (_why(found, told), _budgets(leads), *_capacity(leads))}
    made |= {grid.name: _of_grid(grid, leads) for grid in grids(found) if grid.name not in _OWN}
    return {name: table for name, table in made.items() if table.rows}


def lines_table(leads: Leads, told: Formats) -> Table:
    """Lines under their team; of one team they alone; of too many, the teams' sums."""
    found = leads.found
    several = found.team is None
    whole = several and len(found.lines) > MOST_LINES
    head = "team" if whole else "model"
    rows: list[Row] = []
    sums: set[int] = set()
    for part in found.parts:
        if several:
            if not whole:
                sums.add(len(rows))
            address = team_address(leads.request, part.team, found.month.name)
            rows.append({head: Cell(part.team, href=address), **_figures(part.figures)})
        if not whole:
            rows += [_line(leads, line) for line in part.lines]
    named = [Column(name, name.capitalize(), shown=False) for name in ("team", "provider", "kind")]
    return Table(
        columns=(
            *([] if whole else named),
            Column(head, "Team" if several else "Model"),
            *_MONEY,
            Column("last_month_amount", told.month(found.before.name), "money", narrow=False),
            *_REST,
        ),
        rows=rows,
        total={head: "Total", **_figures(found.total)},
        sums=sums,
        caption="Teams" if whole else "Lines",
        file=f"statement-lines-{found.month.name}",
        currency=found.currency,
        empty="Nothing was heard in this month, nor in the one before.",
    )


def _line(leads: Leads, line: Line) -> Row:
    provider = shown_name(line.provider) if line.provider else None
    what = [line.model, None if line.kind == USAGE else line.kind]
    name = ": ".join(each for each in what if each)
    return {
        "team": line.team,
        "provider": line.provider,
        "kind": line.kind,
        "model": Cell(
            line.model,
            show=name or provider or UNKNOWN,
            note=provider if name else None,
            colour=hue_of(line.provider),
            href=leads.line(line),
        ),
        **_figures(line.figures),
    }


def _figures(figures: Figures) -> dict[str, Held | Cell]:
    return {
        "amount": figures.amount,
        "billed_amount": figures.coins.billed_cost,
        "last_month_amount": figures.last_amount,
        "difference": figures.difference,
        "calls": figures.spent.calls,
        "tokens": figures.spent.tokens,
    }


def steps_of(found: Statement, told: Formats) -> list[Step]:
    """From the month before to this one; none where nothing changed, or one is unknown."""
    if found.total.difference is None or not any(amounts_of(found.why)):
        return []
    nothing, total = no_coins(found.currency), found.total
    ends = [
        Step(told.month(name), amount, told.rounded(amount, found.currency), whole=True)
        for name, amount in (
            (found.before.name, total.last_amount or nothing),
            (found.month.name, total.amount or nothing),
        )
    ]
    moves = [
        Step(SHORT[part], amount, told.moved(amount, found.currency))
        for part in parts_told(found.why)
        for amount in (getattr(found.why, part),)
    ]
    return [ends[0], *moves, ends[1]]


def _why(found: Statement, told: Formats) -> Table:
    total = found.total
    told_apart = total.difference is not None and any(amounts_of(found.why))
    parts = parts_told(found.why) if told_apart else []
    rows: list[Row] = [
        {"part": Cell(PARTS[part], note=MEANS[part]), "amount": getattr(found.why, part)}
        for part in parts
    ]
    return Table(
        columns=(
            Column("part", "Part"),
            Column("amount", found.currency, "difference"),
        ),
        rows=rows,
        total={"part": "Difference", "amount": total.difference},
        caption=f"Why it is not what it was in {told.month(found.before.name)}",
        file="why",
        currency=found.currency,
    )


def _budgets(leads: Leads) -> Table:
    found = leads.found
    rows: list[Row] = [
        {
            "budget": Cell(budget.name, href=elsewhere(leads.request, f"/budgets/{budget.id}")),
            "team": part.team,
            "amount": budget.amount,
            "spent": EXACT.subtract(rounded(budget.amount, found.currency), budget.difference),
            "left": Cell(budget.difference, tone="bad" if budget.difference < 0 else ""),
            "used": used_of(budget, leads.words),
        }
        for part in found.parts
        for budget in part.budgets
    ]
    columns = (
        Column("budget", "Budget"),
        *((Column("team", "Team"),) if found.team is None else ()),
        Column("amount", "Amount", "money", narrow=False),
        Column("spent", "Spent", "money", narrow=False),
        Column("left", "Left", "money"),
        Column("used", "Used", "percent"),
    )
    return Table(columns, rows, "Budgets for the month", "budgets", found.currency)


def _capacity(leads: Leads) -> Iterator[Table]:
    """Pools and commitments, each in its own currency where it has no rate."""
    found = leads.found
    pools: list[Row] = [
        {
            "pool": Cell(pool.name, href=leads.pool(pool.id)),
            "cost": Cell(rounded(pool.cost, pool.currency), currency=pool.currency),
            "idle": Cell(rounded(pool.idle, pool.currency), currency=pool.currency),
            "share": _share(pool.idle, pool.cost),
        }
        for pool in found.pools
    ]
    yield Table(
        (
            Column("pool", "Pool"),
            Column("cost", "Cost", "money"),
            Column("idle", "Idle", "money"),
            Column("share", "Idle share", "percent"),
        ),
        pools,
        "Capacity paid by the hour",
        "pools",
        found.currency,
    )
    amounts = ("paid", "covered", "used", "wasted")
    commitments: list[Row] = [
        {
            "commitment": Cell(each.name, href=leads.commitment(each.id)),
            **{
                name: Cell(rounded(getattr(each, name), each.currency), currency=each.currency)
                for name in amounts
            },
            "share": _share(each.wasted, EXACT.add(each.used, each.wasted)),
        }
        for each in found.commitments
    ]
    yield Table(
        (
            Column("commitment", "Commitment"),
            *(Column(name, name.capitalize(), "money") for name in amounts),
            Column("share", "Wasted share", "percent"),
        ),
        commitments,
        "Commitments",
        "commitments",
        found.currency,
    )


def _share(part: Decimal, whole: Decimal) -> Decimal | None:
    return share_of(part, whole) if whole > 0 else None


def _of_grid(grid: Grid, leads: Leads) -> Table:
    columns = [
        Column(
            name.lower().replace(" ", "_") or "part",
            name,
            "number" if name in _COUNTED else _KINDS[cells],
            narrow=name not in _COUNTED,
        )
        for name, cells in grid.columns
    ]
    rows: list[Row] = [
        {
            column.name: _held(value, cells, blank=grid.name == "why_by_team")
            if cells is not Cells.TEXT
            else _named(leads, grid.name, column.name, value)
            for column, (value, cells) in zip(columns, row.cells(grid.columns), strict=True)
        }
        for row in grid.rows
    ]
    return Table(
        columns=columns,
        rows=rows,
        caption=grid.heading,
        file=f"{grid.name}-{leads.found.month.name}",
        currency=leads.found.currency,
        sums={place for place, row in enumerate(grid.rows) if row.is_sum},
    )


def _named(leads: Leads, grid: str, column: str, value: Value) -> Held | Cell:
    if value == "":
        return SILENT
    if not isinstance(value, str):
        return value
    to = leads.cell(grid, column, value)
    return Cell(value, href=to) if to else value


def _held(value: Value, cells: Cells, *, blank: bool) -> Any:
    if value == "":
        return SILENT
    if blank and not value:
        # Of many parts most are nothing for most teams: what there is stands out.
        return Cell(value, show="")
    if cells is Cells.SHARE and isinstance(value, Decimal | int):
        return share_of(Decimal(value), Decimal(100))
    return value
