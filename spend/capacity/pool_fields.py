"""Fields of pools as people write them, in a file or a request: read one by one, or refused."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from spend import money
from spend.periods import day_start

LONGEST_TEXT: Final = 300
MOST_VALUES: Final = 1000

_PLAIN_NUMBER: Final = re.compile(r"[0-9]{1,18}(\.[0-9]{1,60})?", re.ASCII)


class PoolRefusedError(ValueError):
    """A declaration makes no sense: mend ``field`` of pool number ``place`` (from 1)."""

    def __init__(self, field: str, reason: str, place: int = 1) -> None:
        super().__init__(reason)
        self.field = field
        self.reason = reason
        self.place = place

    def inside(self, where: str) -> "PoolRefusedError":
        """The same of a field of ``where``."""
        return PoolRefusedError(f"{where}.{self.field}", self.reason, self.place)


def known(said: Mapping[str, Any], fields: Sequence[str]) -> None:
    """Refuses a field that there is not."""
    for name in said:
        if name not in fields:
            raise PoolRefusedError(str(name), f"unknown field; there are {', '.join(fields)}")


def text(said: Mapping[str, Any], name: str) -> str | None:
    """A text, without blank ends; None: it is not there."""
    value = said.get(name)
    return None if value is None else checked(value, name)


def checked(value: object, name: str) -> str:
    """A value of ``name`` that is text."""
    if not isinstance(value, str):
        raise PoolRefusedError(name, "must be text")
    found = value.strip()
    if not found or len(found) > LONGEST_TEXT or not found.isprintable():
        raise PoolRefusedError(name, f"must be 1 to {LONGEST_TEXT} characters that can be shown")
    return found


def one_of(said: Mapping[str, Any], name: str, choices: Sequence[str]) -> str | None:
    """A text that is one of a few; None: it is not there."""
    value = text(said, name)
    if value is not None and value not in choices:
        raise PoolRefusedError(name, f"must be one of {', '.join(choices)}")
    return value


def number(said: Mapping[str, Any], name: str, *, above: int | None = None) -> Decimal | None:
    """A number that is not negative, with at most 6 decimals; None: it is not there."""
    value = said.get(name)
    if value is None:
        return None
    written = str(value).strip() if isinstance(value, str | int) and value is not True else ""
    if written.startswith("-"):
        raise PoolRefusedError(name, "must not be negative")
    if not _PLAIN_NUMBER.fullmatch(written):
        raise PoolRefusedError(name, 'must be a decimal number as text, such as "12.34"')
    found = Decimal(written)
    if found >= money.PRICE_LIMIT:
        raise PoolRefusedError(name, f"must be less than {money.PRICE_LIMIT}")
    if found != money.quantised(found):
        raise PoolRefusedError(name, f"has more than {money.PRICE_DIGITS} decimals")
    if above is not None and found <= above:
        raise PoolRefusedError(name, f"must be more than {above}")
    return money.quantised(found)


def needed(said: Mapping[str, Any], name: str, *, above: int | None = None) -> Decimal:
    """A number that has to be there."""
    found = number(said, name, above=above)
    if found is None:
        raise PoolRefusedError(name, "is missing")
    return found


def whole(said: Mapping[str, Any], name: str, most: int) -> int:
    """A whole number from 1 to ``most`` that has to be there."""
    found = needed(said, name)
    if found != found.to_integral_value() or not 1 <= found <= most:
        raise PoolRefusedError(name, f"must be a whole number from 1 to {most}")
    return int(found)


def zone_of(said: Mapping[str, Any], default: str) -> str:
    """The name of a time zone."""
    name = text(said, "zone") or default
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        reason = "unknown: an IANA time zone such as Europe/Berlin is expected"
        raise PoolRefusedError("zone", reason) from None
    return name


def moment(said: Mapping[str, Any], name: str, zone: str) -> datetime | None:
    """A moment (UTC): by the clock of ``zone``, unless it has an offset. None: it is not there."""
    value = said.get(name)
    if value is None:
        return None
    where = ZoneInfo(zone)
    try:
        # TOML has dates and times of its own.
        written = value.isoformat() if isinstance(value, date) else str(value).strip()
        found = datetime.fromisoformat(written)
        if len(written) <= len("2026-10-01"):
            return day_start(found.date(), where)
        return (found if found.tzinfo else found.replace(tzinfo=where)).astimezone(UTC)
    except (ValueError, OverflowError):
        reason = "must be a date or time such as 2026-10-01 or 2026-10-01T08:00:00Z"
        raise PoolRefusedError(name, reason) from None
