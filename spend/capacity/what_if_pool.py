"""What if these calls had run on a pool, beside what ran there: what it would take, who bears it.

A pool has a price for nothing: it costs its hours, and however many machines the busiest hour needs
are paid for in all hours. That cost is split over all work, what ran there and what comes, by work:
its allocation cost, idle hours and all.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Final

from spend import money
from spend.capacity.economics import tokens_of
from spend.capacity.pools import Pool
from spend.capacity.splitting import work_units
from spend.capacity.what_if import Answer, Key, PoolThere, Rated, ToPool, Traffic, all_of
from spend.capacity.what_if_terms import adjusted, assumptions

NO_CAPACITY: Final = "The pool has no declared capacity: what would fit on it is not known."
NO_HOURS: Final = "No hour of the pool is settled in this time: what it costs is not known."

Bucket = tuple[Key, bool]
"""A group, and whether its calls have a price here."""


@dataclass(frozen=True, slots=True)
class PoolLoad:
    """A pool over the hours of a question."""

    hours: int
    """That it would have to run."""
    settled: int
    """Hours that its cost and capacity are measured by."""
    cost: Decimal
    """Of the settled hours."""
    shared: Decimal
    """Of that, what a further machine does not cost again."""
    capacity: Decimal | None
    """Work units that the settled hours could do; None: not declared."""
    by_hour: Mapping[datetime, Decimal]
    """Work that it did, by hour (UTC)."""


def on_pool(
    asked: ToPool,
    load: PoolLoad,
    coming: Mapping[datetime, Mapping[str, int]],
    calls: Sequence[tuple[Traffic, bool]],
) -> Answer:
    """What calls would cost on a pool: each with whether it ran there, which changes nothing.

    ``coming`` is what those used by hour that did not.
    """
    pool, terms = asked.pool, asked.terms
    there_already = sum((_work(pool, each.usage) for each, ran in calls if ran), Decimal(0))
    results = []
    for factor in (terms.tokenizer, terms.tokenizer_low, terms.tokenizer_high):
        work: dict[Bucket, Decimal] = defaultdict(Decimal)
        for each, ran in calls:
            usage = each.usage if ran else adjusted(each.usage, terms, factor)
            work[each.key, each.is_priced] += _work(pool, usage)
        more = {hour: _work(pool, adjusted(usage, terms, factor)) for hour, usage in coming.items()}
        results.append(placed(load, more, there_already, work))
    groups: dict[Key, list[Rated]] = defaultdict(list)
    middle = results[0]
    if isinstance(middle, str):
        for each, _ran in calls:
            groups[each.key].append(
                Rated(unpriced_calls=each.calls, unpriced_tokens=tokens_of(each.usage))
            )
        there, notes = None, (*assumptions(terms), middle)
    else:
        there = middle[0]
        shares, low, high = (each[1] for each in results if not isinstance(each, str))
        for bucket, share in shares.items():
            key, is_priced = bucket
            of_unpriced = money.amount(0) if is_priced else share
            groups[key].append(Rated(share, low[bucket], high[bucket], of_unpriced))
        for each, _ran in calls:
            groups[each.key].append(Rated(unpriced_calls=each.unmetered_calls))
        notes = (*assumptions(terms), *_notes(load, there))
    by_group = {key: all_of(parts) for key, parts in groups.items()}
    return Answer(pool.name, by_group, all_of(by_group.values()), notes, there)


def _notes(load: PoolLoad, there: PoolThere) -> tuple[str, ...]:
    at = f"{there.busiest:%Y-%m-%dT%H:%MZ}"
    measured = f"It runs for all {load.hours:,} hours, at what {load.settled:,} settled ones cost."
    return (
        "The cost of all machines, idle hours too, goes by work over all that runs on them.",
        f"Machines like it, for the busiest hour ({at}): {there.machines}.",
        *([measured] if load.settled != load.hours else []),
    )


def _work(pool: Pool, usage: Mapping[str, int]) -> Decimal:
    return work_units(usage, pool.output_weight)


def placed(
    load: PoolLoad,
    coming: Mapping[datetime, Decimal],
    there_already: Decimal,
    work: Mapping[Bucket, Decimal],
) -> tuple[PoolThere, Mapping[Bucket, Decimal]] | str:
    """What it takes to run ``work`` and what each part of it bears; or why that is not known.

    ``coming`` is what of it did not run there, by hour; ``there_already`` the rest. Parts and what
    others did add up to the cost of all machines, to the last 1e-12.
    """
    if not load.settled:
        return NO_HOURS
    if not load.capacity:
        return NO_CAPACITY
    of_hour = Fraction(load.capacity) / load.settled
    demand = {
        hour: Fraction(load.by_hour.get(hour, 0)) + Fraction(coming.get(hour, 0))
        for hour in {*load.by_hour, *coming}
    }
    busiest = max(sorted(demand), key=lambda hour: demand[hour])
    machines = max(1, ceil(demand[busiest] / of_hour))
    once = Fraction(load.shared) * load.hours / load.settled
    each = Fraction(load.cost) * load.hours / load.settled - once
    whole = money.amount(round((once + each * machines) * 10**money.ATOM_DIGITS))
    extra = money.amount(round(each * (machines - 1) * 10**money.ATOM_DIGITS))
    others = max(Decimal(0), sum(load.by_hour.values(), Decimal(0)) - there_already)
    weights = [_weight(units) for units in (*work.values(), others)]
    parts = money.split(whole, weights)[:-1] if any(weights) else [money.amount(0)] * len(work)
    return PoolThere(machines, busiest, extra), dict(zip(work, parts, strict=True))


def _weight(units: Decimal) -> int:
    # Work units have at most 6 decimals.
    return int(units.scaleb(6, money.EXACT))
