"""Made-up calls around the end of a month, their price book, and what the ledger says of them."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from filled_ledger import put_cell
from sqlalchemy import func, select, update

from spend.calls import Outcome, Owner, Route
from spend.capacity.pool_files import pool_of_fields
from spend.ids import content_id
from spend.meters import METER_NAMES
from spend.prices.discounts import DISCOUNT, UPLIFT, Discount
from spend.prices.prices import CONTRACT, LIST, PriceLine
from store.capacity import pools
from store.postgres.sessions import Database
from store.prices import books
from store.prices.discount_entries import enter_discounts
from store.tables.ledger import charges
from store.tables.rollups import cells
from store.tenants import TENANT

SLOT, HOUR = timedelta(minutes=15), timedelta(hours=1)
START = datetime(2026, 10, 31, 20, tzinfo=UTC)
MONTH_ENDS = datetime(2026, 11, 1, tzinfo=UTC)
PRICE_CHANGE = START + 3 * HOUR
SLOTS = 32
NOW = START + 9 * HOUR

OWNERS = [Owner(team="search"), Owner(team="ads", feature="rerank"), Owner(team="unallocated")]
BATCH = Route("openai", "gpt", deployment="api", service_tier="batch")
EUROPE = Route("openai", "gpt", deployment="api", region="eu")
LISTED = Route("acme", "big", operation="chat", deployment="api")
LISTED_EU = replace(LISTED, region="eu")
LISTED_US = replace(LISTED, region="us", service_tier="flex")
EMBEDDED = Route("acme", "emb", operation="embeddings", deployment="api")
STEPPED = Route("steps", "v", operation="chat", deployment="api")
STEPPED_TOO = replace(STEPPED, server="other.example")
RERANK = Route("acme", "rerank", operation="rerank", deployment="api")
PAINT = Route("acme", "paint", operation="image", deployment="api")
NOBODYS = Route("nobody", "knows", deployment="api")
OURS = Route("vllm", "llama", deployment="self-hosted")
TOKENS = [BATCH, EUROPE, LISTED, LISTED_EU, LISTED_US, STEPPED, STEPPED_TOO, STEPPED, STEPPED_TOO]
ROUTES = [*TOKENS, EMBEDDED, RERANK, PAINT, NOBODYS, OURS]

LARGE = 200_000
EDGES = (0, 900_000, 2_500_000)
POOL_COST = Decimal("7.250001")


def line(book: str, route: Route, meter: str, price: str, **others: Any) -> PriceLine:
    made = PriceLine(
        book=book,
        provider=str(route.provider),
        model=str(route.model),
        meter=meter,
        unit_price=Decimal(price),
        currency="USD",
        valid_from=START - timedelta(days=9),
        source="test",
    )
    return replace(made, **others)


CONTRACTS = [
    line(CONTRACT, EUROPE, "input", "2.5", valid_to=PRICE_CHANGE),
    line(CONTRACT, EUROPE, "input", "3.333333", valid_from=PRICE_CHANGE),
    line(CONTRACT, EUROPE, "input", "5", above_tokens=LARGE),
    line(CONTRACT, EUROPE, "input", "1.25", service_tier="batch"),
    line(CONTRACT, EUROPE, "cache_read", "0.000001"),
    line(CONTRACT, EUROPE, "cache_write_5m", "3.125", region="eu"),
    line(CONTRACT, EUROPE, "output", "10"),
    line(CONTRACT, EUROPE, "output_audio", "80"),
    line(CONTRACT, EUROPE, "tool_calls", "10000"),
    line(CONTRACT, STEPPED, "input", "3"),
    line(CONTRACT, STEPPED, "input", "2.000001", above_monthly=EDGES[1]),
    line(CONTRACT, STEPPED, "input", "0.7", above_monthly=EDGES[2]),
    line(CONTRACT, STEPPED, "output", "1"),
    line(CONTRACT, RERANK, "requests", "2000"),
]
LISTS = [
    line(LIST, EUROPE, "input", "4"),
    line(LIST, EUROPE, "output", "12"),
    line(LIST, LISTED, "input", "1.000001"),
    line(LIST, LISTED, "input", "0.5", region="us"),
    line(LIST, LISTED, "output", "7.77"),
    line(LIST, LISTED, "output", "3.3", service_tier="flex"),
    line(LIST, LISTED, "requests", "5000"),
    line(LIST, EMBEDDED, "input", "99"),
    line(LIST, EMBEDDED, "embeddings", "0.02"),
    line(LIST, PAINT, "images", "40000"),
]


def changed(kind: str, model: str, percent: str, **others: Any) -> Discount:
    made = Discount(kind, "acme", model, Decimal(percent), START - timedelta(days=9), source="test")
    return replace(made, **others)


DISCOUNTS = [
    changed(UPLIFT, "*", "7.5", region="eu"),
    replace(changed(UPLIFT, "g*", "10", region="eu"), provider="openai"),
    changed(DISCOUNT, "*", "1"),
    changed(DISCOUNT, "b*", "15", valid_to=PRICE_CHANGE),
    changed(DISCOUNT, "b*", "20", valid_from=PRICE_CHANGE),
    changed(DISCOUNT, "big", "33.333333", meter="output"),
    # The pattern counts before the meter.
    changed(DISCOUNT, "*", "99", meter="input"),
]


@dataclass(frozen=True)
class Call:
    owner: Owner
    route: Route
    slot: datetime
    outcome: Outcome
    usage: dict[str, int] | None
    timed_us: int = 0

    @property
    def prompt(self) -> int:
        used = Counter(self.usage or {})
        return sum(used[name] for name in (*WRITES, "input", "cache_read"))

    @property
    def band(self) -> int:
        edges = (32_000, 64_000, 100_000, 128_000, 199_999, 200_000, 256_000, 272_000, 512_000)
        return sum(self.prompt > edge for edge in edges)

    @property
    def place(self) -> tuple[datetime, int, int, int]:
        return self.slot, content_id(self.owner), content_id(self.route), self.band


WRITES = ("cache_write", "cache_write_5m", "cache_write_1h")


Amounts = dict[tuple[Any, ...], tuple[int, Fraction | None, Fraction]]
"""Place and meter -> quantity, list amount, our amount."""


def ledger(database: Database) -> tuple[Amounts, int]:
    """The same of the ledger, after checking that nothing waits and its bases agree."""
    key = [charges.c[name] for name in ("slot", "owner_id", "route_id", "band", "meter")]
    bases = ("list_amount", "contracted_amount", "amount", "billed_amount")
    with database.read() as session:
        rows = session.execute(
            select(
                *key,
                func.sum(charges.c.quantity),
                *(func.sum(charges.c[name]) for name in bases),
                func.bool_or(charges.c.list_amount.is_(None)),
                func.bool_and(charges.c.unit_price.is_not(None)),
            ).group_by(*key)
        ).all()
        waiting = session.scalar(select(func.count()).where(~cells.c.charged))
        unpriced = int(session.scalar(select(func.sum(cells.c.unpriced_calls))) or 0)
    assert waiting == 0
    found: Amounts = {}
    for *place, quantity, listed, contracted, amount, billed, is_unknown, by_book in rows:
        assert contracted == amount == billed, place
        assert by_book is (place[4] not in {"pool", "idle"})
        sums = (
            int(quantity) if by_book or place[4] == "pool" else 0,
            None if is_unknown else Fraction(listed),
            Fraction(amount),
        )
        if quantity or amount:
            found[(place[0], "idle") if place[4] == "idle" else tuple(place)] = sums
    return found, unpriced


def enter_books(database: Database) -> None:
    """Everything becomes known at once."""
    with database.write() as session:
        books.replace_list(session, LISTS, now=NOW)
        books.enter_contract(session, TENANT, CONTRACTS, now=NOW)
        enter_discounts(session, TENANT, DISCOUNTS, now=NOW)


def declare_pool(database: Database) -> None:
    fields = {
        "name": "llama",
        "cost_per_hour": str(POOL_COST),
        "from": START.isoformat(),
        "match": {"provider": ["vllm"]},
    }
    with database.write() as session:
        pools.declare(session, TENANT, pool_of_fields(fields, currency="USD", now=NOW))


def made_up(seed: int, count: int) -> list[Call]:
    dice = random.Random(seed)
    return [one(dice) for _ in range(count)]


def one(dice: random.Random) -> Call:
    route = dice.choice(ROUTES)
    outcome = dice.choice([Outcome.OK, Outcome.OK, Outcome.ERROR])
    if route is NOBODYS:
        # A cell cannot tell those of its failed calls that used something.
        outcome = Outcome.OK
    output = dice.randrange(0, 3000)
    usage: dict[str, int] | None = {
        "input": dice.choice([dice.randrange(0, 5000), dice.randrange(150_000, 250_000)]),
        "cache_read": dice.choice([0, dice.randrange(0, 100_000)]),
        "cache_write": dice.choice([0, 7]),
        "cache_write_5m": dice.choice([0, dice.randrange(0, 1000)]),
        "cache_write_1h": dice.choice([0, 11]),
        # Nothing priced is used by nobody's model, so that its cells are unpriced as a whole.
        "output": output + 1,
        "output_audio": dice.choice([0, output // 2]),
        "reasoning": output // 3,
        "tool_calls": dice.choice([0, 0, 3]),
    }
    if route is EMBEDDED:
        usage = {"input": dice.randrange(1, 9000)}
    elif route is PAINT:
        usage = {"images": dice.randrange(1, 4)}
    elif route is RERANK or dice.random() < (0.1 if outcome is Outcome.OK else 0.5):
        usage = None
    slot = START + SLOT * dice.randrange(SLOTS)
    return Call(dice.choice(OWNERS), route, slot, outcome, usage, dice.randrange(10**9))


def hear(database: Database, calls: Sequence[Call]) -> None:
    """Adds calls to cells, as the roll job does."""
    with database.write() as session:
        for call in calls:
            usage = call.usage or {}
            owner_id, route_id = content_id(call.owner), content_id(call.route)
            key = {
                "slot": call.slot,
                "owner_id": owner_id,
                "route_id": route_id,
                "outcome": call.outcome,
                "band": call.band,
            }
            held = [cells.c[name] == value for name, value in key.items()]
            sums = {
                "calls": 1,
                "unmetered_calls": int(call.usage is None and call.outcome is Outcome.OK),
                "timed_us": call.timed_us,
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
                    band=call.band,
                    unmetered=sums["unmetered_calls"],
                    unpriced=None,
                    charged=False,
                    timed=(1, call.timed_us, 0, 0),
                    **usage,
                )


def wait_again(database: Database) -> None:
    """Every cell is looked at again, as if its calls had been told twice."""
    with database.write() as session:
        session.execute(update(cells).values(charged=False))
