"""Charges of a day that differ in nothing but their quarter hour, as one line: what an export has.

A charge is priced at one unit price, so their sum still is its quantity times that price. What a
commitment covers wholly is told from what it does not; what it covers in part stays beside the
usage, as the ledger has it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Final

from spend import money
from spend.calls import Owner, Route
from spend.commitments.commitments import COVERED
from spend.periods import Period

USAGE: Final = "usage"
"""The kind of originals, corrections and allocations; others are kinds of charges."""

PRICE, POOL, COMMITMENT, SPLIT, BILL = "price", "pool", "commitment", "split", "bill"
"""What an amount came from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """What was divided, and this line is a part of: a pool's day, or what a split has spread."""

    amount: Decimal
    """Effective."""
    billed_amount: Decimal
    parts_agree: bool
    """Whether no two parts have different signs: then each is a share of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeSum:
    """Charges of one day, added up."""

    day: Period
    """The local day of their slots, UTC bounds: when it was used."""
    is_late: bool
    """The day is of a period that was closed when they were posted."""
    posted_at: datetime
    """When the last of them was."""
    payer_id: int
    payer: Owner
    route_id: int
    route: Route
    kind: str
    """USAGE, ``credit``, ``true-up`` or ``tax``."""
    meter: str
    method: str
    source: str
    """PRICE, POOL, COMMITMENT, SPLIT or BILL; ``source_id`` says which."""
    source_id: int
    uplift_id: int | None
    discount_id: int | None
    list_unit_price: Decimal | None
    """Per 1,000,000 units, as the next. None: unknown, or it is not priced by the book."""
    unit_price: Decimal | None
    currency: str
    quantity: Decimal
    list_amount: Decimal | None
    """None: unknown."""
    contracted_amount: Decimal
    amount: Decimal
    """Effective."""
    billed_amount: Decimal
    covered_by: int | None
    """The commitment that covers all of it; of a credit for that, its own."""
    whole: Whole | None
    """Of a part of something that was divided."""


def with_covers_put_down(sums: Iterable[ChargeSum]) -> Iterator[ChargeSum]:
    """The same money, with credits for usage that is covered wholly put down to that usage.

    Then what was covered is billed at nothing, and its effective cost is its share of what was paid
    for the commitment. Lines of one day, payer, route, currency and commitment stand together.
    """
    for key, group in groupby(sums, _place):
        lines = list(group)
        yield from lines if key[-1] is None else _put_down(lines)


def _place(each: ChargeSum) -> tuple[object, ...]:
    return (each.day.start, each.payer_id, each.route_id, each.currency, each.covered_by)


def _put_down(lines: Sequence[ChargeSum]) -> list[ChargeSum]:
    credits_ = [each for each in lines if each.meter == COVERED]
    usage = [each for each in lines if each.meter != COVERED]
    covered = money.total([each.contracted_amount for each in usage])
    billed = money.total([each.billed_amount for each in credits_])
    weights = [money.atoms(each.contracted_amount) for each in usage]
    if not credits_ or min(weights, default=-1) < 0 or billed != -covered:
        # Corrections that are less than nothing have no share of it.
        return list(lines)
    more = money.total([covered, *(each.amount for each in credits_)])
    parts = money.split(more, weights)
    last = max(each.posted_at for each in lines)
    return [
        replace(
            each,
            billed_amount=money.EXACT.subtract(each.billed_amount, each.contracted_amount),
            amount=money.total([each.amount, -each.contracted_amount, part]),
            posted_at=last,
        )
        for each, part in zip(usage, parts, strict=True)
    ]
