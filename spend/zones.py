"""Time zones that a ledger may be kept in: those of the IANA list, by their names."""

from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

_NO_ZONES: Final = frozenset({"localtime", "posixrules", "Factory"})
"""Files beside the zones that are none, or mean another one on each machine."""


@cache
def zone_names() -> frozenset[str]:
    """All of them."""
    return frozenset(available_timezones()) - _NO_ZONES


def zone_named(name: str) -> ZoneInfo:
    """The zone of an IANA name; ValueError, whose text can be shown, if there is none.

    >>> zone_named("Europe/Berlin").key
    'Europe/Berlin'
    """
    # Looked up first: ZoneInfo opens whatever file the name leads to, such as those under right/,
    # whose clocks count leap seconds and so have no quarter hours.
    if name not in zone_names():
        raise ValueError(f"{name[:100]!r} is not a time zone such as Europe/Berlin")
    return ZoneInfo(name)
