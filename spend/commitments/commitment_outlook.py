"""What a commitment's period is expected to end with: what will be unused, or when it runs out.

Usage of the rest of the period is expected from the days before (``spend/forecasts/seasonal.py``),
those of the commitment's earlier periods among them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from spend import money
from spend.commitments.commitment_use import Use
from spend.commitments.commitments import FOREVER
from spend.forecasts.seasonal import LEAST_DAYS, SEASONAL_DAYS, ahead
from spend.periods import day_start, local_day

LOOKED_AT: Final = 120
"""Days of the past that usage is expected from."""

_UTC: Final = ZoneInfo("UTC")
_DAY: Final = timedelta(days=1)
_ATOMS: Final = 10**money.ATOM_DIGITS


@dataclass(frozen=True, slots=True)
class Outlook:
    """A period of a commitment, as it is expected to end."""

    eligible: Decimal
    """Usage that counts, by its end."""
    used: Decimal
    """Of that, what it covers."""
    unused: Decimal
    """Of what it could cover."""
    wasted: Decimal
    """Of what was paid, what covers nothing."""
    runs_out: datetime | None
    """By the end of which day (UTC) it is used up; None: not in its period."""


def first_day_looked_at(now: datetime) -> datetime:
    """Where the days begin that usage is expected from (UTC)."""
    return day_start(local_day(now, _UTC), _UTC) - LOOKED_AT * _DAY


def outlook(use: Use, daily: Sequence[Decimal], now: datetime) -> Outlook | None:
    """How a period that runs is expected to end.

    ``daily`` is usage that counts of each whole day (UTC) from ``first_day_looked_at`` on, today's
    not among them; 0 before the commitment began. None: the period is over or has no end, or it is
    too early to say: of fewer than SEASONAL_DAYS days nothing is concluded before a twentieth of
    the period is over.
    """
    begun = (now - use.commitment.valid_from) // _DAY
    too_early = begun < LEAST_DAYS or (begun < SEASONAL_DAYS and use.forecast(now) is None)
    if use.is_over(now) or use.period.end == FOREVER or too_early:
        return None
    today = day_start(local_day(now, _UTC), _UTC)
    rest = _expected(daily[-begun:] if begun else (), today, use.period.end)
    # What is used today beyond what was expected of it is known; what lacks may still come.
    so_far = money.atoms(use.eligible)
    passed = (now - today) / _DAY
    coming = [rest[0] * (1 - passed), *rest[1:]] if rest else []
    eligible = so_far + round(sum(coming))
    covered = min(max(eligible, 0), money.atoms(use.commitment.amount))
    used = money.amount(covered)
    return Outlook(
        eligible=money.amount(eligible),
        used=used,
        unused=money.EXACT.subtract(use.commitment.amount, used),
        wasted=money.EXACT.subtract(use.commitment.paid, use.commitment.effective(used)),
        runs_out=use.ran_out or _runs_out(money.atoms(use.left), coming, today, use.period.end),
    )


def _expected(daily: Sequence[Decimal], today: datetime, end: datetime) -> list[float]:
    """What each day from today to the period's end is expected to use, in 1e-12."""
    whole = -((today - end) // _DAY)
    if not any(daily):
        return [0.0] * whole
    found = ahead(np.array([[float(each) for each in daily]]), whole, 0).daily[0]
    expected = [float(each) * _ATOMS if np.isfinite(each) else 0.0 for each in found]
    last = (end - today) / _DAY - (whole - 1)
    return [*expected[:-1], expected[-1] * last]


def _runs_out(
    left: int, coming: Sequence[float], today: datetime, end: datetime
) -> datetime | None:
    if left <= 0:
        return today.astimezone(UTC)
    for number, each in enumerate(coming, 1):
        left -= round(each)
        if left <= 0:
            return min(today + number * _DAY, end)
    return None
