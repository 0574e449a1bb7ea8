"""What changed most since the month before, and why, by what is booked: as statements say it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from fastapi import Request
from sqlalchemy.orm import Session

from api.pages.overview.answer_cache import kept_of, version_of
from api.pages.overview.overview_month import ShownMonth
from api.pages.visitor import Visitor
from spend.booked import Booked
from spend.money import EXACT
from spend.statements.statement_sides import LineKey, Side, exact_sum, side_of
from spend.statements.why import PART_NAMES, Why, amounts_of, why_changed
from spend.totals import Totals, together
from store.spending.booked import waiting
from store.statements.converted_books import converted_books

BY: Final = {"team": 0, "provider": 1, "model": 2}
"""What changes can be told by -> where that stands in a line's key."""

REASONS: Final = {
    "volume": ("more volume", "less volume"),
    "mix": ("dearer models", "cheaper models"),
    "price": ("dearer units", "cheaper units"),
    "new": ("newly used", "newly used"),
    "gone": ("used no more", "used no more"),
    "capacity": ("more idle capacity", "less idle capacity"),
    "adjustments": ("credits, true-ups, taxes", "credits, true-ups, taxes"),
    "corrections": ("corrections of earlier months", "corrections of earlier months"),
    "fx": ("exchange rates", "exchange rates"),
    "other": ("other reasons", "other reasons"),
    "rounding": ("rounding", "rounding"),
}
"""Part of a Why -> what people read where it raised the cost, and where it lowered it."""


@dataclass(frozen=True, slots=True)
class Change:
    """A team, provider or model in both months. Exact; unknown costs count as nothing."""

    name: str | None
    now: Decimal
    then: Decimal
    why: Why

    @property
    def difference(self) -> Decimal:
        """What it costs more, or less."""
        return EXACT.subtract(self.now, self.then)


@dataclass(frozen=True, slots=True)
class Changes:
    """A month so far beside the same part of the month before, line by line."""

    now: Side
    then: Side
    why: dict[LineKey, Why]
    booked: Totals
    """All that is booked in the month, and what waits for that."""

    def by(self, dimension: str) -> list[Change]:
        """One each, what changed most first."""
        place = BY[dimension]
        lines: defaultdict[str | None, list[LineKey]] = defaultdict(list)
        for key in self.why:
            lines[key[place]].append(key)
        found = [
            Change(name, _cost(self.now, keys), _cost(self.then, keys), self._why(keys))
            for name, keys in lines.items()
        ]
        changed = [each for each in found if each.difference or any(amounts_of(each.why))]
        return sorted(changed, key=lambda each: (-abs(each.difference), each.name or ""))

    @property
    def total(self) -> Change:
        """All of it together."""
        keys = list(self.why)
        return Change(None, _cost(self.now, keys), _cost(self.then, keys), self._why(keys))

    def _why(self, keys: Iterable[LineKey]) -> Why:
        return Why.together(self.why[key] for key in keys)


def changes(
    request: Request, session: Session, tenant: int, visitor: Visitor, shown: ShownMonth
) -> Changes:
    """What is booked in the month, beside as much as there is of the one before."""
    books = converted_books(session, tenant, shown.period, visitor.conversion)
    currencies = frozenset(row.currency for row in books.own)
    last = kept_of(request).get(
        ("books", tenant, visitor.currency, shown.same_part, currencies),
        version_of(session, tenant, visitor.now),
        lambda: converted_books(
            session, tenant, shown.same_part, visitor.conversion, also=currencies
        ),
    )
    to_come = waiting(session, tenant, shown.period)
    rows = _counted((*books.rows, *to_come), visitor)
    now, then = side_of(rows), side_of(_counted(last.rows, visitor))
    told = books.at_rates_of(last)
    at_last = now if told is None else side_of(_counted((*told, *to_come), visitor))
    booked = together(row.totals for row in rows)
    return Changes(now, then, why_changed(now, then, at_last), booked)


def main_reasons(why: Why, most: int = 2) -> list[str]:
    """The reasons that went the way of the difference, the weightiest first, in words."""
    total = why.total
    parts = zip(PART_NAMES, amounts_of(why), strict=True)
    same_way = [(name, amount) for name, amount in parts if amount * total > 0]
    same_way.sort(key=lambda each: -abs(each[1]))
    return [REASONS[name][0 if amount > 0 else 1] for name, amount in same_way[:most]]


def _counted(rows: Sequence[Booked], visitor: Visitor) -> list[Booked]:
    """What is in the visitor's currency, of who they may see."""
    seen = {None, visitor.currency}
    return [row for row in rows if row.currency in seen and visitor.team in {None, row.team}]


def _cost(side: Side, keys: Iterable[LineKey]) -> Decimal:
    return exact_sum(side.cost(key) for key in keys)
