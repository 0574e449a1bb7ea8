"""What changed most and why, as a table: by model, provider or team."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from fastapi import Request

from api.pages.links import elsewhere
from api.pages.overview_changes import Change, Changes, main_reasons
from api.pages.overview_month import ShownMonth
from api.pages.tables import Cell, Column, Held, Table
from api.pages.teams import NOBODYS, team_address
from api.pages.visitor import Visitor
from reports.palette import hue_of, shown_name
from spend.money import EXACT
from spend.statement_sides import exact_sum

MOST_CHANGES: Final = 8
By = Literal["team", "provider", "model"]

_COLUMNS: Final = (
    Column("then", "Before", "money", "The same part of the month before", narrow=False),
    Column("now", "Now", "money", narrow=False),
    Column("difference", "Difference", "difference"),
    Column("why", "Mostly"),
    Column("volume", "Volume", "difference", "More or fewer units, at what one cost", narrow=False),
    Column("mix", "Mix", "difference", "Units of dearer or cheaper models", narrow=False),
    Column("price", "Price", "difference", "What a unit of a model came to", narrow=False),
    Column(
        "other",
        "Other",
        "difference",
        "Newly used, used no more, idle capacity, credits, exchange rates",
        narrow=False,
    ),
)


def changes_table(
    request: Request, visitor: Visitor, shown: ShownMonth, found: Changes, by: By
) -> Table:
    """What changed most first; all the others in one row."""
    rows = found.by(by)
    told, rest = rows[:MOST_CHANGES], rows[MOST_CHANGES:]
    lines: list[Mapping[str, Held | Cell]] = [
        {
            **_amounts([each]),
            "name": _name(request, shown, each.name, by),
            "why": ", ".join(main_reasons(each.why)) or None,
        }
        for each in told
    ]
    if rest:
        others = f"{len(rest)} others" if len(rest) > 1 else "1 other"
        lines.append(
            {**_amounts(rest), "name": Cell(others, tone="quiet"), "why": Cell("", show="")}
        )
    return Table(
        columns=(Column("name", by.capitalize()), *_COLUMNS),
        rows=lines,
        caption="What changed most, and why",
        file=f"changes-by-{by}-{shown.month}",
        currency=visitor.currency,
        total={**_amounts([found.total]), "name": "Total", "why": Cell("", show="")},
        empty="Nothing was spent in either month.",
    )


def _name(request: Request, shown: ShownMonth, name: str | None, by: By) -> Cell:
    asked: dict[str, Any] = {**shown.asked, "group_by": "team" if by == "model" else "model"}
    if by == "team" and name is not None:
        address = team_address(request, name, str(shown.month))
        return Cell(name, href=address, note=NOBODYS.get(name))
    if by == "provider":
        href = elsewhere(request, "/explore", provider=name or "", **asked)
        return Cell(name, href=href, show=shown_name(name), colour=hue_of(name))
    if name is None:
        return Cell(None, show="No model", note="idle capacity, and other sums without one")
    return Cell(name, href=elsewhere(request, "/explore", model=name, **asked))


def _amounts(rows: Sequence[Change]) -> dict[str, Held | Cell]:
    then, now = (exact_sum(getattr(each, of) for each in rows) for of in ("then", "now"))
    difference = EXACT.subtract(now, then)
    parts = {
        part: exact_sum(getattr(each.why, part) for each in rows)
        for part in ("volume", "mix", "price")
    }
    other = EXACT.subtract(difference, exact_sum(parts.values()))
    return {"then": then, "now": now, "difference": difference, **parts, "other": other}
