"""Where the figures of a statement lead: to calls, capacity, contracts and bills behind them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from fastapi import Request

from api.pages.links import elsewhere
from api.pages.teams.team_list import team_address
from reports.statements.statement_words import DEPLOYMENTS
from spend.booked import USAGE
from spend.owners import IDLE
from spend.statements.statement_lines import Line
from spend.statements.statements import Statement

_DEPLOYED: Final[Mapping[str, str]] = {name: key for key, name in DEPLOYMENTS.items() if key}
_CREDIT: Final = "credit"


@dataclass(frozen=True, slots=True)
class Leads:
    """Addresses of what a statement's figures are made of."""

    request: Request
    found: Statement
    whole: bool
    """Whether the reader sees what is of no team: capacity, contracts, bills, prices."""
    words: Mapping[int, str] = field(default_factory=dict[int, str])
    """How budgets stand, by their ids."""

    @property
    def month(self) -> str:
        """The statement's."""
        return self.found.month.name

    def explored(self, **filters: str | None) -> str:
        """Where the same is taken apart further."""
        month = self.found.month
        days = {"from_": month.first_day, "to": month.last_day + timedelta(days=1)}
        return elsewhere(self.request, "/explore", **filters, **days)

    def line(self, line: Line) -> str | None:
        """Of a line: usage to its calls, what no call is behind to what it was booked for."""
        if line.kind == USAGE and line.figures.spent.calls:
            return self._calls(line)
        if not self.whole:
            return None
        if line.kind == USAGE:
            return self._to("/capacity", month=self.month) if line.team == IDLE else None
        if line.kind == _CREDIT:
            return self._to("/commitments")
        return self._to("/reconciliation", month=self.month)

    def _calls(self, line: Line) -> str | None:
        if not line.model:
            return None
        return self.explored(team=line.team, provider=line.provider, model=line.model)

    def pool(self, number: int) -> str | None:
        """Of a pool's cost."""
        return self._to(f"/capacity/{number}", month=self.month)

    def commitment(self, number: int) -> str | None:
        """Of what a commitment came to."""
        return self._to(f"/commitments/{number}")

    def cell(self, grid: str, column: str, text: str) -> str | None:
        """Of a name in one of the small tables."""
        if not text or text == "Total":
            return None
        if column == "team":
            return team_address(self.request, text, self.month)
        if grid == "where" and text in _DEPLOYED:
            return self.explored(team=self.found.team, deployment=_DEPLOYED[text])
        if grid == "unpriced" and column == "model":
            return self._to("/prices/unpriced")
        return None

    def _to(self, path: str, **asked: str) -> str | None:
        return elsewhere(self.request, path, **asked) if self.whole else None
