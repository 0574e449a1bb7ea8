"""What stands in the books of a period, as statements, exports and bills are made from it.

A line of the ledger is *booked* in the period that holds its booked time: its slot, or where the
slot was closed when the line was posted, the first slot that was open. Usage is booked likewise.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from spend.totals import Totals


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
    """The UTC day that it is booked in; None unless it was asked for by day."""
    totals: Totals
    """Money in four bases, or calls and usage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedPool:
    """What a pool cost by what is booked in a period."""

    name: str
    currency: str
    cost: Decimal
    idle: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedCommitment:
    """What a commitment came to by what is booked in a period."""

    id: int
    name: str
    currency: str
    paid: Decimal
    """Billed for it."""
    used: Decimal
    """Of the effective amount, what covered usage."""
    wasted: Decimal
    """What nobody used."""
