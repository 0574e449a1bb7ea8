"""The lines of a statement: by team, provider, model and kind, in whole coins that add up.

Exact amounts are rounded once: the month's total, then the teams' so that they add up to it, then
each team's lines so that they add up to the team's (largest remainder, ``spend/money.py``). So a
team's own statement says what its line in everybody's statement says.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeVar

from spend.booked import USAGE
from spend.money import EXACT, minor_digits, rounded_lines
from spend.owners import COMMITMENTS, IDLE, UNALLOCATED, UNUSED
from spend.statements.statement_sides import BASES, LineKey, Side, exact_sum
from spend.statements.why import NO_CHANGE, Why
from spend.totals import Totals, together

_LAST: Final = {UNALLOCATED: 1, IDLE: 2, UNUSED: 3, COMMITMENTS: 4}
_NO_TOTALS: Final = Totals()
Key = TypeVar("Key", bound=tuple[Any, ...])


@dataclass(frozen=True, slots=True)
class Coins:
    """Four bases in whole coins; None where unknown."""

    cost: Decimal | None
    list_cost: Decimal | None
    contracted_cost: Decimal | None
    billed_cost: Decimal | None


@dataclass(frozen=True, slots=True)
class Figures:
    """What one line, or a sum of lines, says."""

    spent: Totals
    """This month, exact."""
    coins: Coins
    """The same in whole coins."""
    last: Totals
    """Last month, exact."""
    last_amount: Decimal | None
    """Last month's cost in whole coins; None where it is unknown."""
    corrections: Decimal
    """The part of the cost that mends earlier months. Exact."""
    why: Why
    """Why cost is not last month's. Exact."""

    @property
    def amount(self) -> Decimal | None:
        """Its cost in whole coins; None where it is unknown."""
        return self.coins.cost

    @property
    def difference(self) -> Decimal | None:
        """The amount less last month's, in whole coins; None where one of them is unknown."""
        if self.amount is None or self.last_amount is None:
            return None
        return EXACT.subtract(self.amount, self.last_amount)


@dataclass(frozen=True, slots=True)
class Line:
    """What a team spent on a provider's model."""

    team: str
    provider: str | None
    model: str | None
    kind: str
    """``usage``, ``credit``, ``true-up`` or ``tax``."""
    figures: Figures


def in_coins(exact: Mapping[Key, Decimal | None], currency: str) -> dict[Key, Decimal]:
    """Exact amounts in whole coins that add up by a key's first part and in all.

    What is unknown has none. Of equal remainders the first gets the coin.
    """
    groups: defaultdict[str, list[tuple[Key, Decimal]]] = defaultdict(list)
    for key, amount in exact.items():
        if amount is not None:
            groups[key[0]].append((key, amount))
    names = sorted(groups)
    wholes = [exact_sum(amount for _key, amount in groups[name]) for name in names]
    shown = {}
    for name, whole in zip(names, rounded_lines(wholes, currency), strict=True):
        lines = rounded_lines([amount for _key, amount in groups[name]], currency, shown=whole)
        for (key, _amount), coins in zip(groups[name], lines, strict=True):
            shown[key] = coins
    return shown


def lines_of(
    now: Side, last: Side, why: Mapping[LineKey, Why], currency: str
) -> dict[str, list[Line]]:
    """The lines of each team, the dearest first."""
    keys = sorted({*now.totals, *last.totals}, key=lambda key: _order(key, now.totals.get(key)))
    coins = {
        base: in_coins(
            {key: getattr(now.totals[key], base) for key in keys if key in now.totals}, currency
        )
        for base in BASES
    }
    # In the order of its own statement, which says the same.
    then_keys = sorted(last.totals, key=lambda key: _order(key, last.totals[key]))
    before = in_coins({key: last.totals[key].cost for key in then_keys}, currency)
    nothing = no_coins(currency)
    found: defaultdict[str, list[Line]] = defaultdict(list)
    for key in keys:
        spent, then = now.totals.get(key, _NO_TOTALS), last.totals.get(key, _NO_TOTALS)
        empty = None if _is_unknown(spent) else nothing
        figures = Figures(
            spent=spent,
            coins=Coins(**{base: coins[base].get(key, empty) for base in BASES}),
            last=then,
            last_amount=before.get(key, None if _is_unknown(then) else nothing),
            corrections=now.corrections(key),
            why=why.get(key, NO_CHANGE),
        )
        found[key[0]].append(Line(*key, figures))
    return found


def _is_unknown(totals: Totals) -> bool:
    """Whether what has no ledger lines may cost something."""
    if totals.cost is not None:
        # Then what is missing is its list price.
        return totals.list_cost is None
    return bool(totals.lacks_price or totals.waiting_calls or any(totals.usage.values()))


def sum_of(figures: Sequence[Figures], currency: str) -> Figures:
    """Figures of several lines as one."""
    spent = together(each.spent for each in figures)
    coins = {
        base: _coins_together([getattr(each.coins, base) for each in figures], currency)
        for base in BASES
    }
    if spent.cost is not None and spent.list_cost is None:
        coins["list_cost"] = None
    return Figures(
        spent=spent,
        coins=Coins(**coins),
        last=together(each.last for each in figures),
        last_amount=_coins_together([each.last_amount for each in figures], currency),
        corrections=exact_sum(each.corrections for each in figures),
        why=Why.together(each.why for each in figures),
    )


def _coins_together(amounts: Sequence[Decimal | None], currency: str) -> Decimal | None:
    """The sum of what is known; None where nothing is."""
    known = [each for each in amounts if each is not None]
    if amounts and not known:
        return None
    return exact_sum([no_coins(currency), *known])


def no_coins(currency: str) -> Decimal:
    """Nothing, with as many decimals as the currency has."""
    return Decimal(0).scaleb(-minor_digits(currency))


def team_order(team: str, spent: Totals) -> tuple[object, ...]:
    """The dearest team first; what is nobody's last."""
    return _LAST.get(team, 0), *_dearest(spent), team


def _dearest(totals: Totals) -> tuple[bool, Decimal, int]:
    return totals.cost is None, -(totals.cost or Decimal(0)), -totals.calls


def _order(key: LineKey, totals: Totals | None) -> tuple[object, ...]:
    names = [(value is None, value or "") for value in key]
    return key[3] != USAGE, *_dearest(totals or _NO_TOTALS), names
