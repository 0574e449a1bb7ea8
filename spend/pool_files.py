"""Pools as people declare them, in a JSON or TOML file or a request: read, checked, refused."""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from spend import money
from spend.pools import DIMENSIONS, Pool, hour_of
from spend.providers import SELF_HOSTED

FIELDS: Final = (
    "name",
    "cost_per_hour",
    "currency",
    "from",
    "to",
    "match",
    "capacity_per_hour",
    "provider",
    "region",
)
EARLIEST: Final = datetime(2020, 1, 1, tzinfo=UTC)
"""No pool begins before. Each of its hours is posted: a slip in the year would make millions."""
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


def pools_of_file(
    text: str, *, toml: bool, currency: str, now: datetime, began: Mapping[str, datetime]
) -> list[Pool]:
    """The pools that a file declares: ``[[pools]]`` in TOML; in JSON a list, or ``{"pools": []}``.

    An absent ``from`` is when the pool of that name ``began``, else the hour of ``now`` (UTC).
    Raises PoolRefusedError.
    """
    try:
        found = (
            tomllib.loads(text, parse_float=str)
            if toml
            # Through a float, 0.1 would no longer be 0.1.
            else json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
        )
    except (ValueError, RecursionError) as error:
        raise PoolRefusedError("file", f"not {'TOML' if toml else 'JSON'}: {error}") from error
    items = found.get("pools") if isinstance(found, dict) and "pools" in found else found
    if isinstance(items, dict):
        items = [items]
    if not isinstance(items, list) or not items:
        raise PoolRefusedError("pools", "there are none: a list of pools is expected")
    pools: list[Pool] = []
    for place, item in enumerate(items, 1):
        try:
            if not isinstance(item, dict):
                raise PoolRefusedError("pools", "must be an object")  # noqa: TRY301 - one place adds the number
            starts = began.get(str(item.get("name")).strip(), now)
            pool = pool_of_fields(item, currency=currency, now=starts)
            if pool.name in {other.name for other in pools}:
                raise PoolRefusedError("name", "is there twice")  # noqa: TRY301 - as above
        except PoolRefusedError as refused:
            raise PoolRefusedError(refused.field, refused.reason, place) from None
        pools.append(pool)
    return pools


def pool_of_fields(said: Mapping[str, Any], *, currency: str, now: datetime) -> Pool:
    """The pool that these fields declare, not stored yet. Raises PoolRefusedError."""
    for name in said:
        if name not in FIELDS:
            raise PoolRefusedError(str(name), f"unknown field; there are {', '.join(FIELDS)}")
    match = _match(said.get("match"))
    valid_from = _hour(said, "from") or hour_of(now)
    valid_to = _hour(said, "to")
    if valid_from < EARLIEST:
        raise PoolRefusedError("from", f"must not be before {EARLIEST:%Y-%m-%d}")
    if valid_to is not None and valid_to <= valid_from:
        raise PoolRefusedError("to", "must be after from")
    if _text(said, "currency") not in {None, currency}:
        reason = f"must be {currency}: charges are in SPANLEDGER_CURRENCY"
        raise PoolRefusedError("currency", reason)
    cost = _number(said, "cost_per_hour")
    if cost is None:
        raise PoolRefusedError("cost_per_hour", "is missing")
    capacity = _number(said, "capacity_per_hour")
    if capacity == 0:
        raise PoolRefusedError("capacity_per_hour", "must be more than 0")
    pool_name = _text(said, "name")
    if pool_name is None:
        raise PoolRefusedError("name", "is missing")
    return Pool(
        name=pool_name,
        valid_from=valid_from,
        valid_to=valid_to,
        cost_per_hour=cost,
        currency=currency,
        match=match,
        capacity_per_hour=capacity,
        provider=_text(said, "provider") or _only(match, "provider") or SELF_HOSTED,
        region=_text(said, "region") or _only(match, "region"),
    )


def _only(match: Mapping[str, Sequence[str]], dimension: str) -> str | None:
    """What the pool's calls share, where that is one value."""
    values = match.get(dimension, ())
    return values[0] if len(values) == 1 and not values[0].endswith("*") else None


def _text(said: Mapping[str, Any], name: str) -> str | None:
    value = said.get(name)
    return None if value is None else _checked(value, name)


def _checked(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise PoolRefusedError(name, "must be text")
    text = value.strip()
    if not text or len(text) > LONGEST_TEXT or not text.isprintable():
        raise PoolRefusedError(name, f"must be 1 to {LONGEST_TEXT} characters that can be shown")
    return text


def _match(value: object) -> dict[str, tuple[str, ...]]:
    dimensions = ", ".join(DIMENSIONS)
    if not isinstance(value, Mapping) or not value:
        raise PoolRefusedError("match", f"name at least one of {dimensions}, with its values")
    match = {}
    for dimension, values in value.items():
        name = f"match.{dimension}"
        if dimension not in DIMENSIONS:
            raise PoolRefusedError(name, f"unknown dimension; there are {dimensions}")
        listed = [values] if isinstance(values, str) else values
        if not isinstance(listed, list | tuple) or not 0 < len(listed) <= MOST_VALUES:
            raise PoolRefusedError(name, f"must be a list of 1 to {MOST_VALUES} values")
        texts = tuple(_checked(each, name) for each in listed)
        if any("*" in each[:-1] for each in texts):
            raise PoolRefusedError(name, "* may stand at the end only")
        match[str(dimension)] = texts
    return match


def _number(said: Mapping[str, Any], name: str) -> Decimal | None:
    """A number that is not negative, with at most 6 decimals."""
    value = said.get(name)
    if value is None:
        return None
    text = str(value).strip() if isinstance(value, str | int) and value is not True else ""
    if text.startswith("-"):
        raise PoolRefusedError(name, "must not be negative")
    if not _PLAIN_NUMBER.fullmatch(text):
        raise PoolRefusedError(name, 'must be a decimal number as text, such as "12.34"')
    number = Decimal(text)
    if number >= money.PRICE_LIMIT:
        raise PoolRefusedError(name, f"must be less than {money.PRICE_LIMIT}")
    if number != money.quantised(number):
        raise PoolRefusedError(name, f"has more than {money.PRICE_DIGITS} decimals")
    return money.quantised(number)


def _hour(said: Mapping[str, Any], name: str) -> datetime | None:
    value = said.get(name)
    if value is None:
        return None
    try:
        # TOML has dates and times of its own.
        text = value.isoformat() if isinstance(value, date) else str(value).strip()
        moment = datetime.fromisoformat(text)
        # Without a zone it is UTC.
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        reason = "must be a date or time such as 2026-10-01 or 2026-10-01T08:00:00Z"
        raise PoolRefusedError(name, reason) from None
    if moment != hour_of(moment):
        raise PoolRefusedError(name, "must be a full hour of UTC: a pool is paid for by the hour")
    return moment
