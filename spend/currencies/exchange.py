"""Exchange rates: which one is used for what, and what amounts are in another currency.

What a charge is in, it stays in: sums are converted when they are shown, and an amount times a
rate is exact. A rate has 10 decimals, and is rounded to them once (half to even), before it is
used: so what is shown of it is what was used.

The rate of a pair on a day is the first of these that there is:
1. the one that was entered for it,
2. the inverse of the one that was entered the other way round,
3. across a third currency that both have a rate with on that day, either way round: EUR before
   USD before all others by their codes.

A policy says which day's rate an amount of a period is converted at:
- ``daily``: of the day of the charge, else of the last day before it that has one, at most
  OLDEST_BEFORE back;
- ``period-end``: of the period's last day, else of the last one before it, at most OLDEST_AT_END
  back;
- ``period-average``: the mean of the rates of the period's days that have one;
- ``none``: nothing is converted, each currency is told by itself.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final

from spend.money import EXACT, ROUNDING

RATE_DIGITS: Final = 10
"""A rate's decimals."""

RATE_LIMIT: Final = Decimal(10) ** 10
"""A rate is less than this."""

DAILY: Final = "daily"
PERIOD_END: Final = "period-end"
PERIOD_AVERAGE: Final = "period-average"
POLICIES: Final = (DAILY, PERIOD_END, PERIOD_AVERAGE)
NONE: Final = "none"
"""Not one of the policies: each currency is told by itself."""

OLDEST_AT_END: Final = timedelta(days=7)
OLDEST_BEFORE: Final = timedelta(days=366)

ENTERED: Final = "entered"
INVERSE: Final = "inverse"

_PIVOTS_FIRST: Final = ("EUR", "USD")


