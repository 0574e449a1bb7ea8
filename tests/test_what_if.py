"""Real calls on another model: cells are rated as their calls would be, one by one."""

import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from filled_ledger import CLAUDE, GPT, LLAMA, SEARCH, SUPPORT, asking, at, put_cell, put_charge
from sqlalchemy import select

from jobs.charging import charge
from jobs.context import JobContext
from spend.calls import Outcome, Owner, Route
from spend.capacity.pool_files import pool_of_fields
from spend.capacity.what_if_terms import Terms, adjusted
from spend.meters import INPUTS
from spend.prices.bands import band_of
from spend.prices.prices import CONTRACT, PriceLine
from store.access.keys import create_key
from store.capacity import pools
from store.postgres.sessions import Database
from store.prices import books
from store.tables.ledger import charges
from store.tables.prices import prices
from store.tables.rollups import cells
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

CHANGED = at("2026-10-10T06:15")
# Meter, above how many tokens: before the change, from then on. None: no price of its own.
BIG: dict[tuple[str, int], tuple[str | None, str | None]] = {
    ("input", 0): ("2.5", "3"),
    ("input", 128_000): ("5", "7.000001"),
    ("cache_read", 0): (None, "0.3"),
    ("output", 0): ("10", "10"),
    ("output", 128_000): ("20", "21"),
    ("output_audio", 0): ("80", None),
}
FALLS_BACK = {"cache_read", "cache_write", "cache_write_5m", "cache_write_1h"}


def enter(database: Database, model: str, lines: dict[tuple[str, int], Any], **more: Any) -> None:
    spans = ((at("2026-01-01"), CHANGED), (CHANGED, None))
    said = [
        PriceLine(
            book=CONTRACT,
            provider="acme",
            model=model,
            meter=meter,
            unit_price=Decimal(unit_price),
            currency="USD",
            valid_from=span[0],
            valid_to=span[1],
            above_tokens=above,
            source="test",
            **more,
        )
        for (meter, above), unit_prices in lines.items()
        for span, unit_price in zip(spans, unit_prices, strict=True)
        if unit_price is not None
    ]
    with database.write() as session:
        books.enter_contract(session, TENANT, said, now=at("2026-01-01"))


@dataclass(frozen=True)
class Call:
    at: datetime
    owner: Owner
    route: Route
    outcome: Outcome
    usage: dict[str, int]

    @property
    def prompt(self) -> int:
        return sum(self.usage.get(name, 0) for name in INPUTS)

    @property
    def team(self) -> str:
        return self.owner.team


