"""What usage cost by the hour, read a week at a time, for whoever asks for hour after hour."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from spend.budgets.budgets import Filter
from spend.periods import Period
from store.spending.hours_spent import HoursSpent, Key, hours_spent

_HOUR: Final = timedelta(hours=1)
_AT_ONCE: Final = 7 * 24
"""Hours."""


@dataclass(slots=True)
class KeptHours:
    """Answers as ``hours_spent`` for one filter and currency, of moments that follow one another.

    What is split otherwise is read as ever. What has no rate is not named.
    """

    by: Sequence[str]
    until: datetime
    """What was known of rates then counts."""
    _hours: dict[datetime, dict[Key, int]] = field(default_factory=dict)

    def __call__(
        self,
        session: Session,
        tenant: int,
        periods: Sequence[Period],
        *,
        wanted: Filter,
        by: Sequence[str],
        currency: str,
        now: datetime,
    ) -> HoursSpent:
        """What fits a filter in periods (UTC)."""
        if by != self.by or any((each.end - each.start) % _HOUR for each in periods):
            return hours_spent(
                session, tenant, periods, wanted=wanted, by=by, currency=currency, now=now
            )
        for hour in [each for each in self._hours if each < periods[0].start]:
            del self._hours[hour]
        groups: dict[Key, list[int]] = {}
        for place, period in enumerate(periods):
            for number in range((period.end - period.start) // _HOUR):
                hour = period.start + number * _HOUR
                if hour not in self._hours:
                    self._read(session, tenant, hour, wanted, currency)
                for key, amount in self._hours[hour].items():
                    groups.setdefault(key, [0] * len(periods))[place] += amount
        return HoursSpent({key: tuple(sums) for key, sums in groups.items()}, {})

    def _read(
        self, session: Session, tenant: int, start: datetime, wanted: Filter, currency: str
    ) -> None:
        hours = [start + number * _HOUR for number in range(_AT_ONCE)]
        found = hours_spent(
            session,
            tenant,
            [Period(each, each + _HOUR) for each in hours],
            wanted=wanted,
            by=self.by,
            currency=currency,
            now=self.until,
        )
        self._hours |= {each: {} for each in hours}
        for key, sums in found.groups.items():
            for hour, amount in zip(hours, sums, strict=True):
                if amount:
                    self._hours[hour][key] = amount
