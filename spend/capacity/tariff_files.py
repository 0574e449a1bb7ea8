"""Tariffs as people declare them, beside the pools that pay them: read, checked, written."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from spend.capacity.pool_fields import (
    MOST_VALUES,
    PoolRefusedError,
    known,
    moment,
    needed,
    text,
    zone_of,
)
from spend.capacity.tariffs import HOURS, MONTHS, WEEKDAYS, Rate, Tariff, priced_hours
from spend.money import plain

FIELDS: Final = ("name", "zone", "from", "to", "rates")
RATE_FIELDS: Final = ("price", "months", "days", "hours")

_EVER: Final = datetime.min.replace(tzinfo=UTC)
_HOURS: Final = re.compile(r"([01][0-9]|2[0-3]):00-([01][0-9]|2[0-4]):00", re.ASCII)


def tariffs_of(said: object, *, zone: str) -> dict[str, tuple[Tariff, ...]]:
    """Tariffs by name, each name's in order of time. Raises PoolRefusedError."""
    if not isinstance(said, list | tuple) or len(said) > MOST_VALUES:
        raise PoolRefusedError("tariffs", f"must be a list of at most {MOST_VALUES} tariffs")
    found: dict[str, list[Tariff]] = {}
    for place, item in enumerate(said, 1):
        try:
            tariff = _tariff(item, zone)
            for other in found.get(tariff.name, ()):
                if _overlap(tariff, other):
                    raise PoolRefusedError("from", f"two tariffs {tariff.name!r} hold at one time")  # noqa: TRY301 - one place adds where
        except PoolRefusedError as refused:
            raise refused.inside(f"tariffs[{place}]") from None
        found.setdefault(tariff.name, []).append(tariff)
    return {name: tuple(sorted(each, key=_start)) for name, each in found.items()}


def fields_of_tariff(tariff: Tariff) -> dict[str, Any]:
    """The fields that declare it."""
    said: dict[str, Any] = {"name": tariff.name, "zone": tariff.zone}
    for name, at in (("from", tariff.valid_from), ("to", tariff.valid_to)):
        if at is not None:
            said[name] = at.isoformat()
    return said | {"rates": [_fields_of_rate(rate) for rate in tariff.rates]}


def _tariff(item: object, zone: str) -> Tariff:
    if not isinstance(item, Mapping):
        raise PoolRefusedError("name", "a tariff must be an object with a name and rates")
    known(item, FIELDS)
    name = text(item, "name")
    if name is None:
        raise PoolRefusedError("name", "is missing")
    zone = zone_of(item, zone)
    starts, ends = moment(item, "from", zone), moment(item, "to", zone)
    if starts is not None and ends is not None and ends <= starts:
        raise PoolRefusedError("to", "must be after from")
    rates = item.get("rates")
    if not isinstance(rates, list | tuple) or not 0 < len(rates) <= MOST_VALUES:
        raise PoolRefusedError("rates", "there are none: a list of prices is expected")
    found = []
    for place, rate in enumerate(rates, 1):
        try:
            found.append(_rate(rate))
        except PoolRefusedError as refused:
            raise refused.inside(f"rates[{place}]") from None
    _check_every_hour(found)
    return Tariff(name, zone, tuple(found), starts, ends)


def _check_every_hour(rates: Sequence[Rate]) -> None:
    for (month, weekday, hour), prices in priced_hours(rates).items():
        if len(prices) != 1:
            what = "no price holds" if not prices else f"{len(prices)} prices hold"
            reason = f"{what} on {WEEKDAYS[weekday]} at {hour:02d}:00 in month {month}"
            raise PoolRefusedError("rates", reason)


def _rate(item: object) -> Rate:
    if not isinstance(item, Mapping):
        raise PoolRefusedError("price", "a rate must be an object with a price")
    known(item, RATE_FIELDS)
    days = _listed(item, "days")
    if wrong := [day for day in days if day not in WEEKDAYS]:
        raise PoolRefusedError("days", f"{wrong[0]!r} is none of {', '.join(WEEKDAYS)}")
    months = _listed(item, "months")
    if wrong := [month for month in months if month not in set(map(str, MONTHS))]:
        raise PoolRefusedError("months", f"{wrong[0]!r} is no month from 1 to 12")
    return Rate(
        price=needed(item, "price"),
        months=frozenset(map(int, months)) or frozenset(MONTHS),
        weekdays=frozenset(map(WEEKDAYS.index, days)) or frozenset(range(7)),
        hours=frozenset(hour for each in _listed(item, "hours") for hour in _hours(each))
        or frozenset(HOURS),
    )


def _hours(written: str) -> list[int]:
    found = _HOURS.fullmatch(written)
    if found is None or found[1] == found[2]:
        reason = 'must be full local hours such as "07:00-22:00", or "22:00-07:00" over midnight'
        raise PoolRefusedError("hours", reason)
    start, end = int(found[1]), int(found[2])
    return [hour % 24 for hour in range(start, end if end > start else end + 24)]


def _listed(item: Mapping[str, Any], name: str) -> list[str]:
    value = item.get(name)
    if value is None:
        return []
    values = value if isinstance(value, list | tuple) else [value]
    if not values or not all(isinstance(each, str | int) for each in values):
        raise PoolRefusedError(name, "must be a list with at least one value")
    return [str(each).strip() for each in values]


def _fields_of_rate(rate: Rate) -> dict[str, Any]:
    return {
        "price": plain(rate.price),
        "months": sorted(rate.months),
        "days": [WEEKDAYS[day] for day in sorted(rate.weekdays)],
        "hours": [f"{hour:02d}:00-{hour + 1:02d}:00" for hour in sorted(rate.hours)],
    }


def _overlap(one: Tariff, other: Tariff) -> bool:
    return (
        one.valid_to is None or other.valid_from is None or other.valid_from < one.valid_to
    ) and (other.valid_to is None or one.valid_from is None or one.valid_from < other.valid_to)


def _start(tariff: Tariff) -> datetime:
    return tariff.valid_from or _EVER
