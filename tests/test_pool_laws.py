"""Whatever happens to calls, pools and the charge job: every pool-hour adds up, in every basis."""

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from closed_books import close, closed_sums
from filled_ledger import GPT, LLAMA, SEARCH, SUPPORT, at, put_cell
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from jobs.charging import charge, charge_pools
from jobs.context import JobContext
from spend.calls import Owner
from spend.capacity.energy import EnergyCounter, EnergyReading
from spend.capacity.pool_costs import hour_cost
from spend.capacity.pool_files import pool_of_fields
from spend.capacity.pools import HOUR, Pool
from spend.capacity.splitting import METHODS
from store.capacity import pool_hours, pools
from store.dictionaries import Known
from store.ledger import ledger
from store.postgres.sessions import Database
from store.readings import energy
from store.tables.ledger import charges
from store.tables.rollups import cells
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

NOW = at("2026-10-25T06:05")
BEGAN = at("2026-10-24T22:00")
RENT = {"kind": "rental", "amount": "6.155001", "per": "hour", "quantity": "2.5"}
RACK = {"kind": "colocation", "amount": "777.77", "per": "month", "zone": "Europe/Berlin"}
SERVER = {
    "kind": "depreciation",
    "purchase": "300000",
    "residual": "60000",
    "life_months": 48,
    "from": "2025-02-28",
}
POWER = {"kind": "energy", "watts": "7500", "idle_watts": "900", "pue": "1.4"}
PEOPLE = {"kind": "engineering", "amount": "60000", "per": "year"}
POOLS: list[dict[str, Any]] = [
    {"name": "one", "match": {"model": ["llama*"], "service": ["*"]}, "components": [RENT, PEOPLE]},
    {"name": "two", "match": {"provider": ["vllm"]}, "components": [RENT, RACK], "kind": "rented"},
    {
        "name": "three",
        "kind": "owned",
        "match": {"deployment": ["self-hosted", "api"], "team": ["research"]},
        "components": [SERVER, POWER | {"price_per_kwh": "0.12"}, PEOPLE],
        "capacity_per_hour": "20000",
        "output_weight": "3.25",
    },
]
OWNERS = [SEARCH, SUPPORT, Owner("research"), Owner("research", service="lab")]


class KilledError(Exception):
    pass


def declared(said: dict[str, Any], **others: Any) -> Pool:
    return pool_of_fields({"from": BEGAN.isoformat()} | said | others, currency="USD", now=NOW)


def apply(database: Database, *said: Pool) -> None:
    with database.write() as session:
        pools.apply(session, TENANT, said)


def hear(database: Database, chance: random.Random) -> None:
    """Some calls, at any time: new cells, or more in those that are there."""
    for _ in range(chance.randint(1, 6)):
        slot = BEGAN + timedelta(minutes=15) * chance.randint(0, 31)
        usage = {name: chance.randint(0, 9_000) for name in ("input", "cache_read", "output")}
        if chance.random() < 0.7:
            usage |= {"prefill_ms": chance.randint(0, 900), "decode_ms": chance.randint(1, 4_000)}
        owner, route = chance.choice(OWNERS), chance.choice([LLAMA, LLAMA, GPT])
        timed = (1, chance.randint(0, 2_000_000_000), 0, 0)
        try:
            with database.write() as session:
                put_cell(
                    session, slot.isoformat(), owner, route, charged=False, timed=timed, **usage
                )
        except IntegrityError:
            with database.write() as session:
                session.execute(
                    update(cells)
                    .where(cells.c.slot == slot)
                    .values(charged=False, output=cells.c.output + 77)
                )


def run(database: Database) -> str:
    return charge.run(JobContext(database=database, now=NOW)).note


