"""The grain of the rollups: quarter hours of UTC.

A quarter hour is the largest step that every time zone's days and months begin on (Kathmandu is
+05:45), so a cell belongs to one day of every zone. See docs/decisions/002-cells.md.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

SLOT: Final = timedelta(minutes=15)


def slot_of(moment: datetime) -> datetime:
    """The start (UTC) of the quarter hour that holds ``moment``."""
    moment = moment.astimezone(UTC)
    return moment.replace(minute=moment.minute - moment.minute % 15, second=0, microsecond=0)


def is_slot_start(moment: datetime) -> bool:
    """Whether ``moment`` is on a quarter hour: prices and pools may only change there."""
    return moment == slot_of(moment)
