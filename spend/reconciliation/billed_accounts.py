"""Accounts of a bill whose traffic we never heard, although we hear the same models elsewhere."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Final

from spend.money import EXACT
from spend.periods import Period
from spend.reconciliation.billed_keys import Key, Keys
from spend.reconciliation.billed_parts import within
from spend.reconciliation.bills import USAGE
from spend.reconciliation.variance import Billed, Estimated

_CLOSE: Final = Fraction(1, 100)


def unheard_accounts(
    keys: Keys,
    estimated: Iterable[Estimated],
    billed: Iterable[Billed],
    period: Period,
    currency: str,
) -> frozenset[str | None]:
    """Accounts (projects, workspaces) without which the bill's units are those that we heard.

    Estimates have no accounts, so this is a conclusion: of each thing that the account used and
    that we hear, what is billed too much is what that account used, within 1 %. Where the bill
    tells no units, by money. The largest account is looked at first.
    """
    own = [each for each in billed if each.kind == USAGE and not each.elsewhere]
    if len({each.account for each in own}) < 2:  # noqa: PLR2004 - one of several
        return frozenset()
    by_money = any(each.quantity is None for each in own)
    too_many: dict[Key, Fraction] = defaultdict(Fraction)
    heard = set()
    for row in estimated:
        if within(row.piece, period) and (by_money or keys.counts(row)):
            if by_money and row.amount and row.currency != currency:
                return frozenset()
            too_many[keys.of(row)] -= Fraction(row.amount if by_money else row.quantity)
            heard.add(keys.of(row))
    used: dict[str | None, dict[Key, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    cost: dict[str | None, Decimal] = defaultdict(Decimal)
    for line in own:
        cost[line.account] = EXACT.add(cost[line.account], line.amount)
        if by_money or keys.counts(line):
            units = Fraction(line.amount if by_money else line.quantity or 0)
            too_many[keys.of(line)] += units
            used[line.account][keys.of(line)] += units
    found = set()
    for account in sorted(used, key=lambda each: (-cost[each], each or "")):
        its = {key: units for key, units in used[account].items() if key in heard and units > 0}
        if its and all(abs(too_many[key] - units) <= _CLOSE * units for key, units in its.items()):
            found.add(account)
            for key, units in its.items():
                too_many[key] -= units
    return frozenset(found)