@dataclass(frozen=True, slots=True)
class Telling:
    """How money of many currencies is told where nobody asks for it otherwise."""

    currency: str
    """In this one (ISO 4217)."""
    policy: str = DAILY
    """One of POLICIES."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRate:
    """One unit of a currency is ``rate`` units of another, on a day, as somebody publishes it."""

    from_currency: str
    """ISO 4217, as the next."""
    to_currency: str
    day: date
    rate: Decimal
    """Above 0, with at most 10 decimals."""
    source: str
    reference: str | None = None
    entered_by: str | None = None
    id: int | None = None
    """None until it is entered; so is ``known_from``."""
    known_from: datetime | None = None
    known_to: datetime | None = None
    """From when to when (UTC, half-open) it was believed; None: still."""

    @property
    def subject(self) -> tuple[str, str, date]:
        """What only one rate is believed for at a time."""
        return self.from_currency, self.to_currency, self.day


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedRate:
    """What amounts were multiplied with, and where that comes from."""

    from_currency: str
    to_currency: str
    rate: Decimal
    """10 decimals."""
    day: date
    """Whose rate it is; of an average, the last day that has one."""
    days: int = 1
    """Of how many days it is the mean."""
    path: str
    """``entered``, ``inverse``, or ``across EUR``; of an average, all that there were."""
    sources: tuple[str, ...]
    ids: tuple[int, ...]
    """Of the rates that it was made from."""


class Rates:
    """Exchange rates of some days, one for each pair and day: what was known at one moment."""

    def __init__(self, rates: Iterable[ExchangeRate]) -> None:
        on: dict[date, dict[tuple[str, str], ExchangeRate]] = defaultdict(dict)
        for each in rates:
            on[each.day][each.from_currency, each.to_currency] = each
        self._on = dict(on)
        self._days = sorted(on)
        self._used: dict[tuple[str, str, date], UsedRate | None] = {}

    def on(self, from_currency: str, to_currency: str, day: date) -> UsedRate | None:
        """The rate of this very day; None: there is none."""
        key = (from_currency, to_currency, day)
        if key not in self._used:
            self._used[key] = self._found(*key) if day in self._on else None
        return self._used[key]

    def last(
        self, from_currency: str, to_currency: str, until: date, *, oldest: timedelta
    ) -> UsedRate | None:
        """The rate of the last day up to ``until`` that has one, at most ``oldest`` before it."""
        for place in range(bisect_right(self._days, until) - 1, -1, -1):
            day = self._days[place]
            if until - day > oldest:
                break
            used = self.on(from_currency, to_currency, day)
            if used is not None:
                return used
        return None

    def average(
        self, from_currency: str, to_currency: str, first: date, last: date
    ) -> UsedRate | None:
        """The mean of the days from ``first`` to ``last`` that have a rate; None: none has."""
        found = [
            used
            for day in self._days
            if first <= day <= last
            and (used := self.on(from_currency, to_currency, day)) is not None
        ]
        if not found:
            return None
        mean = sum((Fraction(each.rate) for each in found), Fraction()) / len(found)
        return UsedRate(
            from_currency=from_currency,
            to_currency=to_currency,
            rate=_quantised(mean),
            day=found[-1].day,
            days=len(found),
            path=", ".join(sorted({each.path for each in found})),
            sources=tuple(sorted({source for each in found for source in each.sources})),
            ids=tuple(sorted({id_ for each in found for id_ in each.ids})),
        )

    def _found(self, from_currency: str, to_currency: str, day: date) -> UsedRate | None:
        for path, legs in self._ways(from_currency, to_currency, day):
            product = Fraction(1)
            for rate, inverted in legs:
                product *= 1 / Fraction(rate.rate) if inverted else Fraction(rate.rate)
            used = _quantised(product)
            if used:  # of a currency worth next to nothing, 10 decimals say nothing
                return UsedRate(
                    from_currency=from_currency,
                    to_currency=to_currency,
                    rate=used,
                    day=day,
                    path=path,
                    sources=tuple(sorted({rate.source for rate, _inverted in legs})),
                    ids=tuple(rate.id for rate, _inverted in legs if rate.id is not None),
                )
        return None

    def _ways(
        self, from_currency: str, to_currency: str, day: date
    ) -> Iterator[tuple[str, "list[_Leg]"]]:
        leg = self._leg(from_currency, to_currency, day)
        if leg is not None:
            yield INVERSE if leg[1] else ENTERED, [leg]
        there = {currency for pair in self._on[day] for currency in pair}
        for pivot in sorted(there - {from_currency, to_currency}, key=_pivots_order):
            one, other = (
                self._leg(from_currency, pivot, day),
                self._leg(pivot, to_currency, day),
            )
            if one is not None and other is not None:
                yield f"across {pivot}", [one, other]

    def _leg(self, from_currency: str, to_currency: str, day: date) -> "_Leg | None":
        rates = self._on[day]
        if (from_currency, to_currency) in rates:
            return rates[from_currency, to_currency], False
        if (to_currency, from_currency) in rates:
            return rates[to_currency, from_currency], True
        return None


_Leg = tuple[ExchangeRate, bool]
"""A rate, and whether it is inverted."""


def _pivots_order(currency: str) -> tuple[int, str]:
    first = _PIVOTS_FIRST.index(currency) if currency in _PIVOTS_FIRST else len(_PIVOTS_FIRST)
    return first, currency


def _quantised(rate: Fraction) -> Decimal:
    """With 10 decimals, half to even: of a Fraction, ``round`` is exact."""
    return Decimal(round(rate * 10**RATE_DIGITS)).scaleb(-RATE_DIGITS, ROUNDING)


@dataclass(frozen=True, slots=True)
class Exchange:
    """Brings what was spent in a period into one currency, by a policy."""

    to: str
    policy: str
    first: date
    """The period's days, by the reports' calendar; both inclusive."""
    last: date
    """Not after today."""
    rates: Rates
    _used: dict[tuple[str, date | None], UsedRate | None] = field(
        default_factory=dict, compare=False, repr=False
    )

    @property
    def by_day(self) -> bool:
        """Whether it matters on which day something was spent."""
        return self.policy == DAILY

    def rate(self, currency: str, day: date | None) -> UsedRate | None:
        """What amounts in another currency are multiplied with; None: it has no rate.

        ``day`` (UTC) is that of the charges; only where ``by_day`` it has to be given.
        """
        key = (currency, day if self.by_day else None)
        if key not in self._used:
            self._used[key] = self._rate(*key)
        return self._used[key]

    def of_period(self, currency: str) -> UsedRate | None:
        """One rate for the whole period, to compare another one with: by ``daily`` the average.

        Where no day of it has one, the last one before it.
        """
        if not self.by_day:
            return self.rate(currency, None)
        average = self.rates.average(currency, self.to, self.first, self.last)
        return average or self.rates.last(currency, self.to, self.last, oldest=OLDEST_BEFORE)

    def _rate(self, currency: str, day: date | None) -> UsedRate | None:
        if self.policy == NONE:
            return None
        if self.policy == PERIOD_AVERAGE:
            return self.rates.average(currency, self.to, self.first, self.last)
        if self.policy == PERIOD_END:
            return self.rates.last(currency, self.to, self.last, oldest=OLDEST_AT_END)
        if day is None:
            raise ValueError("by a daily policy, an amount has a day")
        return self.rates.last(currency, self.to, day, oldest=OLDEST_BEFORE)


def converted(amount: Decimal, used: UsedRate) -> Decimal:
    """An amount at a rate: exact, with at most 22 decimals."""
    return EXACT.multiply(amount, used.rate)
