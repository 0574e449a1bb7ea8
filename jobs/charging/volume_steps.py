"""Puts what places are to cost into volume steps, by what the ledger says of their month.

Which step a slot's usage is in depends on the slots before it. So what comes late can move later
slots from one step to another: those are told, to be charged again; all others stay as they are.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from jobs.charging.lacking import Books, Target
from jobs.charging.rate_cells import Prices
from spend import money
from spend.prices.knowledge import Knowledge
from spend.prices.prices import PriceBook, PriceLine
from spend.prices.rating import Rate
from spend.prices.volume_steps import in_steps, month_of, next_month, shared
from store import parties, waiting
from store.ledger import volumes
from store.ledger.ledger import POSTED, Place
from store.prices.price_book import book_for

Again = tuple[datetime, int]
"""A slot, and a route whose cells of it are to be charged again."""

_Month = tuple[datetime, tuple[str | int, ...]]
"""The start of a month, and the base that price lines and their steps have in common."""
_ByStep = dict[tuple[int, int, str, int], int]
"""Route, band, meter, and the edge of the step in which it stands -> units."""

_PRICE: Final = POSTED.index("price_id")
_METER: Final = POSTED.index("meter")
_QUANTITY: Final = POSTED.index("quantity")


@dataclass(frozen=True, slots=True)
class Stepped:
    """What places are to cost, with the steps that it is in."""

    targets: Sequence[Target]
    again: frozenset[Again]


def charge_again(session: Session, tenant: int, again: Collection[Again]) -> bool:
    """Has cells wait whose usage is in another step; returns whether there are any."""
    waiting.for_slots(session, tenant, again)
    return bool(again)


@dataclass(frozen=True, slots=True)
class _Volume:
    """A month's units of a base."""

    edges: Mapping[int, int]
    """Price line -> the edge from which it holds."""
    standing: dict[datetime, _ByStep]
    """Slot -> what stands in the ledger, or was looked at since."""
    prices: Prices
    """Of all routes that stand there."""


class Volumes:
    """The volumes of months, as the ledger has them when they are first asked for.

    What was looked at counts from then on, posted or not: so one of these serves a preview.
    """

    def __init__(self, tenant: int, knowledge: Knowledge) -> None:
        self._tenant = tenant
        self._knowledge = knowledge
        self._volumes: dict[_Month, _Volume] = {}

    def stepped(
        self,
        session: Session,
        targets: Iterable[Target],
        posted: Iterable[Sequence[Any]],
        places: Collection[Place],
        books: Books,
        book: PriceBook,
    ) -> Stepped:
        """``targets`` in their steps; ``posted`` (rows POSTED) is what stands at ``places``.

        ``books`` says what ``posted`` names, ``book`` can price it all.
        """
        found: list[Target] = []
        asked: dict[_Month, dict[datetime, list[Target]]] = {}
        counted = Counted(book)
        for target in targets:
            # Where its steps were not known yet, it counts for those of later slots all the same.
            if counted.has_steps(target.rate.price):
                month = self._month(session, target.place[0], target.rate.price, counted)
                asked.setdefault(month, {}).setdefault(target.place[0], []).append(target)
            else:
                found.append(target)
        touched = {*asked, *self._take_off(session, posted, books, counted)}
        again: set[Again] = set()
        for month in sorted(touched):
            volume = self._volumes[month]
            before = 0
            by_slot = asked.get(month, {})
            for slot in sorted(volume.standing.keys() | by_slot.keys()):
                of_slot = _Slot(slot, before, volume, by_slot.get(slot, []))
                before += of_slot.quantity
                done = self._share(session, of_slot, places)
                found += done.targets
                again |= done.again
                _add(volume.standing, slot, done.targets)
        return Stepped(found, frozenset(again))

    def _month(
        self, session: Session, slot: datetime, line: PriceLine, counted: "Counted"
    ) -> _Month:
        """The month and base of a line; the ledger is asked for it where it is new."""
        month = month_of(slot), line.base
        if month not in self._volumes:
            self._volumes[month] = self._read(session, month[0], counted.book.of_base(line))
        return month

    def _read(self, session: Session, start: datetime, lines: Iterable[PriceLine]) -> _Volume:
        edges = {line.id: line.above_monthly for line in lines if line.id is not None}
        standing: dict[datetime, _ByStep] = defaultdict(lambda: defaultdict(int))
        route_ids = set()
        for slot, route_id, band, meter, price_id, quantity in volumes.units_between(
            session, self._tenant, list(edges), start, next_month(start)
        ):
            standing[slot][route_id, band, meter, edges[price_id]] += int(quantity)
            route_ids.add(route_id)
        routes = parties.routes_of(session, self._tenant, route_ids)
        book = book_for(session, self._tenant, list(routes.values()))
        return _Volume(edges, standing, Prices(book, routes, self._knowledge))

    def _take_off(
        self, session: Session, posted: Iterable[Sequence[Any]], books: Books, counted: "Counted"
    ) -> set[_Month]:
        """Forgets what stands at places that are looked at; returns the months that concerns."""
        touched = set()
        for row in posted:
            line = books.prices[row[_PRICE]]
            if not counted.has_steps(line):
                continue
            slot, _owner_id, route_id, band = row[:4]
            month = self._month(session, slot, line, counted)
            key = (route_id, band, row[_METER], line.above_monthly)
            self._volumes[month].standing[slot][key] -= int(row[_QUANTITY])
            touched.add(month)
        return touched

    def _share(self, session: Session, of_slot: "_Slot", places: Collection[Place]) -> Stepped:
        """One slot's usage in its steps, and what of it stands in others than it should."""
        edges = of_slot.edges
        if edges is None or not of_slot.quantity:
            return Stepped([], frozenset())
        units = in_steps(of_slot.before, of_slot.quantity, edges)
        if sum(map(bool, units)) == 1:
            (step,) = (number for number, quantity in enumerate(units) if quantity)
            return Stepped(
                [_in_step(each, step, each.quantity) for each in of_slot.asked],
                of_slot.standing_beside(edges[step]),
            )
        if of_slot.asked:
            return self._share_crossing(session, of_slot, units, edges, places)
        stands: dict[int, int] = defaultdict(int)
        for (*_used, edge), quantity in of_slot.standing.items():
            stands[edge] += quantity
        is_right = all(stands[edge] == each for edge, each in zip(edges, units, strict=True))
        return Stepped([], frozenset() if is_right else of_slot.standing_beside(None))

    def _share_crossing(
        self,
        session: Session,
        of_slot: "_Slot",
        units: Sequence[int],
        edges: Sequence[int],
        places: Collection[Place],
    ) -> Stepped:
        """Of a slot in which an edge is crossed each place has a part of both sides."""
        asked = {(each.place, each.meter): each for each in of_slot.asked}
        stands: dict[tuple[Place, str], dict[int, int]] = defaultdict(lambda: defaultdict(int))
        if any(of_slot.standing.values()):
            for *place, meter, price_id, quantity in volumes.units_in_slot(
                session, self._tenant, list(of_slot.volume.edges), of_slot.slot
            ):
                if tuple(place) not in places:
                    key = (place[0], place[1], place[2], place[3]), meter
                    stands[key][of_slot.volume.edges[price_id]] += int(quantity)
        keys = sorted(asked.keys() | stands.keys())
        quantities = [
            asked[key].quantity if key in asked else sum(stands[key].values()) for key in keys
        ]
        targets = []
        again = set()
        for key, parts in zip(keys, shared(quantities, units), strict=True):
            if key in asked:
                targets += [
                    _in_step(asked[key], step, part) for step, part in enumerate(parts) if part
                ]
            elif any(stands[key][edge] != part for edge, part in zip(edges, parts, strict=True)):
                again.add((of_slot.slot, key[0][2]))
        return Stepped(targets, frozenset(again))


