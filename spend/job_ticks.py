"""How often each job is due. A tick begins at a multiple of its job's interval, in UTC."""

from datetime import UTC, datetime
from typing import Final

EVERY: Final = {
    "partitions": 3600,
    "contents": 60,
    "roll": 15,
    "prices": 300,
    "charge": 30,
    "reprice": 30,
    "archive": 3600,
    "forecast": 900,
    "budgets": 30,
    "watch": 60,
    "digest": 60,
    "export": 60,
    "secrets": 3600,
    "alerts": 10,
}
"""Job -> seconds between its ticks."""


def tick_of(moment: datetime, every: int) -> datetime:
    """The latest tick (UTC) at a moment."""
    return datetime.fromtimestamp(moment.timestamp() // every * every, UTC)


def ticks_since(last: datetime, now: datetime, every: int) -> int:
    """How many ticks came after the one of ``last``, up to now."""
    return max(0, int(now.timestamp() // every - last.timestamp() // every))
