"""Time zones to choose from, by region."""

from collections.abc import Sequence
from functools import cache
from itertools import groupby

from spend.zones import zone_names

Regions = Sequence[tuple[str, Sequence[tuple[str, str]]]]
"""Region -> its zones: name, and how it is called there."""


@cache
def regions() -> Regions:
    """All zones; those of no region, such as UTC, last."""
    names = sorted(map(_parts, zone_names()), key=lambda parts: (not parts[1], parts))
    return tuple(
        (region, tuple(("".join(each), (each[2] or each[0]).replace("_", " ")) for each in found))
        for region, found in groupby(names, key=lambda parts: parts[0] if parts[1] else "Other")
    )


def _parts(name: str) -> tuple[str, str, str]:
    return name.partition("/")