@dataclass(frozen=True, slots=True)
class Counted:
    """Which price lines' units are counted through the month."""

    book: PriceBook
    _known: dict[int | None, bool] = field(default_factory=dict)

    def has_steps(self, line: PriceLine) -> bool:
        """Whether its base ever had a volume step, as far as the book tells."""
        if line.id not in self._known:
            beside = (line, *self.book.of_base(line))
            self._known[line.id] = any(each.above_monthly for each in beside)
        return self._known[line.id]


@dataclass(frozen=True, slots=True)
class _Slot:
    """A slot of a month's volume."""

    slot: datetime
    before: int
    """Units that came earlier in the month."""
    volume: _Volume
    asked: Sequence[Target]

    @property
    def standing(self) -> _ByStep:
        """What stands there beside the places that are looked at."""
        return self.volume.standing.get(self.slot, {})

    @property
    def quantity(self) -> int:
        """All units of the slot."""
        return sum(self.standing.values()) + sum(each.quantity for each in self.asked)

    @property
    def edges(self) -> tuple[int, ...] | None:
        """Where the steps begin that hold here; None: nobody can tell any more."""
        for target in self.asked:
            return _edges(target.rate)
        prices = self.volume.prices
        for (route_id, band, meter, _edge), quantity in self.standing.items():
            if quantity and route_id in prices.routes:
                rate = prices.at(route_id, band, self.slot).lines.get(meter)
                if rate is not None and rate.price.id in self.volume.edges:
                    return _edges(rate)
        return None

    def standing_beside(self, edge: int | None) -> frozenset[Again]:
        """What stands in another step than the one of ``edge``; None: whatever stands there."""
        return frozenset(
            (self.slot, route_id)
            for (route_id, _band, _meter, stands_in), quantity in self.standing.items()
            if quantity and stands_in != edge
        )


def _edges(rate: Rate) -> tuple[int, ...]:
    return tuple(each.price.above_monthly for each in _steps(rate))


def _steps(rate: Rate) -> tuple[Rate, ...]:
    return rate.steps or (rate,)


def _in_step(target: Target, step: int, quantity: int) -> Target:
    rate = _steps(target.rate)[step]
    asked = rate.list_unit_price
    return replace(
        target,
        rate=rate,
        quantity=quantity,
        amount=money.cost(quantity, rate.unit_price),
        list_amount=None if asked is None else money.cost(quantity, asked),
    )


def _add(standing: dict[datetime, _ByStep], slot: datetime, targets: Iterable[Target]) -> None:
    for each in targets:
        _slot, _owner_id, route_id, band = each.place
        standing[slot][route_id, band, each.meter, each.rate.price.above_monthly] += each.quantity
