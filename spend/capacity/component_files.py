"""Components of pools as people declare them: read, checked against each other, written."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from spend.capacity.pool_costs import (
    DEPRECIATION,
    ENERGY,
    KINDS,
    NEVER_BILLED,
    NOT_BILLED,
    Component,
    Depreciation,
    Energy,
    ForTerm,
    Recurring,
)
from spend.capacity.pool_fields import (
    MOST_VALUES,
    PoolRefusedError,
    checked,
    known,
    moment,
    needed,
    number,
    one_of,
    text,
    whole,
    zone_of,
)
from spend.capacity.spreading import PERIODS
from spend.capacity.tariffs import Rate, Tariff
from spend.money import plain
from spend.slots import is_slot_start

TERM: Final = "term"
COMMON: Final = ("name", "kind", "from", "to", "billed", "zone", "source", "reference")
AMOUNT_FIELDS: Final = ("amount", "per", "quantity", "months")
DEPRECIATION_FIELDS: Final = ("purchase", "residual", "life_months", "disposed_for")
ENERGY_FIELDS: Final = ("watts", "idle_watts", "pue", "tariff", "price_per_kwh", "measured")
MOST_COMPONENTS: Final = 100
MOST_MONTHS: Final = 600
EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)

Tariffs = Mapping[str, tuple[Tariff, ...]]


def components_of(
    said: object, tariffs: Tariffs, *, zone: str, starts: datetime
) -> tuple[Component, ...]:
    """Components of a pool that begins at ``starts`` (UTC), in their order. PoolRefusedError."""
    if not isinstance(said, list | tuple) or not 0 < len(said) <= MOST_COMPONENTS:
        reason = f"must be a list of 1 to {MOST_COMPONENTS} components"
        raise PoolRefusedError("components", reason)
    found: list[Component] = []
    for place, item in enumerate(said, 1):
        try:
            component = _component(item, tariffs, zone, starts)
            _check_alone(component, found)
        except PoolRefusedError as refused:
            raise refused.inside(f"components[{place}]") from None
        found.append(component)
    return tuple(found)


def fields_of(component: Component) -> dict[str, Any]:
    """The fields that declare it; tariffs are named, and declared beside."""
    said: dict[str, Any] = {
        "name": component.name,
        "kind": component.kind,
        "from": component.valid_from.isoformat(),
        "to": None if component.valid_to is None else component.valid_to.isoformat(),
        "billed": component.billed,
        "zone": component.zone,
        "source": component.source,
        "reference": component.reference,
        **_fields_of_terms(component.terms),
    }
    return {name: value for name, value in said.items() if value is not None}


def _fields_of_terms(terms: Recurring | ForTerm | Depreciation | Energy) -> dict[str, Any]:
    if isinstance(terms, Energy):
        own = terms.tariffs[0].name
        price = (
            {"tariff": own} if own else {"price_per_kwh": plain(terms.tariffs[0].rates[0].price)}
        )
        drawn = {name: plain(getattr(terms, name)) for name in ("watts", "idle_watts", "pue")}
        return drawn | price | ({"measured": dict(terms.measured)} if terms.measured else {})
    if isinstance(terms, Depreciation):
        had = None if terms.disposed_for is None else plain(terms.disposed_for)
        return {
            "purchase": plain(terms.purchase),
            "residual": plain(terms.residual),
            "life_months": terms.life_months,
            "disposed_for": had,
        }
    said: dict[str, Any] = {"amount": plain(terms.amount), "quantity": plain(terms.quantity)}
    if isinstance(terms, ForTerm):
        return said | {"per": TERM, "months": terms.months}
    return said | {"per": terms.per}


def _component(item: object, tariffs: Tariffs, zone: str, starts: datetime) -> Component:
    if not isinstance(item, Mapping):
        raise PoolRefusedError("name", "a component must be an object with a name and a kind")
    kind = one_of(item, "kind", KINDS)
    if kind is None:
        raise PoolRefusedError("kind", f"is missing; there are {', '.join(KINDS)}")
    own = {DEPRECIATION: DEPRECIATION_FIELDS, ENERGY: ENERGY_FIELDS}.get(kind, AMOUNT_FIELDS)
    known(item, (*COMMON, *own))
    zone = zone_of(item, zone)
    valid_from, valid_to = moment(item, "from", zone) or starts, moment(item, "to", zone)
    for name, at in (("from", valid_from), ("to", valid_to)):
        if at is not None and not is_slot_start(at):
            raise PoolRefusedError(name, "must be on a quarter hour")
    if valid_from < EARLIEST:
        raise PoolRefusedError("from", f"must not be before {EARLIEST:%Y-%m-%d}")
    if valid_to is not None and valid_to <= valid_from:
        raise PoolRefusedError("to", "must be after from")
    terms: Recurring | ForTerm | Depreciation | Energy
    if kind == DEPRECIATION:
        terms = _depreciation(item)
    elif kind == ENERGY:
        terms = _energy(item, tariffs, zone)
    else:
        terms = _amount(item)
    return Component(
        name=text(item, "name") or kind,
        kind=kind,
        valid_from=valid_from,
        valid_to=valid_to,
        terms=terms,
        billed=_billed(item, kind),
        zone=zone,
        source=text(item, "source"),
        reference=text(item, "reference"),
    )


def _billed(item: Mapping[str, Any], kind: str) -> bool:
    said = item.get("billed")
    if said is None:
        return kind not in NOT_BILLED
    if not isinstance(said, bool):
        raise PoolRefusedError("billed", "must be true or false")
    if said and kind in NEVER_BILLED:
        raise PoolRefusedError("billed", f"{kind} is on no invoice: the purchase was")
    return said


def _amount(item: Mapping[str, Any]) -> Recurring | ForTerm:
    amount = needed(item, "amount")
    quantity = number(item, "quantity", above=0)
    quantity = Decimal(1) if quantity is None else quantity
    per = one_of(item, "per", (*PERIODS, TERM))
    if per is None:
        raise PoolRefusedError("per", f"is missing; there are {', '.join((*PERIODS, TERM))}")
    if per != TERM:
        if "months" in item:
            raise PoolRefusedError("months", f"is for an amount per {TERM} only")
        return Recurring(amount, per, quantity)
    if "to" in item:
        raise PoolRefusedError("to", "a term ends by itself, and is paid to its end: say months")
    return ForTerm(amount, whole(item, "months", MOST_MONTHS), quantity)


def _depreciation(item: Mapping[str, Any]) -> Depreciation:
    purchase = needed(item, "purchase")
    residual = number(item, "residual") or Decimal(0)
    if residual > purchase:
        raise PoolRefusedError("residual", "must not be more than purchase")
    had = number(item, "disposed_for")
    if had is not None and "to" not in item:
        raise PoolRefusedError("disposed_for", "needs to: when it went out of service")
    return Depreciation(purchase, residual, whole(item, "life_months", MOST_MONTHS), had)


def _energy(item: Mapping[str, Any], tariffs: Tariffs, zone: str) -> Energy:
    watts, idle = number(item, "watts", above=0), number(item, "idle_watts") or Decimal(0)
    measured = _attributes(item)
    if watts is None and not measured:
        raise PoolRefusedError("watts", "is missing: say watts, or whose energy is measured")
    if idle > (watts or Decimal(0)):
        raise PoolRefusedError("idle_watts", "must not be more than watts")
    pue = number(item, "pue")
    if pue is not None and pue < 1:
        raise PoolRefusedError("pue", "must be 1 or more: what the building draws for each watt")
    return Energy(
        tariffs=_tariffs(item, tariffs, zone),
        watts=watts or Decimal(0),
        idle_watts=idle,
        pue=Decimal(1) if pue is None else pue,
        measured=measured,
    )


def _tariffs(item: Mapping[str, Any], tariffs: Tariffs, zone: str) -> tuple[Tariff, ...]:
    price, name = number(item, "price_per_kwh"), text(item, "tariff")
    if price is not None and name is None:
        return (Tariff("", zone, (Rate(price),)),)
    if name is None or price is not None:
        raise PoolRefusedError("tariff", "energy needs a tariff or a price_per_kwh: one of them")
    if name not in tariffs:
        raise PoolRefusedError("tariff", f"there is no tariff {name!r}: declare it in tariffs")
    return tariffs[name]


def _attributes(item: Mapping[str, Any]) -> Mapping[str, str]:
    said = item.get("measured")
    if said is None:
        return MappingProxyType({})
    if not isinstance(said, Mapping) or not 0 < len(said) <= MOST_VALUES:
        reason = 'must be resource attributes and their values, such as { "host.name" = "gpu-7" }'
        raise PoolRefusedError("measured", reason)
    return {checked(key, "measured"): checked(value, "measured") for key, value in said.items()}


def _check_alone(component: Component, others: Sequence[Component]) -> None:
    """Refuses a second component of a name that holds at the time of the first."""
    for other in others:
        if other.name != component.name:
            continue
        if other.kind != component.kind:
            reason = f"{component.name!r} is a component of kind {other.kind} already"
            raise PoolRefusedError("kind", reason)
        if (other.ends is None or component.valid_from < other.ends) and (
            component.ends is None or other.valid_from < component.ends
        ):
            reason = f"two components {component.name!r} hold at one time: end the first before"
            raise PoolRefusedError("from", reason)