def change(database: Database, chance: random.Random) -> None:
    said = chance.choice(POOLS)
    with database.read() as session:
        held = {pool.name: pool for pool in pools.all_pools(session, TENANT)}
    others = chance.choice(
        [
            {"method": chance.choice(METHODS)},
            {"capacity_per_hour": str(chance.randint(1, 60_000))},
            {"from": (BEGAN + HOUR * chance.randint(0, 3)).isoformat()},
            {"to": (BEGAN + HOUR * chance.randint(4, 9)).isoformat()},
            {
                "components": [
                    *said["components"],
                    PEOPLE | {"name": "more", "amount": chance.randint(1, 9)},
                ]
            },
        ]
    )
    new = replace(declared(said, **others), id=held[said["name"]].id)
    apply(database, new)


def sums(database: Database) -> dict[tuple[int, datetime], list[Decimal]]:
    """Pool and hour -> list, contracted, effective, billed."""
    hour = func.date_trunc("hour", charges.c.slot, "UTC")
    names = ("list_amount", "contracted_amount", "amount", "billed_amount")
    with database.read() as session:
        found = session.execute(
            select(charges.c.pool_id, hour, *(func.sum(charges.c[name]) for name in names))
            .where(charges.c.pool_id.is_not(None))
            .group_by(charges.c.pool_id, hour)
        )
        return {(row[0], row[1]): list(row[2:]) for row in found if any(row[2:])}


def costs(database: Database) -> dict[tuple[int, datetime], list[Decimal]]:
    """What every hour is to cost, by its components alone."""
    found = {}
    with database.read() as session:
        for pool in pools.all_pools(session, TENANT):
            kept = pool_hours.hours(session, TENANT, pool.id, BEGAN - HOUR, NOW + HOUR)
            for each in kept:
                assert pool.in_force(each.hour)
                cost = hour_cost(pool.costs, each.hour, _busy(each), {})
                assert (each.components, each.cost) == (cost.parts, cost.amount)
                found[pool.id, each.hour] = [cost.amount] * 3 + [cost.billed]
    return found


def _busy(each: pool_hours.PoolHour) -> Fraction:
    if each.capacity is None:
        return Fraction(min(each.timed_us, 3_600_000_000), 3_600_000_000)
    return min(Fraction(1), Fraction(each.work_units) / Fraction(each.capacity))


