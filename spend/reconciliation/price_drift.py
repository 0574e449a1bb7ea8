"""Prices of our table that others no longer agree with: the second public list, bills, and calls.

Each differing price is a drift, of which it is said who differs, by how many per cent, and since
when. A model's largest one counts.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final

from spend import money
from spend.money import EXACT, ROUNDING
from spend.prices.discrepancies import Compared
from spend.reconciliation.bills import USAGE
from spend.reconciliation.variance import Variance

MOST_TOLD: Final = 3
LEAST_BILLED: Final = Decimal(1)
"""Of the bill's currency: a smaller difference is one of its rounded lines."""

FROM_NOTHING: Final = Decimal(100)
"""Per cent, where our table says that it is free."""

Model = tuple[str, str]
"""Provider and model."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One price that somebody else has otherwise."""

    provider: str
    model: str
    percent: Decimal
    """By how much theirs is dearer than ours, with 2 decimals."""
    who: str
    """Who has it otherwise: 'The supplement', 'The bill of openai for …'."""
    what: str
    """'input: 3.15 for 1,000,000, 3.00 in our table'."""
    since: datetime | None
    """UTC; None: not known."""

    @property
    def told(self) -> str:
        """Behind ``who``, for people."""
        since = "" if self.since is None else f", since {self.since:%Y-%m-%d}"
        return f"{self.what} ({self.percent:+f} %){since}"


def of_lists(compared: Iterable[Compared], *, without: Iterable[tuple[str, ...]]) -> list[Drift]:
    """Prices that the supplement has otherwise than the list.

    ``without``: provider, model and meter of prices that a contract says: theirs are not used.
    """
    agreed = frozenset(without)
    return [
        Drift(
            each.provider,
            each.model,
            FROM_NOTHING if each.difference is None else each.difference,
            "The supplement",
            f"{_place(each)}: {money.plain(each.supplement_price)} for 1,000,000,"
            f" {money.plain(each.list_price)} in our table",
            each.since,
        )
        for each in compared
        if each.list_price is not None
        and each.supplement_price is not None
        and each.list_price != each.supplement_price
        and (each.provider, each.model, each.meter) not in agreed
    ]


def of_bill(provider: str, variance: Variance) -> list[Drift]:
    """Usage that is billed at other unit prices than ours: the price part of a bill's variance."""
    start, end = variance.period.start, variance.period.end
    who = f"The bill of {provider} for {start:%Y-%m-%d} to {end:%Y-%m-%d}"
    found = []
    for line in variance.lines:
        price = line.buckets.price
        ours = EXACT.subtract(EXACT.subtract(line.billed, price), line.buckets.fx)
        if line.kind != USAGE or line.model is None or not line.heard or ours <= 0:
            continue
        if price.copy_abs() < LEAST_BILLED:
            continue
        theirs = EXACT.add(ours, price)
        told = (money.rounded(each, variance.currency) for each in (theirs, ours))
        found.append(
            Drift(
                provider,
                line.model,
                per_cent(price, ours),
                who,
                "{}: {} {currency}, {} {currency} by our table".format(
                    line.meter or "all", *told, currency=variance.currency
                ),
                start,
            )
        )
    return found


def of_calls(told: Mapping[Model, tuple[int, Fraction]]) -> list[Drift]:
    """Models whose calls told another cost: how many did, and theirs by ours, in the middle."""
    return [
        Drift(
            *model,
            Decimal(round((ratio - 1) * 10_000)).scaleb(-2, EXACT),
            f"What {calls:,} calls told",
            "their cost, in the middle",
            None,
        )
        for model, (calls, ratio) in told.items()
    ]


def per_cent(difference: Decimal, whole: Decimal) -> Decimal:
    """A difference in per cent, with 2 decimals."""
    share = ROUNDING.divide(difference, whole).scaleb(2, ROUNDING)
    return share.quantize(Decimal("0.01"), context=ROUNDING)


def by_model(drifts: Iterable[Drift]) -> Mapping[Model, Sequence[Drift]]:
    """Each model's drifts, the largest first."""
    found: defaultdict[Model, list[Drift]] = defaultdict(list)
    for each in drifts:
        found[each.provider, each.model].append(each)
    return {
        model: sorted(its, key=lambda each: (-abs(each.percent), each.who, each.what))
        for model, its in found.items()
    }


def _place(each: Compared) -> str:
    """'output above 200,000 tokens, of tier batch in us'."""
    above = f" above {each.above_tokens:,} tokens" if each.above_tokens else ""
    tier = f", of tier {each.service_tier}" if each.service_tier else ""
    region = f" in {each.region}" if each.region else ""
    return f"{each.meter}{above}{tier}{region}"
