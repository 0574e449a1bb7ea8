"""Re-pricings: somebody has a time priced by what is known today (docs/prices.md).

Prices that enter the book change nothing that was charged. A re-pricing does: it books, as
corrections, the difference to what the ledger would say by the book of one moment.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from spend.money import EXACT
from spend.slots import SLOT, is_slot_start, slot_of

LONGEST: Final = timedelta(days=1100)


class RepricingRefusedError(ValueError):
    """What was asked for makes no sense. Whoever asked should mend the field."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Repricing:
    """One re-pricing, and how far it has come. All moments UTC."""

    id: int
    starts: datetime
    ends: datetime
    """Exclusive; both on quarter hours."""
    known_at: datetime
    """By what was known then cells are priced."""
    dry_run: bool
    """It only finds out, and books nothing."""
    requested_at: datetime
    requested_by: str | None
    note: str | None
    done_until: datetime
    finished_at: datetime | None
    cells: int
    """Looked at so far."""
    changed_cells: int
    """Places of the ledger (cells, whatever their outcome) with another cost than before."""
    lines: int
    """Posted, or of a dry run: to be posted."""

    @classmethod
    def unkept(
        cls, starts: datetime, ends: datetime, *, known_at: datetime, now: datetime
    ) -> "Repricing":
        """A dry run that only the one who asks knows of: it comes after all that were kept."""
        return cls(
            id=2**63 - 1,
            starts=starts,
            ends=ends,
            known_at=known_at,
            dry_run=True,
            requested_at=now,
            requested_by=None,
            note=None,
            done_until=starts,
            finished_at=None,
            cells=0,
            changed_cells=0,
            lines=0,
        )


@dataclass(frozen=True, slots=True)
class Difference:
    """What a re-pricing makes different for a part of the calls. Effective amounts by the book."""

    before: Decimal
    after: Decimal
    unpriced_before: int
    unpriced_after: int
    lines: int

    @property
    def amount(self) -> Decimal:
        """By how much more it costs."""
        return EXACT.subtract(self.after, self.before)

    def plus(self, other: "Difference") -> "Difference":
        """Both together."""
        return Difference(
            before=EXACT.add(self.before, other.before),
            after=EXACT.add(self.after, other.after),
            unpriced_before=self.unpriced_before + other.unpriced_before,
            unpriced_after=self.unpriced_after + other.unpriced_after,
            lines=self.lines + other.lines,
        )


NO_DIFFERENCE: Final = Difference(Decimal(0), Decimal(0), 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Concerned:
    """What changed prices concern and leave as it is, until it is re-priced."""

    cells: int
    """Charged already."""
    starts: datetime
    """UTC, as ``ends``, which is exclusive: the time of these cells; where there are none, the
    time before now for which prices have changed."""
    ends: datetime

    @property
    def command(self) -> str:
        """What re-prices it."""
        bounds = f"--from {_written(self.starts)} --to {_written(self.ends)}"
        return f"spanledger prices reprice {bounds}"

    def __str__(self) -> str:
        if self.cells:
            kept = f"{self.cells:,} charged cells keep their cost"
        else:
            kept = "calls of the past that are still to come cost what was known at their time"
        return f"{kept}. To have them go by the book as it is now (--dry-run shows it):\n  " + (
            self.command
        )


def _written(moment: datetime) -> str:
    midnight = moment.hour == moment.minute == 0
    return f"{moment:%Y-%m-%d}" if midnight else f"{moment:%Y-%m-%dT%H:%MZ}"


def slot_after(now: datetime) -> datetime:
    """The end (UTC) of the present quarter hour: how far a re-pricing can go."""
    return slot_of(now) + SLOT


def check_range(starts: datetime, ends: datetime, *, now: datetime) -> None:
    """Raises RepricingRefusedError for a time that cannot be re-priced."""
    for field, moment in (("from", starts), ("to", ends)):
        if not is_slot_start(moment):
            raise RepricingRefusedError(field, "must be on a quarter hour (:00, :15, :30 or :45)")
    if starts >= ends:
        raise RepricingRefusedError("to", "must be after from")
    if starts > now:
        raise RepricingRefusedError("from", "is in the future")
    if ends > slot_after(now):
        raise RepricingRefusedError("to", "is in the future: what is to come goes by the book")
    if ends - starts > LONGEST:
        raise RepricingRefusedError("to", f"must be at most {LONGEST.days} days after from")


def booked_from(repricing: Repricing, open_from: datetime | None) -> datetime | None:
    """Where the difference of closed time is booked (UTC); None: all of its time is open.

    ``open_from``: the books before that moment are closed.
    """
    closed = open_from is not None and repricing.starts < open_from
    return open_from if closed else None