def dying(database: Database, monkeypatch: pytest.MonkeyPatch, left: int) -> bool:
    """A run that is killed after so many of its steps, if it gets there."""

    def step(what: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                raise KilledError
            return what(*arguments, **named)

        return call

    with monkeypatch.context() as patched:
        patched.setattr(charge_pools, "HOURS_AT_ONCE", 2)
        patched.setattr(charge, "CELLS_AT_ONCE", 3)
        for module, name in (
            (ledger, "post"),
            (ledger, "settle"),
            (pool_hours, "keep"),
            (pools, "charged"),
        ):
            patched.setattr(module, name, step(getattr(module, name)))
        with suppress(KilledError):
            run(database)
            return False
    return True


@pytest.mark.parametrize("seed", range(3))
def test_teams_idle_and_unallocated_add_up_to_the_cost_of_every_hour(
    database: Database, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    apply(database, *(declared(said) for said in POOLS))
    deaths = 0
    for _ in range(6):
        hear(database, chance)
        if chance.random() < 0.6:
            change(database, chance)
        deaths += dying(database, monkeypatch, chance.randint(0, 3))
        run(database)
        assert sums(database) == costs(database)
    assert deaths
    assert run(database) == "0 cells, 0 lines"
    with database.write() as session:
        session.execute(update(cells).values(charged=False))
        session.execute(update(pools.pools).values(charged_to=None))
    # What it came to in steps is what it comes to at once.
    assert run(database).endswith(" cells, 0 lines")


def test_the_order_of_events_does_not_matter(database: Database) -> None:
    chance = random.Random(9)
    apply(database, *(declared(said) for said in POOLS))
    hear(database, chance)
    run(database)
    hear(database, chance)
    for said in POOLS:
        apply(database, declared(said, method="prefill-decode-v1"))
    run(database)
    step_by_step = lines(database)
    with database.write() as session:
        session.execute(update(pools.pools).values(charged_to=None))
    assert run(database).endswith(" 0 lines")
    assert lines(database) == step_by_step
    assert sums(database) == costs(database)


def lines(database: Database) -> dict[Any, Decimal]:
    key = (charges.c.pool_id, charges.c.slot, charges.c.owner_id, charges.c.meter, charges.c.method)
    with database.read() as session:
        found = session.execute(select(*key, func.sum(charges.c.amount)).group_by(*key)).all()
        return {tuple(row[:-1]): row[-1] for row in found if row[-1]}


def test_what_comes_late_for_a_closed_hour_is_split_and_booked_in_the_open_month(
    database: Database,
) -> None:
    apply(database, declared(POOLS[1]))
    with database.write() as session:
        said: dict[str, Any] = {"charged": False, "timed": (1, 900_000_000, 0, 0)}
        put_cell(session, "2026-10-25T01:00", SEARCH, LLAMA, **said, input=100, output=25)
        put_cell(session, "2026-10-25T04:00", SEARCH, LLAMA, charged=False, input=100)
    run(database)
    close(database, "2026-10-25T04:00")
    before = closed_sums(database, "2026-10-25T04:00")
    with database.write() as session:
        put_cell(session, "2026-10-25T01:15", SUPPORT, LLAMA, **said, input=300)
        put_cell(session, "2026-10-25T01:15", SUPPORT, GPT, charged=False, input=300, unpriced=None)
    # The new team, who was there with less of the hour, and the idle share.
    assert run(database) == "2 cells, 3 lines"
    apply(database, declared(POOLS[1], components=[RENT]))
    run(database)
    assert closed_sums(database, "2026-10-25T04:00") == before
    assert sums(database) == costs(database)
    with database.read() as session:
        hours = pool_hours.hours(session, TENANT, 1, at("2026-10-25T01:00"), at("2026-10-25T02:00"))
    assert [each.work_units for each in hours] == [500]


def test_energy_that_is_told_late_settles_open_hours_again(database: Database) -> None:
    power = POWER | {"price_per_kwh": "0.12", "measured": {"host.name": "gpu-*"}}
    apply(database, declared(POOLS[2], components=[SERVER, power]))
    run(database)
    assert power_of(database) == (Decimal("0.9"), Decimal(0))
    hour = at("2026-10-25T01:00")
    tell(database, 1, "gpu-7", hour, hour + 0.75 * HOUR)
    tell(database, 2, "web-1", hour, NOW)
    assert run(database) == "0 cells, 1 lines"
    # Two kWh in three quarters of the hour, and a quarter of 900 W.
    assert power_of(database) == (Decimal("2.225"), Decimal(2))
    assert sums(database)[1, hour][3] == Decimal("2.225") * Decimal("1.4") * Decimal("0.12")
    assert run(database) == "0 cells, 0 lines"


def tell(database: Database, id_: int, host: str, since: datetime, until: datetime) -> None:
    """Two kWh of a machine."""
    attributes = {"host.name": host}
    counter = EnergyCounter("hw.energy", id_, id_, True, 0, True, attributes)
    readings = [
        EnergyReading(id_, at_, at_, millijoules)
        for at_, millijoules in ((since, 0), (until, 2 * 3_600_000_000))
    ]
    with database.write() as session:
        energy.remember_energy_counters(session, TENANT, {id_: counter}, Known())
        energy.put_energy(session, TENANT, id_, [readings], {id_: counter})


def power_of(database: Database) -> tuple[Decimal | None, Decimal | None]:
    with database.read() as session:
        start = at("2026-10-25T01:00")
        hours = pool_hours.hours(session, TENANT, 1, start, start + HOUR)
    part = pool_hours.components_of(hours)[1]
    return part.kwh, part.measured_kwh
