"""Prices that fall (or rise) with the volume of a month: volume steps, marginal.

The units of a price line and its steps are counted through each month of UTC, slot after slot;
what is above an edge costs what its step says, what is below stays as it was. All usage of the
slot in which an edge is crossed shares the units on both sides of it in proportion, by largest
remainder. So what each costs follows from the month's usage alone, whatever arrived when.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from spend import money


def month_of(slot: datetime) -> datetime:
    """The start of the month of UTC that holds a slot."""
    return slot.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def next_month(month: datetime) -> datetime:
    """The start of the month after one that starts at ``month``."""
    years, months = divmod(month.month, 12)
    return month.replace(year=month.year + years, month=months + 1)


def in_steps(before: int, quantity: int, edges: Sequence[int]) -> tuple[int, ...]:
    """How much of ``quantity`` units is in each step, where ``before`` came earlier in the month.

    ``edges`` are the units from which each step holds: ascending, the first 0.
    """
    after = before + quantity
    ends = (*edges[1:], max(after, edges[-1]))
    return tuple(
        max(min(after, end) - max(before, edge), 0) for edge, end in zip(edges, ends, strict=True)
    )


def shared(quantities: Sequence[int], steps: Sequence[int]) -> list[tuple[int, ...]]:
    """Each of ``quantities`` over the steps: rows add up to it, columns to ``steps``.

    Step by step, of what each still has; of equal remainders the first gets the unit.
    """
    left = list(quantities)
    columns = []
    for whole in steps:
        parts = money.split_units(whole, left)
        left = [had - part for had, part in zip(left, parts, strict=True)]
        columns.append(parts)
    return list(zip(*columns, strict=True))
