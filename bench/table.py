"""Rows of the bench, how they are printed, and how they are written."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from app.tables import right, show
from bench.processes import cpu_model

WRITTEN: Final = Path("bench.json")


@dataclass(frozen=True, slots=True)
class Row:
    """One measure."""

    name: str
    measure: str
    figure: float
    unit: str
    note: str
    """How the figure came about: the numbers that it is a ratio of."""
    at_least: float | None = None
    at_most: float | None = None
    """The goal, if it has one."""
    details: Mapping[str, float] = field(default_factory=dict)
    """More figures, for whoever reads the JSON."""

    @property
    def goal(self) -> str:
        """Such as '≥ 0.7 x'."""
        if self.at_least is not None:
            return f"≥ {self.at_least:g} {self.unit}"
        return f"≤ {self.at_most:g} {self.unit}" if self.at_most is not None else ""

    @property
    def reached(self) -> bool | None:
        """Whether the goal is; None without one."""
        if self.at_least is not None:
            return self.figure >= self.at_least
        return self.figure <= self.at_most if self.at_most is not None else None


def show_rows(rows: Sequence[Row]) -> None:
    """Those with a goal, then the others."""
    goals = Table("measure", right("goal"), right("here"), "", "of", box=None, pad_edge=False)
    for row in rows:
        if row.reached is not None:
            mark = "[green]reached[/]" if row.reached else "[red]not reached[/]"
            goals.add_row(
                row.measure, row.goal, f"{figure_of(row.figure)} {row.unit}", mark, row.note
            )
    others = Table("beside that", right("here"), "", box=None, pad_edge=False)
    for row in rows:
        if row.reached is None:
            others.add_row(row.measure, f"{figure_of(row.figure)} {row.unit}", row.note)
    for table in (goals, others):
        if table.rows:
            Console().print()
            show(table)


def write_rows(rows: Sequence[Row], how: Mapping[str, object], path: Path = WRITTEN) -> None:
    """The figures as JSON, with the machine and the day they were taken on."""
    written = {
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "how": how,
        "rows": [
            {
                "name": row.name,
                "measure": row.measure,
                "figure": row.figure,
                "unit": row.unit,
                "goal": row.goal or None,
                "reached": row.reached,
                "note": row.note,
                "details": row.details,
            }
            for row in rows
        ],
    }
    path.write_text(json.dumps(written, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def as_markdown(path: Path = WRITTEN) -> str:
    """What was written last, as docs/performance.md has it."""
    written = json.loads(path.read_text(encoding="utf-8"))
    on, how = written["machine"], written["how"]
    taken = (
        f"{written['taken_at'][:10]}, {on['cores']} cores ({on['processor']}), Postgres "
        f"{how['postgres']}, Python {on['python']}; loads of {how['seconds']:g} s over "
        f"{how['connections']} connections, workers: {how['workers']}."
    )
    lines = [taken, "", "| | goal | here | | of |", "|---|---|---|---|---|"]
    for row in written["rows"]:
        if row["name"].startswith("dialect_"):
            continue
        reached = {True: "reached", False: "**not reached**", None: ""}[row["reached"]]
        here = f"{figure_of(row['figure'])} {row['unit']}"
        cells = [row["measure"], row["goal"] or "", here, reached, row["note"]]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def machine() -> dict[str, object]:
    """What the figures depend on."""
    return {
        "cores": os.cpu_count(),
        "processor": cpu_model(),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def figure_of(figure: float) -> str:
    """Three digits, and all of those before the point."""
    digits = 2 if abs(figure) < 10 else 1 if abs(figure) < 100 else 0  # noqa: PLR2004  # powers of ten
    return f"{figure:,.{digits}f}"
