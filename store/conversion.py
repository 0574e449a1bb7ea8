"""What a question says of currencies: told in which one, by which policy, and by what was known."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from spend.currencies.exchange import NONE, Exchange, Rates
from spend.periods import Period
from store import rates


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """How amounts are told in one currency."""

    to: str
    policy: str
    """One of ``spend.currencies.exchange.POLICIES``, or NONE: each currency is told by itself."""
    zone: ZoneInfo
    """Whose days a period has."""
    now: datetime
    """UTC."""
    as_known_at: datetime | None = None
    """As of ``store.spending.booked.booked``; rates are those known then."""
    closed_at: datetime | None = None
    """When the books were closed (UTC): rates and names stay those known then. None: they are open,
    or were at ``as_known_at``."""

    def exchange(
        self, session: Session, tenant: int, period: Period, currencies: Collection[str | None]
    ) -> Exchange:
        """What brings amounts of a period in these currencies into one."""
        others = {each for each in currencies if each not in {None, self.to}}
        if self.policy == NONE or not others:
            return Exchange(self.to, self.policy, self.now.date(), self.now.date(), Rates(()))
        return rates.exchange(
            session,
            tenant,
            {str(each) for each in others},
            period,
            self.zone,
            to=self.to,
            policy=self.policy,
            now=self.now,
            known_at=self.closed_at or self.as_known_at,
        )
