"""The ledger against an oracle that prices one call at a time, in Decimal, by its own rules.

The oracle shares no code with what it checks but the value types.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from filled_ledger import put_cell
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from jobs import charge
from jobs.context import JobContext
from spend.bands import band_of
from spend.calls import Outcome, Owner, Route
from spend.ids import content_id
from spend.meters import INPUTS, METER_NAMES
from spend.prices import CONTRACT, PriceLine
from store import books
from store.sessions import Database
from store.tables.ledger import charges
from store.tables.prices import prices
from store.tables.rollups import cells
from store.tenants import TENANT

START = datetime(2026, 10, 20, tzinfo=UTC)
NOW = START + timedelta(hours=3)
OWNERS = [Owner(team="search"), Owner(team="ads", feature="rerank")]
ROUTES = [
    Route(provider="openai", model="gpt", deployment="api", service_tier="batch"),
    Route(provider="openai", model="gpt", deployment="api", region="eu"),
    Route(provider="nobody", model="knows", deployment="api"),
]


@dataclass(frozen=True)
class Call:
    owner: Owner
    route: Route
    slot: datetime
    outcome: Outcome
    usage: dict[str, int] | None


def price(meter: str, text: str, **others: Any) -> PriceLine:
    made = PriceLine(
        book=CONTRACT,
        provider="openai",
        model="gpt",
        meter=meter,
        unit_price=Decimal(text),
        currency="USD",
        valid_from=START - timedelta(days=1),
        source="test",
    )
    return replace(made, **others)


PRICES = [
    price("input", "2.5", valid_to=START + timedelta(hours=1)),
    price("input", "3.333333", valid_from=START + timedelta(hours=1)),
    price("input", "5", above_tokens=200_000),
    price("input", "1.25", service_tier="batch"),
    price("cache_read", "0.000001"),
    price("cache_write_5m", "3.125", region="eu"),
    price("output", "10"),
    price("output_audio", "80"),
]


def oracle(calls: Sequence[Call]) -> tuple[dict[tuple[Any, ...], Decimal], int]:
    """(slot, owner, route) -> cost, and the calls without a price."""
    cost: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    unpriced = 0
    for call in calls:
        if call.usage is None:
            unpriced += call.outcome is Outcome.OK
            continue
        if call.route.provider == "nobody":
            unpriced += 1
            continue
        usage = Counter(call.usage)
        late = call.slot >= START + timedelta(hours=1)
        batch, eu = call.route.service_tier == "batch", call.route.region == "eu"
        large = sum(usage[meter] for meter in INPUTS) > 200_000
        standard = "5" if large else "3.333333" if late else "2.5"
        text = Decimal("1.25" if batch else standard)
        write = Decimal("3.125") if eu else text
        total = (
            usage["input"] * text
            + usage["cache_read"] * Decimal("0.000001")
            + (usage["cache_write"] + usage["cache_write_5m"] + usage["cache_write_1h"]) * write
            + (usage["output"] - usage["output_audio"]) * 10
            + usage["output_audio"] * 80
        )
        cost[call.slot, call.owner, call.route] += total / 1_000_000
    return {key: value for key, value in cost.items() if value}, unpriced


def hear(database: Database, calls: Sequence[Call]) -> None:
    """Adds calls to cells, as the roll job does."""
    with database.write() as session:
        for call in calls:
            usage = call.usage or {}
            key = {
                "slot": call.slot,
                "owner_id": content_id(call.owner),
                "route_id": content_id(call.route),
                "outcome": call.outcome,
                "band": band_of(sum(usage.get(meter, 0) for meter in INPUTS)),
            }
            held = [cells.c[name] == value for name, value in key.items()]
            sums = {
                "calls": 1,
                "unmetered_calls": int(call.usage is None and call.outcome is Outcome.OK),
                **{name: usage.get(name, 0) for name in METER_NAMES},
            }
            added = {name: cells.c[name] + value for name, value in sums.items()}
            found = session.execute(
                update(cells).where(*held).values(**added, charged=False).returning(cells.c.slot)
            )
            if found.first() is None:
                put_cell(
                    session,
                    call.slot.isoformat(),
                    call.owner,
                    call.route,
                    calls=1,
                    outcome=call.outcome,
                    band=key["band"],
                    unmetered=sums["unmetered_calls"],
                    unpriced=None,
                    charged=False,
                    **usage,
                )


def ledger(database: Database) -> tuple[dict[tuple[Any, ...], Decimal], int]:
    owners = {content_id(owner): owner for owner in OWNERS}
    routes = {content_id(route): route for route in ROUTES}
    place = (charges.c.slot, charges.c.owner_id, charges.c.route_id)
    with database.read() as session:
        found = session.execute(select(*place, func.sum(charges.c.amount)).group_by(*place))
        cost = {(row[0], owners[row[1]], routes[row[2]]): row[3] for row in found if row[3]}
        waiting = session.scalar(select(func.count()).where(~cells.c.charged))
        assert waiting == 0
        return cost, int(session.scalar(select(func.sum(cells.c.unpriced_calls))) or 0)


def context(database: Database) -> JobContext:
    return JobContext(database=database, now=NOW)


def made_up(seed: int, count: int) -> list[Call]:
    dice = random.Random(seed)
    calls = []
    for _ in range(count):
        outcome = dice.choice([Outcome.OK, Outcome.OK, Outcome.ERROR])
        output = dice.randrange(0, 3000)
        usage = {
            "input": dice.choice([dice.randrange(0, 5000), dice.randrange(150_000, 250_000)]),
            "cache_read": dice.choice([0, dice.randrange(0, 100_000)]),
            "cache_write": dice.choice([0, 7]),
            "cache_write_5m": dice.choice([0, dice.randrange(0, 1000)]),
            "cache_write_1h": dice.choice([0, 11]),
            # Nothing priced is used by nobody's model, so that its cells are unpriced as a whole.
            "output": output + 1,
            "output_audio": dice.choice([0, output // 2]),
            "reasoning": output // 3,
        }
        silent = dice.random() < (0.1 if outcome is Outcome.OK else 0.5)
        calls.append(
            Call(
                dice.choice(OWNERS),
                # Failed calls of the unpriced model: a cell cannot tell those that used something.
                dice.choice(ROUTES if outcome is Outcome.OK else ROUTES[:2]),
                START + timedelta(minutes=15) * dice.randrange(8),
                outcome,
                None if silent else usage,
            )
        )
    return calls


@pytest.mark.parametrize("seed", range(3))
def test_every_cell_costs_what_its_calls_cost_one_by_one(database: Database, seed: int) -> None:
    calls = made_up(seed, 300)
    with database.write() as session:
        books.enter_contract(session, TENANT, PRICES, now=NOW)
    hear(database, calls)
    charge.run(context(database))
    assert ledger(database) == oracle(calls)


@given(order=st.permutations(range(5)), early=st.integers(0, 5), twice=st.booleans())
@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_neither_order_nor_repetition_changes_what_is_charged(
    database: Database, order: list[int], early: int, twice: bool
) -> None:
    with database.write() as session:
        for table in (charges, cells, prices):
            session.execute(table.delete())
    calls = made_up(7, 100)
    for place, part in enumerate(order):
        if place == early:
            # The prices become known in the middle: what was unpriced or charged is mended.
            with database.write() as session:
                books.enter_contract(session, TENANT, PRICES, now=NOW)
        hear(database, calls[part::5])
        charge.run(context(database))
        if twice:
            assert charge.run(context(database)).note == "0 cells, 0 lines"
    with database.write() as session:
        books.enter_contract(session, TENANT, PRICES, now=NOW)
    charge.run(context(database))
    assert ledger(database) == oracle(calls)
