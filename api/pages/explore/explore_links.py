"""Where the parts of a table of spend lead: to what they are made of, and to the calls behind."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from fastapi import Request

from api.pages.explore.explore_answer import Explored
from api.pages.explore.filters import of_cell
from reports.tables.pivot import Keys, Label
from store.breakdowns.dimensions import DIMENSIONS, TIMED

_NEXT: Final[Mapping[str, tuple[str, ...]]] = {
    "team": ("feature", "project", "provider"),
    "project": ("feature", "service", "provider"),
    "customer": ("feature", "team", "model"),
    "feature": ("customer", "model", "provider"),
    "provider": ("model", "team"),
    "deployment": ("provider", "model"),
    "model": ("team", "feature"),
    "request_model": ("model", "team"),
}
"""What people ask next of one value of a dimension."""
_ELSE: Final = tuple(name for name in DIMENSIONS if name not in TIMED)
PLACE: Final = "/explore"
CALLS: Final = "/calls"
_NOT: Final = frozenset({"csv", "done", "sort"})
_OF_CALLS: Final = frozenset({"timezone", *DIMENSIONS})
"""What both pages are asked by."""


@dataclass(frozen=True, slots=True)
class Drill:
    """Addresses of what a table's lines, columns and cells are made of."""

    request: Request
    found: Explored
    seen: Mapping[str, tuple[str | None, ...]]
    """What can be told apart at all, by dimension."""
    written: dict[tuple[str, ...], str] = field(default_factory=dict)
    """What stays of the question in addresses that change the same parameters."""

    def deeper(
        self, keys: Keys | None = None, column: Label = None, *, in_column: bool = False
    ) -> str:
        """The same question of a line, a column or a cell, told apart by what comes next."""
        its = self._values(keys, column, in_column=in_column)
        changes: dict[str, object] = {**of_cell(its), **self._time(column, in_column=in_column)}
        if keys is not None:
            changes["group_by"] = self._next({*self.found.asked.question.filters, *its})
        if in_column and self.found.pieces is None:
            changes["columns"] = None
        return self._address(PLACE, changes)

    def calls(
        self, keys: Keys | None = None, column: Label = None, *, in_column: bool = False
    ) -> str:
        """The calls of a line, a column or a cell."""
        changes: dict[str, object] = {"from": self.found.asked.start, "to": self.found.asked.end}
        changes |= of_cell(self._values(keys, column, in_column=in_column))
        changes |= self._time(column, in_column=in_column)
        return self._address(CALLS, changes)

    def _address(self, path: str, changes: Mapping[str, object]) -> str:
        """Of a page that is asked as this one is, but for ``changes``; None leaves one out.

        A table has thousands: what does not change is written once.
        """
        shape = (path, *changes)
        if shape not in self.written:
            kept = [
                (name, value)
                for name, value in self.request.query_params.multi_items()
                if name not in changes
                and (name in _OF_CALLS if path == CALLS else name not in _NOT)
            ]
            self.written[shape] = urlencode(kept)
        said = [(name, value) for name, value in changes.items() if value is not None]
        asked = "&".join(
            each for each in (self.written[shape], urlencode(said, doseq=True)) if each
        )
        return f"{path}?{asked}" if asked else path

    def _values(
        self, keys: Keys | None, column: Label, *, in_column: bool
    ) -> dict[str, str | None]:
        its = dict(zip(self.found.rows, keys, strict=True)) if keys is not None else {}
        if in_column and self.found.pieces is None and self.found.column is not None:
            its[self.found.column] = column
        return its

    def _time(self, column: Label, *, in_column: bool) -> dict[str, str | None]:
        """The bounds of a column of time."""
        pieces = self.found.pieces
        if not in_column or pieces is None or column is None:
            return {}
        first, end = (str(day) for day in pieces.bounds[column])
        names = list(pieces.bounds)
        # A question may begin or end within a day.
        start = self.found.asked.start if column == names[0] else first
        stop = self.found.asked.end if column == names[-1] else end
        return {"from": start, "to": stop, "range": None, "columns": None}

    def _next(self, told: set[str]) -> str:
        """The first dimension that is not fixed yet, and has anything to tell apart."""
        last = self.found.rows[-1] if self.found.rows else ""
        for name in (*_NEXT.get(last, ()), *_ELSE):
            if name not in told and len(self.seen.get(name, ())) > 1:
                return name
        return "day"
