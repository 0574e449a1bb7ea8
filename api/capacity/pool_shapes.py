"""The shapes of pools: what is declared, and what is answered of a pool and its hours."""

from collections.abc import Sequence
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StrictBool, StrictInt, StrictStr

from api.shapes import BoundsAnswer, instant
from spend import money
from spend.capacity.pool_costs import KINDS as COMPONENT_KINDS
from spend.capacity.pool_costs import CostPart
from spend.capacity.pool_files import fields_of_pool
from spend.capacity.pools import DIMENSIONS, KINDS, Pool
from spend.capacity.splitting import METHODS
from spend.capacity.splitting import SEATS as BY_SEATS
from spend.money import plain
from store.capacity.pool_hours import PoolHour, components_of

_DECIMALS: Final[list[JsonValue]] = [{"type": "string"}, {"type": "integer"}]


def _decimal(description: str, example: str | None = None) -> Any:
    """A number that is exact: text, or whole. One with a point is refused: it is neither."""
    return Field(
        None,
        description=description,
        json_schema_extra={"anyOf": [*_DECIMALS, {"type": "null"}]},
        examples=[example] if example else None,
    )


class ComponentSaid(BaseModel):
    """One reason why a pool costs something, while it is in force: docs/pools.md."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    kind: StrictStr = Field(description=f"One of {', '.join(COMPONENT_KINDS)}.")
    name: StrictStr | None = Field(
        None, description="Two of one name must not hold at one time. Default: its kind."
    )
    from_: StrictStr | None = Field(
        None, alias="from", description="By the clock of `zone`. Default: as the pool."
    )
    to: StrictStr | None = Field(None, description="Likewise; exclusive. Default: for good.")
    billed: StrictBool | None = Field(
        None,
        description="Whether somebody invoices it. Default: yes, but for depreciation, which never"
        " is, and engineering.",
    )
    zone: StrictStr | None = Field(None, description="Default: the pool's.")
    source: StrictStr | None = Field(None, description="Who says so.")
    reference: StrictStr | None = Field(None, description="A document or its address.")
    amount: Any = _decimal("Of all kinds but depreciation and energy: for one of `quantity`.")
    per: StrictStr | None = Field(None, description="hour, day, month, year or term.")
    quantity: Any = _decimal("GPUs, machines, units, seats, people, hours. Default: 1.")
    months: StrictInt | StrictStr | None = Field(None, description="Of a term paid in advance.")
    purchase: Any = _decimal("Of depreciation: the price.")
    residual: Any = _decimal("What it is worth at the end of its life. Default: 0.")
    life_months: StrictInt | StrictStr | None = Field(None, description="How long it lives.")
    disposed_for: Any = _decimal("What was had for it at `to`, before its life's end.")
    watts: Any = _decimal("Of energy: drawn when busy.")
    idle_watts: Any = _decimal("Drawn when idle. Default: 0.")
    pue: Any = _decimal("What the building draws for each watt of the machines. Default: 1.")
    tariff: StrictStr | None = Field(None, description="The name of one in `tariffs`.")
    price_per_kwh: Any = _decimal("Instead of a tariff.")
    measured: dict[StrictStr, StrictStr] | None = Field(
        None, description="Resource attributes of those whose measured energy counts."
    )


class NewPool(BaseModel):
    """Capacity that is paid for every hour, used or not."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    name: StrictStr = Field(description="No two the same.", examples=["llama on 8 x H100"])
    kind: StrictStr | None = Field(
        None, description=f"One of {', '.join(KINDS)}. Default: {KINDS[0]}."
    )
    # Anything, so that a number with a point is refused for what it is: not exact.
    cost_per_hour: Any = _decimal(
        "All of it: machines, energy, people. A decimal string. Or name `components`.", "49.24"
    )
    components: list[ComponentSaid] | None = Field(
        None, description="What the cost of an hour is the sum of."
    )
    tariffs: list[dict[str, Any]] | None = Field(
        None, description="What a kWh costs by the local hour: docs/pools.md."
    )
    zone: StrictStr | None = Field(
        None, description="IANA zone of its months, days and times without offset. Default: UTC."
    )
    currency: StrictStr | None = Field(None, description="ISO 4217. Default: the server's setting.")
    from_: StrictStr | None = Field(
        None,
        alias="from",
        description="A full hour, of `zone` or with an offset. Inclusive. Default: this hour.",
        examples=["2026-10-01"],
    )
    to: StrictStr | None = Field(None, description="Likewise; exclusive. Default: for good.")
    match: dict[StrictStr, list[StrictStr]] = Field(
        description="Which calls run on it: dimension to values, of which one must fit, in every"
        " dimension named. `*` at the end of a value fits any continuation. Dimensions: "
        + ", ".join(DIMENSIONS)
        + ".",
        examples=[{"deployment": ["self-hosted"], "model": ["llama-3.3-70b*"]}],
    )
    capacity_per_hour: Any = _decimal(
        "Work units (uncached input + 4 x output tokens) that it can do in an hour."
        " Default: it is busy while a call is in flight.",
        "50700000",
    )
    capacity_per_unit: Any = _decimal("Likewise, of one provisioned unit.")
    seats: dict[StrictStr, Any] | None = Field(
        None, description="Team to seats of a subscription. Default: it is split by use."
    )
    method: StrictStr | None = Field(
        None,
        description=f"How an hour is split: {', '.join(METHODS)}, or {BY_SEATS} with `seats`."
        f" Default: {METHODS[0]}.",
    )
    output_weight: Any = _decimal("Work of a token put out, of one read. Default: 4.")
    provider: StrictStr | None = Field(None, description="What its idle share shows as provider.")
    region: StrictStr | None = Field(None, description="What its idle share shows as region.")


