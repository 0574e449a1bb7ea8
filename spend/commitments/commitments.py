"""Commitments: credits bought in advance, and spend that was promised; and what usage they cover.

In each of its periods a commitment covers the contracted cost of fitting usage, the earliest first,
up to its amount. What is covered is not billed again, and costs in effect its share of what was
paid. What nobody used by the period's end is a line of its own, so that effective costs of what was
covered and what was not used add up to what was paid, to the last atom.

Where several fit, the one of the lower ``order`` covers first, the next what that leaves: no unit
of usage is covered twice. docs/commitments.md
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from spend import money
from spend.calls import Owner, Route
from spend.owners import COMMITMENTS, UNUSED
from spend.patterns import fits_one
from spend.periods import Period, month_of, month_period
from spend.slots import SLOT

METHOD: Final = "commitment/1"
"""Written on every charge that this made."""

PREPAID: Final = "prepaid"
MINIMUM: Final = "minimum"
KINDS: Final = (PREPAID, MINIMUM)

TERM: Final = "term"
MONTHS: Final[Mapping[str, int]] = {"month": 1, "quarter": 3, "year": 12}
PERIODS: Final = (*MONTHS, TERM)
"""How long the amount is for: so many months (UTC) from the beginning on, or all of the time."""

DIMENSIONS: Final = ("provider", "model", "region")
"""What usage can be chosen by."""

COVERED: Final = "covered"
PURCHASE: Final = "commitment"
UNUSED_METER: Final = "unused"
"""Meters of charges: a credit for usage, what was paid, and what of that nobody used."""

PURCHASE_OWNER: Final = Owner(team=COMMITMENTS, rule="paid for a commitment")
UNUSED_OWNER: Final = Owner(team=UNUSED, rule="a commitment that no call used")

FOREVER: Final = datetime(9999, 1, 1, tzinfo=UTC)
"""When credits end that do not expire."""

NOTHING, PART, ALL = "nothing", "part", "all"
"""What of a slot's usage a commitment covers."""

_UTC: Final = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Commitment:
    """So much usage at its contracted cost, for so much money; terms as they are declared."""

    name: str
    kind: str
    """PREPAID or MINIMUM."""
    amount: Decimal
    """Usage that it covers in each period: the credits' face value, or the minimum."""
    paid: Decimal
    """What that costs; at most the amount. Of a minimum: the amount."""
    currency: str
    match: Mapping[str, Sequence[str]]
    """Dimension -> patterns (``spend/patterns.py``), of which one must fit; all dimensions must."""
    period: str
    """One of PERIODS."""
    valid_from: datetime
    """UTC: the first moment of a month, or a quarter hour if the period is TERM."""
    valid_to: datetime | None = None
    """UTC, exclusive, likewise. None: no end."""
    source: str = ""
    reference: str | None = None
    entered_by: str | None = None
    known_from: datetime | None = None
    known_to: datetime | None = None
    """When it was withdrawn, or replaced; None: it holds."""
    id: int = 0
    """0 until it is stored."""

    @property
    def subject(self) -> tuple[object, ...]:
        """Two of one subject never hold at one time."""
        return (self.name,)

    @property
    def terms(self) -> tuple[object, ...]:
        """All that was agreed, whoever entered it."""
        match = tuple((name, tuple(self.match[name])) for name in sorted(self.match))
        costs = (self.amount, self.paid, self.currency)
        return (self.name, self.kind, *costs, match, self.period, self.valid_from, self.valid_to)

    @property
    def order(self) -> tuple[object, ...]:
        """Who covers first: credits before minimums, then what ends first, then what began first.

        Two of a name are told apart by their id.
        """
        ends = self.valid_to or FOREVER
        return (self.kind != PREPAID, ends, self.valid_from, self.name, self.id)

    def fits(self, route: Route) -> bool:
        """Whether usage of a route counts towards it."""
        return all(fits_one(getattr(route, name), self.match[name]) for name in self.match)

    def overlaps(self, other: "Commitment") -> bool:
        """Whether both have the same name at one time."""
        return (
            self.name == other.name
            and self.valid_from < (other.valid_to or FOREVER)
            and other.valid_from < (self.valid_to or FOREVER)
        )

    def periods(self, until: datetime) -> Iterator[Period]:
        """Its periods that begin at ``until`` or before, in order."""
        start = self.valid_from
        ends = self.valid_to or FOREVER
        while start <= until and start < ends:
            period = Period(start, min(self._end_of(start), ends))
            yield period
            start = period.end

    def _end_of(self, start: datetime) -> datetime:
        if self.period == TERM:
            return FOREVER
        return month_period(month_of(start, _UTC).plus(MONTHS[self.period]), _UTC).start

    @property
    def route(self) -> Route:
        """What its own lines show as called."""
        told = {name: _only(self.match.get(name, ())) for name in DIMENSIONS}
        return Route(provider=told["provider"], model=told["model"], region=told["region"])

    def effective(self, covered: Decimal) -> Decimal:
        """What so much covered usage costs: its share of what was paid, rounded down."""
        share = money.atoms(covered) * money.atoms(self.paid) // money.atoms(self.amount)
        return money.amount(share)