def some_calls(chance: random.Random, count: int) -> list[Call]:
    made = []
    for _ in range(count):
        output = chance.randrange(5000)
        usage = {
            "input": chance.choice([0, 100, 90_000, 127_999, 128_000, 128_001, 300_000]),
            "cache_read": chance.choice([0, 0, 1, 50_000]),
            "cache_write_1h": chance.choice([0, 0, 777]),
            "output": output,
            "output_audio": chance.choice([0, 0, output // 3]),
        }
        made.append(
            Call(
                at("2026-10-08") + chance.randrange(12) * timedelta(hours=8),
                chance.choice([SEARCH, SUPPORT]),
                chance.choice([GPT, CLAUDE]),
                chance.choice([Outcome.OK, Outcome.OK, Outcome.TIMEOUT]),
                usage,
            )
        )
    return made


def cost_on_big(call: Call) -> Decimal:
    """By hand, call by call."""
    age = call.at >= CHANGED
    parts = dict(call.usage)
    audio = BIG["output_audio", 0][age]
    if audio is None:
        parts.pop("output_audio")
    else:
        parts["output"] -= parts["output_audio"]
    total = Decimal(0)
    for meter, quantity in parts.items():
        priced = meter
        if meter in FALLS_BACK and BIG.get((meter, 0), (None, None))[age] is None:
            priced = "input"
        edge = 128_000 if call.prompt > 128_000 and (priced, 128_000) in BIG else 0
        unit_price = BIG[priced, edge][age]
        assert unit_price is not None
        total += Decimal(unit_price) * quantity / 10**6
    return total


def put_calls(database: Database, calls: list[Call]) -> None:
    alike: dict[Any, list[Call]] = defaultdict(list)
    for call in calls:
        key = (call.at, call.owner, call.route, call.outcome, band_of(call.prompt))
        alike[key].append(call)
    with database.write() as session:
        for (slot, owner, route, outcome, band), group in alike.items():
            usage: dict[str, Any] = {
                name: sum(each.usage[name] for each in group) for name in group[0].usage
            }
            put_cell(
                session,
                slot.isoformat(),
                owner,
                route,
                calls=len(group),
                outcome=outcome,
                band=band,
                **usage,
            )


def ask(database: Database, **said: Any) -> Any:
    body = {"from": "2026-10-01", "to": "2026-11-01", "timezone": "UTC"} | said
    answer = asking(database, now="2026-10-21").post("/v1/what-if", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_every_group_costs_what_its_calls_would_one_by_one(database: Database) -> None:
    enter(database, "big", BIG)
    calls = some_calls(random.Random(5), 600)
    put_calls(database, calls)
    found = ask(database, group_by=["team", "model", "day"], targets=[{"to": "acme/big"}])
    rows = {(row["team"], row["model"], row["day"]): row for row in found["rows"]}
    truth: dict[Any, Decimal] = defaultdict(Decimal)
    for call in calls:
        truth[call.team, call.route.model, f"{call.at:%Y-%m-%d}"] += cost_on_big(call)
    assert len(truth) == 16
    assert {key: Decimal(row["there"][0]["cost"]) for key, row in rows.items()} == truth
    assert Decimal(found["targets"][0]["cost"]) == sum(truth.values())
    assert found["targets"][0]["unpriced_calls"] == 0
    late = ask(database, team=["search"], targets=[{"to": "acme/big", "prices_at": "2026-10-09"}])
    assert Decimal(late["targets"][0]["cost"]) == sum(
        (
            cost_on_big(Call(at("2026-10-09"), call.owner, call.route, call.outcome, call.usage))
            for call in calls
            if call.owner == SEARCH
        ),
        Decimal(0),
    )


def test_the_difference_is_of_calls_that_have_a_price_on_both_sides(database: Database) -> None:
    enter(database, "small", {("input", 0): ("1", "1")})
    with database.write() as session:
        put_cell(session, "2026-10-20", SEARCH, GPT, calls=2, input=10**6)
        put_charge(session, "2026-10-20", "2.5", SEARCH, GPT)
        # It has no price here, and would cost $3 there.
        put_cell(session, "2026-10-20", SEARCH, CLAUDE, calls=4, unpriced=4, input=3 * 10**6)
        # It has a price here, and its output none there.
        put_cell(session, "2026-10-20", SUPPORT, GPT, calls=1, input=10**6, output=5)
        put_charge(session, "2026-10-20", "7", SUPPORT, GPT)
        put_cell(session, "2026-10-20T00:15", SUPPORT, GPT, calls=1, unmetered=1, unpriced=1)
    found = ask(database, group_by=["team"], targets=[{"to": "acme/small"}])
    rows = {row["team"]: row for row in found["rows"]}
    assert rows["search"]["there"] == [
        {
            "cost": "4.00",
            "cost_low": "4.00",
            "cost_high": "4.00",
            "cost_of_unpriced": "3.00",
            "difference": "-1.50",
            "unpriced_calls": 0,
            "unpriced_tokens": 0,
        }
    ]
    support = rows["support"]["there"][0]
    assert (support["cost"], support["difference"]) == (None, None)
    assert (support["unpriced_calls"], support["unpriced_tokens"]) == (2, 10**6 + 5)
    assert found["targets"][0]["missing"] == ["output"]
    assert found["targets"][0]["difference"] is None


def test_calls_on_a_pool_are_held_with_their_part_of_its_idle_cost(database: Database) -> None:
    enter(database, "small", {("input", 0): ("1", "1")})
    with database.write() as session:
        for owner, amount in ((SEARCH, "3"), (SUPPORT, "1")):
            put_cell(session, "2026-10-20", owner, GPT, input=10**6)
            put_charge(session, "2026-10-20", amount, owner, GPT, meter="pool", pool_id=1)
        idle = Owner(team="idle")
        put_charge(session, "2026-10-20", "8", idle, GPT, meter="idle", pool_id=1)
    found = ask(database, group_by=["team"], targets=[{"to": "acme/small"}])
    rows = {row["team"]: (row["cost"], row["idle_cost"]) for row in found["rows"]}
    # On the usage basis search pays $3, and an API at $4 would look dear.
    assert rows == {"search": ("9.00", "6.00"), "support": ("3.00", "2.00")}
    assert found["targets"][0]["difference"] == "-10.00"
    with database.write() as session:
        # What a commitment that nobody used cost is no call's either.
        unused = Owner(team="unused")
        put_charge(session, "2026-10-20", "100", unused, GPT, meter="unused", commitment_id=1)
    every = ask(database, targets=[{"to": "acme/small"}])
    assert every["here"]["cost"] == "12.00"
    alone = ask(database, team=["search"], targets=[{"to": "acme/small"}])
    assert alone["here"]["cost"] == "9.00"


def test_a_pool_takes_as_many_machines_as_the_busiest_hour_needs(database: Database) -> None:
    now = at("2026-10-20T12:05")
    said = {
        "name": "llama",
        "cost_per_hour": "10",
        "from": "2026-10-20T08:00",
        "match": {"provider": ["vllm"]},
        "capacity_per_hour": "1000",
    }
    with database.write() as session:
        pools.declare(session, TENANT, pool_of_fields(said, currency="USD", now=now))
        put_cell(session, "2026-10-20T09:00", SEARCH, LLAMA, charged=False, input=500)
        put_cell(session, "2026-10-20T09:15", SUPPORT, GPT, unpriced=1, input=500, output=250)
        put_cell(session, "2026-10-20T11:00", SEARCH, GPT, input=250)
    charge.run(JobContext(database=database, now=now))
    day = {"from": "2026-10-20T08:00:00Z", "to": "2026-10-20T12:00:00Z", "group_by": ["team"]}
    to = [{"pool": "llama"}]
    moved = ask(database, **day, provider=["openai"], targets=to)
    # 500 + 1,500 in one hour take two machines, for four hours: $80 for 2,250 units of work.
    pool = {"machines": 2, "busiest_hour": "2026-10-20T09:00:00Z", "extra_cost": "40.00"}
    assert moved["targets"][0]["pool"] == pool
    costs = {row["team"]: row["there"][0]["cost"] for row in moved["rows"]}
    assert costs == {"support": "53.333333333333", "search": "8.888888888889"}
    assert moved["targets"][0]["cost_of_unpriced"] == "53.333333333333"
    # With what runs there already, they bear all of it.
    every = ask(database, **day, targets=to)
    assert (every["targets"][0]["cost"], every["targets"][0]["pool"]) == ("80.00", pool)
    stays = ask(database, **day, provider=["vllm"], targets=to)
    assert (stays["targets"][0]["cost"], stays["targets"][0]["difference"]) == ("40.00", "0.00")


def test_the_batch_tier_of_the_same_model_is_a_target(database: Database) -> None:
    enter(database, "big", {("input", 0): ("2", "2"), ("output", 0): ("8", "8")})
    enter(database, "big", {("input", 0): ("1", "1")}, service_tier="batch")
    with database.write() as session:
        put_cell(session, "2026-10-20", SEARCH, GPT, input=10**6, output=10**6)
    found = ask(database, targets=[{"to": "acme/big"}, {"to": "acme/big", "service_tier": "batch"}])
    plain, batch = found["targets"]
    assert (plain["cost"], batch["cost"]) == ("10.00", "9.00")
    assert "There is no batch price of output: the ordinary one is taken." in batch["assumptions"]


def test_volume_steps_are_counted_by_month_and_shared(database: Database) -> None:
    enter(database, "vast", {("input", 0): ("2", "2")})
    enter(database, "vast", {("input", 0): ("1", "1")}, above_monthly=10**6)
    with database.write() as session:
        for slot, owner, used in (
            ("2026-09-30T23:45", SEARCH, 10**6),
            ("2026-10-20", SEARCH, 3 * 10**6),
            ("2026-10-21", SUPPORT, 10**6),
        ):
            put_cell(session, slot, owner, GPT, input=used)
    asked = {"from": "2026-09-01", "group_by": ["team"], "targets": [{"to": "acme/vast"}]}
    found = ask(database, **asked)
    # September: $2. October: a million at $2 and three at $1, shared 3 to 1.
    costs = {row["team"]: row["there"][0]["cost"] for row in found["rows"]}
    assert costs == {"search": "5.75", "support": "1.25"}
    assert "volume steps" in " ".join(found["targets"][0]["assumptions"])


@pytest.mark.parametrize(
    ("terms", "there"),
    [
        ({}, {"input": 600, "cache_read": 200, "cache_write": 100, "output": 10}),
        ({"tokenizer": "1.255"}, {"input": 753, "cache_read": 251, "output": 13}),
        ({"output": "0.5"}, {"input": 600, "output": 5}),
        ({"keeps_cache": False}, {"input": 900, "cache_read": 0, "cache_write": 0}),
        ({"cache_hit_change": "0.1"}, {"input": 520, "cache_read": 280, "cache_write": 100}),
        ({"cache_hit_change": "-1"}, {"input": 800, "cache_read": 0}),
        ({"cache_hit_change": "1"}, {"input": 0, "cache_read": 800}),
    ],
)
def test_usage_changes_as_it_was_asked_to(terms: dict[str, Any], there: dict[str, int]) -> None:
    said: dict[str, Any] = {
        name: Decimal(value) if isinstance(value, str) else value for name, value in terms.items()
    }
    usage = {"input": 600, "cache_read": 200, "cache_write": 100, "output": 10, "images": 3}
    asked = Terms(**said)
    found = adjusted(usage, asked, asked.tokenizer)
    assert {name: found[name] for name in there} == there
    assert found["images"] == 3


def test_a_range_of_tokenizers_is_told_beside_the_figure(database: Database) -> None:
    enter(database, "small", {("input", 0): ("1", "1")})
    with database.write() as session:
        put_cell(session, "2026-10-20", SEARCH, GPT, input=10**6)
    target = {"tokenizer": "1.1", "tokenizer_low": "0.9", "tokenizer_high": "1.4"}
    [found] = ask(database, targets=[{"to": "acme/small"} | target])["targets"]
    assert (found["cost_low"], found["cost"], found["cost_high"]) == ("0.90", "1.10", "1.40")
    assert "1.1 tokens there for one here, 0.9 to 1.4." in found["assumptions"]


def test_nothing_is_written(database: Database) -> None:
    enter(database, "small", {("input", 0): ("1", "1")})
    with database.write() as session:
        put_cell(session, "2026-10-20", SEARCH, GPT, input=10**6, charged=False)

    def kept() -> list[Any]:
        with database.read() as session:
            return [session.execute(select(table)).all() for table in (charges, prices, cells)]

    before = kept()
    ask(database, targets=[{"to": "acme/small"}])
    assert kept() == before


def test_a_read_key_will_do_and_a_key_of_one_team_sees_that_team(database: Database) -> None:
    enter(database, "small", {("input", 0): ("1", "1")})
    with database.write() as session:
        for owner in (SEARCH, SUPPORT):
            put_cell(session, "2026-10-20", owner, GPT, input=10**6)
        named = {"kind": "read", "name": "board", "team": "search"}
        since = at("2026-10-01")
        key = create_key(session, tenant=TENANT, pepper=b"pepper", now=since, **named)
    client = asking(database, now="2026-10-21", key_pepper=b"pepper")
    bearer = {"Authorization": f"Bearer {key}"}
    body: dict[str, Any] = {"group_by": ["team"], "targets": [{"to": "acme/small"}]}
    answer = client.post("/v1/what-if", json=body, headers=bearer)
    assert [row["team"] for row in answer.json()["rows"]] == ["search"]
    for refused in (body | {"team": ["support"]}, body | {"targets": [{"pool": "llama"}]}):
        assert client.post("/v1/what-if", json=refused, headers=bearer).status_code == 403


def test_what_makes_no_sense_is_refused_by_name(database: Database) -> None:
    enter(database, "small", {("input", 0): ("1", "1")})
    client = asking(database)
    good = {"to": "acme/small"}
    for said, told in (
        ({}, "targets"),
        ({"targets": []}, "targets"),
        ({"targets": [{"to": "acme"}]}, "targets.0.to"),
        ({"targets": [{}]}, "targets.0.to"),
        ({"targets": [good | {"pool": "llama"}]}, "targets.0.to"),
        ({"targets": [{"pool": "llama"}]}, "targets.0.pool"),
        ({"targets": [good, {"to": "acme/none"}]}, "targets.1.to"),
        ({"targets": [good | {"tokenizer": "0"}]}, "targets.0.tokenizer"),
        ({"targets": [good | {"tokenizer": "1e3"}]}, "targets.0.tokenizer"),
        ({"targets": [good | {"tokenizer_low": "2"}]}, "targets.0.tokenizer"),
        ({"targets": [good | {"cache_hit_change": "2"}]}, "targets.0.cache_hit_change"),
        ({"targets": [good], "group_by": ["colour"]}, "group_by"),
        ({"targets": [good], "colour": "red"}, "colour"),
    ):
        answer = client.post("/v1/what-if", json=said)
        assert answer.status_code == 422, said
        assert told in answer.text