class PoolAnswer(BaseModel):
    """A pool as it is declared."""

    model_config = ConfigDict(populate_by_name=True)

    id: int
    name: str
    kind: str
    cost_per_hour: str | None = Field(description="Null: the sum of its components.")
    components: list[dict[str, Any]] = Field(description="As declared, with defaults; times UTC.")
    tariffs: list[dict[str, Any]] = Field(description="Those that its components name.")
    zone: str
    currency: str
    from_: str = Field(alias="from")
    to: str | None
    match: dict[str, list[str]]
    capacity_per_hour: str | None
    capacity_per_unit: str | None
    seats: dict[str, int]
    method: str = Field(description="How its hours are split, with its version.")
    output_weight: str
    provider: str
    region: str | None
    charged_to: str | None = Field(
        description="Every hour that began before is posted; null: none yet, or all anew."
    )


class PoolsAnswer(BaseModel):
    """The first declared first: where several fit a call, that one has it."""

    pools: list[PoolAnswer]


class PartAnswer(BaseModel):
    """What a component cost."""

    name: str
    kind: str
    billed: bool
    cost: str
    kwh: str | None = Field(description="Of energy: at the machines, without PUE; else null.")
    measured_kwh: str | None = Field(
        description="Of `kwh`, what was measured; the rest is estimated."
    )


class PoolHourAnswer(BaseModel):
    """One settled hour."""

    hour: str
    cost: str
    billed_cost: str
    idle_cost: str
    method: str = Field(description="By which it was split: not the pool's where timings lack.")
    work_units: str
    capacity: str | None = Field(description="Work units that it could do.")
    in_flight_seconds: str = Field(description="That calls took, together.")
    settled_at: str
    components: list[PartAnswer]


class PoolDetailAnswer(BoundsAnswer):
    """A pool, and what its settled hours cost that begin in a time."""

    pool: PoolAnswer
    currency: str
    hours: int = Field(description="That are settled.")
    cost: str
    billed_cost: str
    idle_cost: str
    components: list[PartAnswer] = Field(description="They add up to `cost`.")
    methods: dict[str, int] = Field(description="Hours by the method that split them.")
    by_hour: list[PoolHourAnswer] | None = Field(
        None, description="Each hour, where `by=hour` was asked."
    )


def pool_answer(pool: Pool) -> PoolAnswer:
    """A pool, told."""
    kept = fields_of_pool(pool)
    return PoolAnswer(
        id=pool.id,
        name=pool.name,
        kind=pool.kind,
        cost_per_hour=None if pool.cost_per_hour is None else plain(pool.cost_per_hour),
        components=kept["components"],
        tariffs=kept["tariffs"],
        zone=pool.zone,
        currency=pool.currency,
        **{"from": str(instant(pool.valid_from))},
        to=instant(pool.valid_to),
        match={dimension: list(values) for dimension, values in pool.match.items()},
        capacity_per_hour=_short(pool.capacity_per_hour),
        capacity_per_unit=_short(pool.capacity_per_unit),
        seats=dict(pool.seats),
        method=pool.method,
        output_weight=str(_short(pool.output_weight)),
        provider=pool.provider,
        region=pool.region,
        charged_to=instant(pool.charged_to),
    )


def sums_of(settled: Sequence[PoolHour]) -> dict[str, Any]:
    """The fields of PoolDetailAnswer that add up hours."""
    methods: dict[str, int] = {}
    for each in settled:
        methods[each.method] = methods.get(each.method, 0) + 1
    return {
        "hours": len(settled),
        "cost": plain(money.total([each.cost for each in settled])),
        "billed_cost": plain(money.total([each.billed_amount for each in settled])),
        "idle_cost": plain(money.total([each.idle for each in settled])),
        "components": [part_answer(part) for part in components_of(settled)],
        "methods": methods,
    }


def hour_answer(settled: PoolHour) -> PoolHourAnswer:
    """One hour, told."""
    return PoolHourAnswer(
        hour=str(instant(settled.hour)),
        cost=plain(settled.cost),
        billed_cost=plain(settled.billed_amount),
        idle_cost=plain(settled.idle),
        method=settled.method,
        work_units=str(_short(settled.work_units)),
        capacity=_short(settled.capacity),
        in_flight_seconds=f"{settled.timed_us // 10**6}.{settled.timed_us % 10**6:06d}",
        settled_at=str(instant(settled.settled_at)),
        components=[part_answer(part) for part in settled.components],
    )


def part_answer(part: CostPart) -> PartAnswer:
    """A component's part, told."""
    return PartAnswer(
        name=part.name,
        kind=part.kind,
        billed=part.billed,
        cost=plain(part.amount),
        kwh=_short(part.kwh),
        measured_kwh=_short(part.measured_kwh),
    )


def _short(value: Any) -> str | None:
    return None if value is None else f"{value.normalize():f}"
