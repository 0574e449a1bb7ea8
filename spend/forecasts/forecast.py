"""What a budget's period is expected to come to, with the band that it should fall into."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

BAND: Final = 80
"""Per cent of the periods that should end within a forecast's band."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """Of one period of a budget, in the budget's currency."""

    version: int
    """Of the budget, that it was made for."""
    made_at: datetime
    """UTC, as the next."""
    through: datetime
    """What was spent before is in it as it was; what comes after, as it is expected."""
    expected: Decimal
    """Of the whole period, what is spent included; with 12 decimals, as the next two."""
    low: Decimal
    high: Decimal
    """Of its band: BAND per cent of such periods should end within."""
    past_error: Decimal | None
    """By how many per cent forecasts of this age were wrong before, in the middle; None: not
    known, as there were not enough days to try it on."""
    days: int
    """How many days of the past it is from."""
    method: str
    """By name and version: ``seasonal-1``."""