def _only(patterns: Sequence[str]) -> str | None:
    return patterns[0] if len(patterns) == 1 and not patterns[0].endswith("*") else None


def last_slot(period: Period) -> datetime:
    """The last quarter hour of a period: where its unused part is booked."""
    return period.end - SLOT


@dataclass(frozen=True, slots=True)
class SlotUsage:
    """A quarter hour of one commitment: what counts towards it, and what is posted of that."""

    slot: datetime
    eligible: Decimal
    """Contracted cost, without what commitments before this one cover."""
    covered: Decimal
    effective: Decimal
    covers: str
    """ALL, PART or NOTHING: as it is posted."""
    waits: bool
    """Its lines are to be looked at."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be covered in one period."""

    to_cover: tuple[datetime, ...]
    """Slots that are covered wholly, and not posted so."""
    to_leave: tuple[datetime, ...]
    """Slots that are not covered, and not posted so."""
    runs_out: datetime | None
    """The slot in which it is used up; None: it is not."""
    left: Decimal
    """What it still covers in that slot; without one, what is left at the end."""


def plan(amount: Decimal, slots: Iterable[SlotUsage]) -> Plan:
    """Covers a period's usage in time order until the amount is used."""
    to_cover: list[datetime] = []
    to_leave: list[datetime] = []
    runs_out: datetime | None = None
    left = money.atoms(amount)
    for each in sorted(slots, key=lambda each: each.slot):
        eligible = max(0, money.atoms(each.eligible))
        if runs_out is None and 0 < left <= eligible:
            runs_out = each.slot
            continue
        wanted = ALL if runs_out is None and left else NOTHING
        if wanted == ALL:
            left -= eligible
        if each.waits or each.covers != wanted:
            (to_cover if wanted == ALL else to_leave).append(each.slot)
    return Plan(tuple(to_cover), tuple(to_leave), runs_out, money.amount(left))


def split(
    left: Decimal, worth: Decimal, remaining: Sequence[Decimal]
) -> list[tuple[Decimal, Decimal]]:
    """Covered and effective cost of the places of the slot in which a commitment runs out.

    They share what is ``left`` in proportion to what ``remaining`` each has, and in proportion to
    that what the rest is ``worth``: all that was paid but for what earlier slots took.
    """
    weights = [max(0, money.atoms(each)) for each in remaining]
    if not any(weights):
        return [(money.amount(0), money.amount(0)) for _ in remaining]
    covered = money.split(left, weights)
    return list(
        zip(covered, money.split(worth, [money.atoms(each) for each in covered]), strict=True)
    )
