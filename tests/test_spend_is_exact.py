"""Every number of /v1/spend is what adding up the calls one by one gives, to the last digit.

The oracle below knows nothing of cells, bands or ledgers: it prices one call at a time, in Decimal.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import chain
from typing import Any

import pytest
from sighted import NOON, hear, sighting
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import ApiSettings
from jobs import roll
from jobs.charging import charge, reprice
from jobs.context import JobContext
from spend.calls import Outcome, Owner, Route, Sighting
from store.postgres.sessions import Database

OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)
CHANGE = datetime(2026, 10, 17, 9, 15, tzinfo=UTC)
LONG = 200_000

OWNERS = [
    Owner("search", service="search-api", feature="rerank", rule="span attribute team"),
    Owner("search", service="search-api", feature=None, rule="span attribute team"),
    Owner("support", project="desk", customer="acme", rule="span attribute team"),
    Owner("unallocated"),
]
TIERED = Route("openai", "tiered-1", operation="chat", deployment="api")
PLAIN = Route("mistral", "plain-1", operation="chat", deployment="api")
NOBODYS = Route("acme", "unheard-of", operation="chat", deployment="api")
OURS = Route("vllm", "our-llama", operation="chat", deployment="self-hosted")

# provider, model, meter, above_tokens, price per million, valid from, valid to
PRICES: list[tuple[str, str, str, int, str, datetime, datetime | None]] = [
    ("openai", "tiered-1", "input", 0, "2.500000", OCTOBER, CHANGE),
    ("openai", "tiered-1", "input", 0, "1.999999", CHANGE, None),
    ("openai", "tiered-1", "input", LONG, "5.000001", OCTOBER, None),
    ("openai", "tiered-1", "cache_read", 0, "1.250000", OCTOBER, None),
    ("openai", "tiered-1", "output", 0, "10", OCTOBER, None),
    ("openai", "tiered-1", "output", LONG, "15.333333", OCTOBER, None),
    ("mistral", "plain-1", "input", 0, "0.070001", OCTOBER, None),
    ("mistral", "plain-1", "output", 0, "0.3", OCTOBER, None),
]
RATE, POOL_FROM, POOL_TO = (
    Decimal("7.25"),
    OCTOBER + timedelta(days=9),
    OCTOBER + timedelta(days=19),
)


def a_month(rng: random.Random, calls: int) -> list[Sighting]:
    heard = []
    for number in range(1, calls + 1):
        route = rng.choice([TIERED, TIERED, PLAIN, NOBODYS, OURS])
        usage = {"input": rng.choice([0, 7, rng.randint(1, 9999), 150_000, 260_000])}
        if rng.random() < 0.5:
            usage["cache_read"] = rng.choice([0, 1, 51_000, 400_000])
        if rng.random() < 0.9:
            usage["output"] = rng.randint(0, 5000)
        outcome = Outcome.OK if rng.random() < 0.93 else Outcome.RATE_LIMITED
        if outcome is not Outcome.OK or rng.random() < 0.05:
            usage = {}
        heard.append(
            sighting(
                number,
                number,
                start_at=OCTOBER + rng.random() * (NOVEMBER - OCTOBER),
                owner=rng.choice(OWNERS),
                route=route,
                outcome=outcome,
                usage=usage,
                duration_us=rng.randint(1_000, 90_000_000),
            )
        )
    return heard


def price_of(call: Sighting, meter: str) -> Decimal | None:
    prompt = sum(call.usage.get(name, 0) for name in ("input", "cache_read"))
    found: Decimal | None = None
    for provider, model, of, above, price, start, end in PRICES:
        if (provider, model, of) != (call.route.provider, call.route.model, meter):
            continue
        fits = above == 0 or prompt > above
        if fits and start <= call.start_at and (end is None or call.start_at < end):
            found = Decimal(price)  # the larger above_tokens stands later in the list
    # A cache nobody sells cheaper is sold as input.
    return price_of(call, "input") if found is None and meter == "cache_read" else found


def cost_of(call: Sighting) -> Decimal | None:
    """What one call costs by the price book; None where that is not known."""
    lines = [(price_of(call, meter), count) for meter, count in call.usage.items() if count]
    if any(price is None for price, _ in lines):
        return None
    return sum(((price or 0) * count / Decimal(10**6) for price, count in lines), Decimal(0))


def in_pool(call: Sighting) -> bool:
    return call.route is OURS and POOL_FROM <= call.start_at < POOL_TO


class Oracle:
    """Adds up calls under a grouping."""

    def __init__(self, dimensions: list[str]) -> None:
        self.dimensions = dimensions
        self.rows: dict[tuple[Any, ...], dict[str, Any]] = defaultdict(
            lambda: {"calls": 0, "errors": 0, "unpriced_calls": 0, "cost": None, "in": 0, "out": 0}
        )

    def add(self, call: Sighting) -> None:
        values: Mapping[str, Any] = {
            "day": call.start_at.date().isoformat(),
            **{name: getattr(call.owner, name) for name in ("team", "project", "feature")},
            **{name: getattr(call.route, name) for name in ("provider", "model", "deployment")},
        }
        row = self.rows[tuple(values[name] for name in self.dimensions)]
        row["calls"] += 1
        row["errors"] += call.outcome is not Outcome.OK
        row["in"] += call.usage.get("input", 0)
        row["out"] += call.usage.get("output", 0)
        if in_pool(call):
            return
        cost = cost_of(call)
        silent = call.outcome is Outcome.OK and not call.usage
        row["unpriced_calls"] += silent or cost is None
        if cost is not None and any(call.usage.values()):
            row["cost"] = (row["cost"] or Decimal(0)) + cost


@pytest.fixture
def client(database: Database) -> Iterator[TestClient]:
    with TestClient(create_app(database, ApiSettings(), lambda: NOVEMBER)) as opened:
        yield opened


def settle(database: Database) -> None:
    context = JobContext(database, now=NOVEMBER, by_hand=True)
    roll.run(context)
    charge.run(context)
    reprice.run(context)


def post_prices(client: TestClient) -> None:
    lines = [
        {
            "provider": provider,
            "model": model,
            "meter": meter,
            "above_tokens": above,
            "unit_price": price,
            "currency": "USD",
            "valid_from": start.isoformat(),
            **({"valid_to": end.isoformat()} if end else {}),
        }
        for provider, model, meter, above, price, start, end in PRICES
    ]
    answer = client.post("/v1/prices", json=lines)
    assert answer.status_code == 201, answer.text


def post_pool(client: TestClient) -> None:
    answer = client.post(
        "/v1/pools",
        json={
            "name": "our gpus",
            "cost_per_hour": str(RATE),
            "currency": "USD",
            "from": POOL_FROM.isoformat(),
            "to": POOL_TO.isoformat(),
            "match": {"provider": ["vllm"], "model": ["our-llama"]},
        },
    )
    assert answer.status_code == 201, answer.text


def spend(client: TestClient, dimensions: list[str], **filters: str) -> dict[str, Any]:
    answer = client.get(
        "/v1/spend",
        params={
            "from": "2026-10-01",
            "to": "2026-11-01",
            "group_by": ",".join(dimensions),
            **filters,
        },
    )
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.mark.one_server
@pytest.mark.parametrize("prices_come", ["before the calls", "after the calls"])
def test_every_cell_agrees_with_one_call_at_a_time(
    database: Database, client: TestClient, prices_come: str
) -> None:
    rng = random.Random(20261001)
    month = a_month(rng, 500)
    if prices_come == "before the calls":
        post_prices(client)
        post_pool(client)
    pieces = [*month, *rng.sample(month, 60)]
    rng.shuffle(pieces)
    while pieces:
        size = rng.randint(1, 80)
        hear(database, pieces[:size], received_at=NOON)
        del pieces[:size]
        if rng.random() < 0.4:
            settle(database)
    settle(database)
    if prices_come == "after the calls":
        post_prices(client)
        post_pool(client)
        settle(database)

    for dimensions in (
        ["day", "team", "provider", "model"],
        ["team"],
        ["team", "feature", "project"],
        ["provider", "model", "deployment"],
        ["day"],
    ):
        oracle = Oracle(dimensions)
        for call in month:
            oracle.add(call)
        compare(spend(client, dimensions), oracle)


def compare(body: dict[str, Any], oracle: Oracle) -> None:
    """Rows without a pool's share must be equal; those with one are compared below."""
    pooled = "provider" not in oracle.dimensions
    rows = {tuple(row[name] for name in oracle.dimensions): row for row in body["rows"]}
    for key, expected in oracle.rows.items():
        row = rows.pop(key)
        assert (row["calls"], row["errors"]) == (expected["calls"], expected["errors"]), key
        assert row["usage"]["input_tokens"] == expected["in"], key
        assert row["usage"]["output_tokens"] == expected["out"], key
        assert row["unpriced_calls"] == expected["unpriced_calls"], key
        if not pooled and OURS.model not in key:
            cost = None if row["cost"] is None else Decimal(row["cost"])
            assert cost == expected["cost"], key
    assert all(row["calls"] == 0 for row in rows.values()), "what is left is idle capacity"
    costs = [Decimal(row["cost"]) for row in body["rows"] if row["cost"] is not None]
    assert sum(costs) == Decimal(body["total"]["cost"])


