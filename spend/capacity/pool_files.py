"""Pools as people declare them, in a JSON or TOML file or a request: read, checked, refused."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from spend.capacity.component_files import components_of, fields_of
from spend.capacity.pool_costs import DEPRECIATION, RENTS, SEATS, UNITS, Component, Energy
from spend.capacity.pool_fields import (
    MOST_VALUES,
    PoolRefusedError,
    checked,
    known,
    moment,
    number,
    one_of,
    text,
    zone_of,
)
from spend.capacity.pools import DIMENSIONS, KINDS, PROVISIONED, RENTED, SUBSCRIPTION, Pool, hour_of
from spend.capacity.splitting import METHODS, OUTPUT_WEIGHT, WORK_UNITS
from spend.capacity.splitting import SEATS as BY_SEATS
from spend.capacity.tariff_files import fields_of_tariff, tariffs_of
from spend.capacity.tariffs import first_gap
from spend.currencies.currencies import CODES
from spend.owners import RESERVED, clean_name
from spend.providers import SELF_HOSTED

__all__ = ["PoolRefusedError", "fields_of_pool", "pool_of_fields", "pools_of_file"]

FIELDS: Final = (
    "name",
    "kind",
    "cost_per_hour",
    "components",
    "tariffs",
    "zone",
    "currency",
    "from",
    "to",
    "match",
    "capacity_per_hour",
    "capacity_per_unit",
    "seats",
    "method",
    "output_weight",
    "provider",
    "region",
)
EARLIEST: Final = datetime(2020, 1, 1, tzinfo=UTC)
"""No pool begins before. Each of its hours is posted: a slip in the year would make millions."""
MOST_SEATS: Final = 1_000_000

_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "rented": RENTS,
    "owned": (DEPRECIATION,),
    "provisioned": (UNITS,),
    "subscription": (SEATS,),
}
"""What a pool of a kind costs something for: a component of one of these kinds."""
_ONLY: Final[Mapping[str, str]] = {UNITS: PROVISIONED, SEATS: SUBSCRIPTION}
"""Components that only pools of one kind have."""


def pools_of_file(
    written: str, *, toml: bool, currency: str, now: datetime, began: Mapping[str, datetime]
) -> list[Pool]:
    """The pools that a file declares: ``[[pools]]`` in TOML; in JSON a list, or ``{"pools": []}``.

    ``tariffs`` beside the pools are for all of them. An absent ``from`` is when the pool of that
    name ``began``, else the hour of ``now`` (UTC). Raises PoolRefusedError.
    """
    try:
        found = (
            tomllib.loads(written, parse_float=str)
            if toml
            # Through a float, 0.1 would no longer be 0.1.
            else json.loads(written, parse_float=str, parse_int=str, parse_constant=str)
        )
    except (ValueError, RecursionError) as error:
        raise PoolRefusedError("file", f"not {'TOML' if toml else 'JSON'}: {error}") from error
    shared = found.get("tariffs", []) if isinstance(found, dict) and "pools" in found else []
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
            pool = pool_of_fields(item, currency=currency, now=starts, shared=shared)
            if pool.name in {other.name for other in pools}:
                raise PoolRefusedError("name", "is there twice")  # noqa: TRY301 - as above
        except PoolRefusedError as refused:
            raise PoolRefusedError(refused.field, refused.reason, place) from None
        pools.append(pool)
    return pools


def pool_of_fields(
    said: Mapping[str, Any], *, currency: str, now: datetime, shared: object = ()
) -> Pool:
    """The pool that these fields declare, not stored yet. Raises PoolRefusedError.

    ``currency`` is what it costs in where it does not say; ``shared`` are tariffs that were
    declared beside it.
    """
    known(said, FIELDS)
    match = _match(said.get("match"))
    zone = zone_of(said, "UTC")
    valid_from, valid_to = _hour(said, "from", zone) or hour_of(now), _hour(said, "to", zone)
    if valid_from < EARLIEST:
        raise PoolRefusedError("from", f"must not be before {EARLIEST:%Y-%m-%d}")
    if valid_to is not None and valid_to <= valid_from:
        raise PoolRefusedError("to", "must be after from")
    currency = text(said, "currency") or currency
    if currency not in CODES:
        raise PoolRefusedError("currency", "is no currency code of ISO 4217, such as EUR")
    pool_name = text(said, "name")
    if pool_name is None:
        raise PoolRefusedError("name", "is missing")
    seats = _seats(said)
    pool = Pool(
        name=pool_name,
        kind=one_of(said, "kind", KINDS) or RENTED,
        valid_from=valid_from,
        valid_to=valid_to,
        cost_per_hour=number(said, "cost_per_hour"),
        components=_components(said, shared, zone, valid_from),
        zone=zone,
        currency=currency,
        match=match,
        capacity_per_hour=number(said, "capacity_per_hour", above=0),
        capacity_per_unit=number(said, "capacity_per_unit", above=0),
        seats=seats,
        method=_method(said, by_seats=bool(seats)),
        output_weight=number(said, "output_weight", above=0) or OUTPUT_WEIGHT,
        provider=text(said, "provider") or _only(match, "provider") or SELF_HOSTED,
        region=text(said, "region") or _only(match, "region"),
    )
    _check(pool)
    return pool


def fields_of_pool(pool: Pool) -> dict[str, Any]:
    """What of a pool is kept as it was declared: lists of components and tariffs, and seats."""
    used = {
        (tariff.name, tariff.valid_from): tariff
        for component in pool.components
        if isinstance(component.terms, Energy)
        for tariff in component.terms.tariffs
        if tariff.name
    }
    return {
        "components": [fields_of(component) for component in pool.components],
        "tariffs": [fields_of_tariff(tariff) for tariff in used.values()],
        "seats": dict(pool.seats),
    }


def _components(
    said: Mapping[str, Any], shared: object, zone: str, starts: datetime
) -> tuple[Component, ...]:
    own = said.get("tariffs", ())
    if not isinstance(own, list | tuple) or not isinstance(shared, list | tuple):
        raise PoolRefusedError("tariffs", "must be a list")
    tariffs = tariffs_of([*shared, *own], zone=zone)
    found = said.get("components")
    if (found is None) == (said.get("cost_per_hour") is None):
        which = "is missing; or name components" if found is None else "is there beside components"
        raise PoolRefusedError("cost_per_hour", f"{which}: a pool has one of the two")
    return () if found is None else components_of(found, tariffs, zone=zone, starts=starts)


def _method(said: Mapping[str, Any], *, by_seats: bool) -> str:
    method = one_of(said, "method", (*METHODS, BY_SEATS))
    if by_seats and method not in {None, BY_SEATS}:
        raise PoolRefusedError("method", f"seats of teams are split by {BY_SEATS}, not by use")
    if method == BY_SEATS and not by_seats:
        raise PoolRefusedError("seats", f"is missing: {BY_SEATS} needs the seats of teams")
    return BY_SEATS if by_seats else method or WORK_UNITS


def _seats(said: Mapping[str, Any]) -> dict[str, int]:
    found = said.get("seats")
    if found is None:
        return {}
    if not isinstance(found, Mapping) or not 0 < len(found) <= MOST_VALUES:
        raise PoolRefusedError("seats", "must be teams and their seats, such as { search = 10 }")
    seats = {}
    for team in found:
        name = f"seats.{team}"
        if clean_name(str(team)) != team or str(team).casefold() in RESERVED:
            raise PoolRefusedError(name, "is no name of a team")
        count = number({name: found[team]}, name)
        if count is None or count != count.to_integral_value() or count > MOST_SEATS:
            raise PoolRefusedError(name, f"must be a whole number of at most {MOST_SEATS}")
        seats[str(team)] = int(count)
    return seats


def _check(pool: Pool) -> None:
    """Refuses what contradicts itself."""
    kinds = {component.kind for component in pool.components}
    wanted = _NEEDED[pool.kind]
    if not kinds & set(wanted) and (pool.kind != RENTED or pool.components):
        reason = f"a pool of kind {pool.kind} needs a component of kind {' or '.join(wanted)}"
        raise PoolRefusedError("components", reason)
    for kind in kinds:
        if _ONLY.get(kind, pool.kind) != pool.kind:
            reason = f"{kind} are of pools of kind {_ONLY[kind]}, this one is {pool.kind}"
            raise PoolRefusedError("components", reason)
    if pool.capacity_per_unit is not None and pool.kind != PROVISIONED:
        raise PoolRefusedError("capacity_per_unit", f"is of pools of kind {PROVISIONED}")
    if pool.capacity_per_unit is not None and pool.capacity_per_hour is not None:
        raise PoolRefusedError("capacity_per_hour", "is there beside capacity_per_unit")
    if pool.seats and pool.kind != SUBSCRIPTION:
        raise PoolRefusedError("seats", f"is of pools of kind {SUBSCRIPTION}")
    for place, component in enumerate(pool.components, 1):
        _check_times(pool, component, f"components[{place}]")
    _check_seats(pool)


def _check_times(pool: Pool, component: Component, where: str) -> None:
    start = max(pool.valid_from, component.valid_from)
    ends = [end for end in (pool.valid_to, component.ends) if end is not None]
    if ends and min(ends) <= start:
        reason = f"{component.name!r} is never in force while the pool is"
        raise PoolRefusedError(f"{where}.from", reason)
    if isinstance(component.terms, Energy):
        gap = first_gap(component.terms.tariffs, start, min(ends, default=None))
        if gap is not None:
            name = component.terms.tariffs[0].name
            reason = f"no tariff {name!r} holds at {gap:%Y-%m-%d %H:%M} UTC"
            raise PoolRefusedError(f"{where}.tariff", reason)


def _check_seats(pool: Pool) -> None:
    """Refuses more seats of teams than are paid for, at any time."""
    given = sum(pool.seats.values())
    starts = {max(pool.valid_from, each.valid_from) for each in pool.components}
    ends = {each.ends for each in pool.components if each.ends is not None}
    for at in sorted({hour_of(each) for each in starts | ends} if pool.seats else ()):
        bought = pool.quantity_at(SEATS, at)
        if pool.in_force(at) and 0 < bought < given:
            reason = f"teams have {given}, but from {at:%Y-%m-%d} on {bought:f} are paid for"
            raise PoolRefusedError("seats", reason)


def _only(match: Mapping[str, Sequence[str]], dimension: str) -> str | None:
    """What the pool's calls share, where that is one value."""
    values = match.get(dimension, ())
    return values[0] if len(values) == 1 and not values[0].endswith("*") else None


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
        texts = tuple(checked(each, name) for each in listed)
        if any("*" in each[:-1] for each in texts):
            raise PoolRefusedError(name, "* may stand at the end only")
        match[str(dimension)] = texts
    return match


def _hour(said: Mapping[str, Any], name: str, zone: str) -> datetime | None:
    at = moment(said, name, zone)
    if at is not None and at != hour_of(at):
        raise PoolRefusedError(name, "must be a full hour of UTC: a pool is paid for by the hour")
    return at
