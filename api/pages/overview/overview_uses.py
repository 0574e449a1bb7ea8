"""What a team's month went on: by service and feature, for who sees that team alone."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from fastapi import Request
from sqlalchemy.orm import Session

from api.pages.links import elsewhere
from api.pages.overview.answer_cache import kept_of, version_of
from api.pages.overview.overview_month import ShownMonth
from api.pages.tables import Cell, Column, Held, Table
from api.pages.visitor import Visitor
from spend.budgets.budgets import NOT_SAID
from spend.money import EXACT
from store.budgets.spent_apart import SpentApart, spent_apart

MOST_USES: Final = 15
_TOLD_BY: Final = ("team", "service", "feature")
_Use = tuple[str, str]


def uses_table(
    request: Request,
    session: Session,
    tenant: int,
    visitor: Visitor,
    shown: ShownMonth,
    *,
    every: bool,
) -> Table:
    """Services and features, the dearest first; not ``every``: the first ones."""

    def spent() -> list[SpentApart]:
        return [
            spent_apart(session, tenant, [period], _TOLD_BY, visitor.conversion, period)
            for period in (shown.period, shown.same_part)
        ]

    key = ("uses", tenant, visitor.currency, shown.period, shown.same_part)
    found = kept_of(request).get(key, version_of(session, tenant, visitor.now), spent)
    costs: dict[_Use, list[Decimal]] = {}
    for place, its in enumerate(found):
        for (_, (team, service, feature)), cost in its.amounts.items():
            if team == visitor.team:
                both = costs.setdefault((service, feature), [Decimal(0), Decimal(0)])
                both[place] = EXACT.add(both[place], cost)
    ordered = sorted(costs, key=lambda use: (-costs[use][0], use))
    rows = [_row(request, shown, use, costs[use]) for use in ordered]
    return Table(
        columns=(
            Column("service", "Service"),
            Column("feature", "Feature"),
            Column("cost", "Spend", "money"),
            Column(
                "difference",
                "Change",
                "difference",
                "Against as much of the month before",
                narrow=False,
            ),
        ),
        rows=rows if every else rows[:MOST_USES],
        caption="What it went on",
        file=f"uses-{shown.month}",
        currency=visitor.currency,
    )


def _row(
    request: Request, shown: ShownMonth, use: _Use, costs: Sequence[Decimal]
) -> Mapping[str, Held | Cell]:
    now, then = costs
    service, feature = use
    return {
        "service": _named(request, shown, "service", service),
        "feature": _named(request, shown, "feature", feature),
        "cost": now,
        "difference": EXACT.subtract(now, then),
    }


def _named(request: Request, shown: ShownMonth, dimension: str, value: str) -> Cell:
    asked = {**shown.asked, "group_by": "model", dimension: value}
    said = None if value == NOT_SAID else value
    return Cell(said, href=None if said is None else elsewhere(request, "/explore", **asked))