@pytest.mark.one_server
def test_the_shares_of_a_pool_and_its_idle_hours_are_its_cost(
    database: Database, client: TestClient
) -> None:
    rng = random.Random(4)
    month = a_month(rng, 300)
    post_pool(client)
    hear(database, month[:200])
    settle(database)
    hear(database, month[200:])
    settle(database)
    by_team = spend(client, ["team"], provider="vllm")
    hours = (POOL_TO - POOL_FROM) // timedelta(hours=1)
    assert Decimal(by_team["total"]["cost"]) == hours * RATE
    costs = {row["team"]: Decimal(row["cost"] or 0) for row in by_team["rows"]}
    assert sum(costs.values()) == hours * RATE
    # By hand: in each hour a call's work is its part of the time that somebody was served.
    expected: dict[str, Decimal] = defaultdict(Decimal)
    by_hour: dict[datetime, list[Sighting]] = defaultdict(list)
    for call in filter(in_pool, month):
        by_hour[call.start_at.replace(minute=0, second=0, microsecond=0)].append(call)
    for calls in by_hour.values():
        busy = min(
            Decimal(sum(call.duration_us or 0 for call in calls)) / 3_600_000_000, Decimal(1)
        )
        work = {
            call.span_id: call.usage.get("input", 0) + 4 * call.usage.get("output", 0)
            for call in calls
        }
        for call in calls:
            if sum(work.values()):
                share = RATE * busy * work[call.span_id] / sum(work.values())
                expected[call.owner.team] += share
    for team, cost in expected.items():
        assert abs(costs[team] - cost) < Decimal("1e-9"), team
    assert costs["idle"] > 0


