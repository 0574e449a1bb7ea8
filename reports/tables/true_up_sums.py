"""What a true-up posts, by team and what it is for, in whole coins that add up by currency."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from spend.money import EXACT, rounded_lines
from spend.reconciliation.true_up import TrueUp


@dataclass(frozen=True, slots=True)
class TrueUpSum:
    """Lines of one team, for one thing."""

    team: str
    what: str
    """The meter, and the feature where there is one."""
    amount: Decimal
    """Exact."""
    coins: Decimal


def true_up_sums(done: TrueUp) -> dict[str, list[TrueUpSum]]:
    """By currency, the largest first."""
    sums: dict[tuple[str, str, str, str], Decimal] = defaultdict(Decimal)
    for line in done.lines:
        key = (line.currency, line.owner.team, line.meter, line.owner.feature or "")
        sums[key] = EXACT.add(sums[key], line.amount)
    return {
        currency: _of_one(currency, {key: each for key, each in sums.items() if key[0] == currency})
        for currency in sorted({key[0] for key in sums})
    }


def _of_one(currency: str, sums: dict[tuple[str, str, str, str], Decimal]) -> list[TrueUpSum]:
    its = sorted(sums.items(), key=lambda each: (-abs(each[1]), each[0]))
    coins = rounded_lines([amount for _key, amount in its], currency)
    return [
        TrueUpSum(team, f"{meter}, {feature}" if feature else meter, amount, coin)
        for ((_currency, team, meter, feature), amount), coin in zip(its, coins, strict=True)
    ]
