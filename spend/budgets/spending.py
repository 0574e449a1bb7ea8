"""What was spent, to be asked by many filters for many periods, from one reading."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from spend.budgets.budgets import Filter
from spend.currencies.exchange import UsedRate, converted
from spend.money import EXACT


@dataclass(frozen=True, slots=True)
class Spend:
    """What was spent in one piece of time by whom, on what."""

    piece: int
    values: tuple[str, ...]
    """One for each dimension that is told apart; NOT_SAID where it has none."""
    currency: str
    amount: Decimal
    day: date | None = None
    """Of the use (UTC); None: it matters for no budget, as all are in its currency."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What counts towards a budget."""

    amount: Decimal
    """In the budget's currency: exact, what is in others at the rate of its day."""
    without: Mapping[str, Decimal]
    """Currency -> what was spent in it and has no rate: it is not in the amount."""


RateOf = Callable[[str, str, date | None], UsedRate | None]
"""Currency of spend, currency of a budget, day of use -> what is used for it; None: no rate."""

_Sums = dict[int, Decimal]
"""By piece."""


def no_rates(_currency: str, _to: str, _day: date | None) -> None:
    """Where nothing is known of rates."""


class Spending:
    """What was spent in some pieces of time. A filter looks only at what may fit."""

    def __init__(
        self, dimensions: Sequence[str], rows: Iterable[Spend], rate_of: RateOf = no_rates
    ) -> None:
        self._dimensions = tuple(dimensions)
        self._rate_of = rate_of
        self._rows: dict[tuple[str, ...], list[Spend]] = defaultdict(list)
        for row in rows:
            self._rows[row.values].append(row)
        self._by = [self._index(place) for place in range(len(self._dimensions))]
        self._told: dict[str, dict[tuple[str, ...], dict[str, _Sums]]] = {}
        self._known: dict[
            tuple[str, tuple[tuple[str, tuple[str, ...]], ...]], dict[str, _Sums]
        ] = {}

    def on(self, wanted: Filter, currency: str, pieces: range) -> Counted:
        """What was spent in some pieces on what fits, as a budget in ``currency`` counts it.

        Raises KeyError for a dimension that is not told apart.
        """
        sums = {code: _within(each, pieces) for code, each in self._sums(wanted, currency).items()}
        amount = sums.pop(currency, Decimal(0))
        return Counted(amount, {code: each for code, each in sorted(sums.items()) if each})

    def by_piece(self, wanted: Filter, currency: str) -> Mapping[int, Decimal]:
        """The amounts that count, by piece; those of pieces with nothing are left out. Likewise."""
        return self._sums(wanted, currency).get(currency, {})

    def _sums(self, wanted: Filter, currency: str) -> dict[str, _Sums]:
        key = (currency, tuple(sorted(wanted.items())))
        if key not in self._known:
            self._known[key] = self._by_piece(wanted, currency)
        return self._known[key]

    def _by_piece(self, wanted: Filter, currency: str) -> dict[str, _Sums]:
        """Sums by currency: of the budget's own, with what was converted; of others, without."""
        told = self._in(currency)
        found: dict[str, _Sums] = {}
        for values in self._fitting(wanted):
            for code, sums in told[values].items():
                into = found.setdefault(code, {})
                for piece, amount in sums.items():
                    into[piece] = EXACT.add(into[piece], amount) if piece in into else amount
        return found

    def _fitting(self, wanted: Filter) -> Iterable[tuple[str, ...]]:
        """Whose values fit: those that have the rarest of the wanted ones, if they have all."""
        places = []
        for dimension, values in wanted.items():
            if dimension not in self._dimensions:
                raise KeyError(dimension)
            places.append((self._dimensions.index(dimension), frozenset(values)))
        candidates: Iterable[tuple[str, ...]] = self._rows
        fewest = len(self._rows)
        for place, ok in places:
            count = sum(len(self._by[place].get(value, ())) for value in ok)
            if count < fewest:
                fewest = count
                candidates = [each for value in ok for each in self._by[place].get(value, ())]
        return [each for each in candidates if all(each[at] in ok for at, ok in places)]

    def _index(self, place: int) -> dict[str, list[tuple[str, ...]]]:
        index: dict[str, list[tuple[str, ...]]] = defaultdict(list)
        for values in self._rows:
            index[values[place]].append(values)
        return index

    def _in(self, currency: str) -> dict[tuple[str, ...], dict[str, _Sums]]:
        """All rows as budgets in a currency count them: each is converted once."""
        if currency not in self._told:
            self._told[currency] = {
                values: self._converted(rows, currency) for values, rows in self._rows.items()
            }
        return self._told[currency]

    def _converted(self, rows: Iterable[Spend], currency: str) -> dict[str, _Sums]:
        found: dict[str, _Sums] = {}
        for row in rows:
            code, amount = currency, row.amount
            if row.currency != currency:
                rate = self._rate_of(row.currency, currency, row.day)
                if rate is None:
                    code = row.currency
                else:
                    amount = converted(amount, rate)
            into = found.setdefault(code, {})
            into[row.piece] = EXACT.add(into.get(row.piece, Decimal(0)), amount)
        return found


def _within(sums: _Sums, pieces: range) -> Decimal:
    amount = Decimal(0)
    for piece, each in sums.items():
        if piece in pieces:
            amount = EXACT.add(amount, each)
    return amount