def test_a_corrected_price_corrects_the_ledger_when_it_is_re_priced(
    database: Database, client: TestClient
) -> None:
    calls = [
        sighting(at, at, route=PLAIN, usage={"input": 10**6, "output": 0}) for at in range(1, 4)
    ]
    post_prices(client)
    hear(database, calls)
    settle(database)
    assert Decimal(spend(client, ["team"])["total"]["cost"]) == 3 * Decimal("0.070001")
    line = {
        "provider": "mistral", "model": "plain-1", "meter": "input", "unit_price": "0.09",
        "currency": "USD", "valid_from": OCTOBER.isoformat(),
    }  # fmt: skip
    assert client.post("/v1/prices", json=line).status_code == 201
    settle(database)
    assert Decimal(spend(client, ["team"])["total"]["cost"]) == 3 * Decimal("0.070001")
    asked = {"from": OCTOBER.isoformat(), "to": NOVEMBER.isoformat()}
    assert client.post("/v1/repricings", json=asked).status_code == 202
    settle(database)
    settle(database)
    assert Decimal(spend(client, ["team"])["total"]["cost"]) == 3 * Decimal("0.09")


@pytest.mark.one_server
def test_lines_add_up_to_the_total_at_every_grouping(
    database: Database, client: TestClient
) -> None:
    rng = random.Random(9)
    post_prices(client)
    post_pool(client)
    hear(database, a_month(rng, 200))
    settle(database)
    names = ["day", "month", "team", "project", "service", "environment", "feature", "customer",
             "provider", "model", "operation", "deployment", "region"]  # fmt: skip
    groupings = chain(([name] for name in names), (rng.sample(names, 3) for _ in range(12)))
    totals = set()
    for grouping in groupings:
        body = spend(client, grouping)
        costs = [Decimal(row["cost"]) for row in body["rows"] if row["cost"] is not None]
        assert sum(costs) == Decimal(body["total"]["cost"])
        for field in ("calls", "errors", "unpriced_calls"):
            assert sum(row[field] for row in body["rows"]) == body["total"][field]
        totals.add(body["total"]["cost"])
    assert len(totals) == 1
