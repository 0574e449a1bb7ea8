"""How far a commitment is used: what it covered, what went to waste, and what is to be expected."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from spend import money
from spend.commitments.commitments import FOREVER, Commitment
from spend.periods import Period

RATIO_DIGITS: Final = 6
"""Decimals of utilisation, coverage and effective rate."""

EARLY: Final = 20
"""Nothing is expected before a twentieth of the period, and a day, is over."""

_DAY: Final = timedelta(days=1)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What to expect if usage goes on as it did since the period began."""

    eligible: Decimal | None
    """Usage that counts, by the period's end; None: it has no end."""
    used: Decimal | None
    unused: Decimal | None
    """What was paid, and will cover nothing."""
    runs_out: datetime | None
    """When it is used up; None: not within the period."""


@dataclass(frozen=True, slots=True)
class Use:
    """One period of a commitment, as it is posted."""

    commitment: Commitment
    period: Period
    eligible: Decimal
    """Contracted cost that counts, without what commitments before this one cover."""
    used: Decimal
    """Of that, what this one covers."""
    effective: Decimal
    """What was paid for what is used."""
    ran_out: datetime | None
    """The quarter hour in which it was used up."""

    def is_over(self, now: datetime) -> bool:
        """Whether the period has ended."""
        return self.period.end <= now

    @property
    def left(self) -> Decimal:
        """What it can still cover."""
        return money.EXACT.subtract(self.commitment.amount, self.used)

    def unused(self, now: datetime) -> Decimal | None:
        """What was paid and covered nothing; None while the period runs."""
        if not self.is_over(now):
            return None
        return money.EXACT.subtract(self.commitment.paid, self.effective)

    @property
    def utilisation(self) -> Decimal:
        """Used / committed."""
        return _ratio(self.used, self.commitment.amount)

    @property
    def coverage(self) -> Decimal | None:
        """Used / eligible; None where there is no usage."""
        return _ratio(self.used, self.eligible) if self.eligible > 0 else None

    def effective_rate(self, now: datetime) -> Decimal | None:
        """What covered usage of 1.00 costs, with what was wasted once the period is over."""
        cost = self.commitment.paid if self.is_over(now) else self.effective
        return _ratio(cost, self.used) if self.used > 0 else None

    def forecast(self, now: datetime) -> Forecast | None:
        """By the rate of the period so far; None where it is too early, or over."""
        elapsed, whole = now - self.period.start, self.period.end - self.period.start
        endless = self.period.end == FOREVER
        if self.is_over(now) or elapsed < _DAY or (not endless and elapsed * EARLY < whole):
            return None
        if endless:
            return Forecast(None, None, None, self._runs_out(now))
        eligible = money.atoms(self.eligible) * (whole // _MICROSECOND)
        eligible = max(0, eligible // (elapsed // _MICROSECOND))
        used = min(money.amount(eligible), self.commitment.amount)
        effective = self.commitment.effective(used)
        return Forecast(
            eligible=money.amount(eligible),
            used=used,
            unused=money.EXACT.subtract(self.commitment.paid, effective),
            runs_out=self._runs_out(now),
        )

    def _runs_out(self, now: datetime) -> datetime | None:
        if self.ran_out is not None:
            return self.ran_out
        if self.eligible <= 0:
            return None
        elapsed = (now - self.period.start) // _MICROSECOND
        more = money.atoms(self.left) * elapsed // money.atoms(self.eligible)
        if more >= (self.period.end - now) // _MICROSECOND:
            return None
        return now + timedelta(microseconds=more)


def _ratio(part: Decimal, whole: Decimal) -> Decimal:
    quotient = money.ROUNDING.divide(part, whole)
    return quotient.quantize(Decimal(1).scaleb(-RATIO_DIGITS), context=money.ROUNDING)
