"""What stands in the books of a period, as statements, exports and bills are made from it.

A line of the ledger is *booked* in the period that holds its booked time: its slot, or where the
slot was closed when the line was posted, the first slot that was open. Usage is booked likewise.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final

from spend.totals import Totals, together

USAGE: Final = "usage"
"""Kind of money that usage cost: its lines are originals, corrections and allocations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """Money of one kind in one currency, or usage, of one payer's team on one route's model."""

    team: str
    """Who pays; ``unallocated``, ``idle``, ``unused`` and ``commitments`` are teams as well."""
    provider: str | None
    model: str | None
    """As charged: the model that answered, else the one asked for."""
    deployment: str | None
    region: str | None
    kind: str | None
    """``usage`` (original, correction, allocation), ``credit``, ``true-up`` or ``tax``; None: this
    is usage without money."""
    currency: str | None
    """Of the money; None: this is usage."""
    belongs_to: date | None
    """The UTC day of the slot, where that is before the period: then it corrects what was closed.
    None: it is of the period itself."""
    day: date | None
    """The UTC day that it is booked in, or that of its use where it is to be converted; None
    unless it was asked for by day."""
    totals: Totals
    """Money in four bases, or calls and usage. Money is known, if it is 0; its list cost is None
    where a line has no list price."""


def spent(rows: Iterable[Booked]) -> Totals:
    """What rows of one currency, and of usage, come to.

    The cost is None where it is unknown: there is no money, or what there was of it was taken back
    with the price.
    """
    found = together(row.totals for row in rows)
    unknown = 0 < found.calls <= found.unpriced_calls or (not found.calls and found.unpriced_tokens)
    if unknown and not any((found.cost, found.list_cost, found.contracted_cost, found.billed_cost)):
        return replace(found, cost=None, list_cost=None, contracted_cost=None, billed_cost=None)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedPool:
    """What a pool cost by what is booked in a period. Exact."""

    id: int
    name: str
    currency: str
    day: date | None
    """As of Booked."""
    cost: Decimal
    """Effective."""
    idle: Decimal
    """The part that nobody used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedCommitment:
    """What a commitment came to by what is booked in a period. Exact."""

    id: int
    name: str
    currency: str
    day: date | None
    """As of Booked."""
    paid: Decimal
    """Billed for it."""
    covered: Decimal
    """What it took off bills of usage, at its contracted cost."""
    used: Decimal
    """What was paid for that."""
    wasted: Decimal
    """What was paid and covered nothing."""
