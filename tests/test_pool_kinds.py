"""Pools of every kind, as docs/pools.md declares them, cost what it says they cost."""

import re
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from filled_ledger import asking, at, put_cell
from sqlalchemy import func, select

from app.commands import pools as pools_command
from jobs.charging import charge
from jobs.context import JobContext
from spend.calls import Owner, Route
from spend.capacity.pool_costs import hour_cost
from spend.capacity.pool_files import (
    PoolRefusedError,
    fields_of_pool,
    pool_of_fields,
    pools_of_file,
)
from spend.capacity.pools import Pool, hour_of
from spend.capacity.splitting import busy_of, split_hour, weigh, weight_of_call
from store.capacity import pools
from store.postgres.sessions import Database
from store.tables.heard import owners
from store.tables.ledger import charges
from store.tenants import TENANT

DOCS = (Path(__file__).parent.parent / "docs" / "pools.md").read_text()
NOW = at("2026-10-20T12:05")


def documented(name: str) -> Pool:
    for block in re.findall(r"```toml\n(.*?)```", DOCS, re.DOTALL):
        if f'name = "{name}"' in block:
            return pools_of_file(block, toml=True, currency="USD", now=NOW, began={})[0]
    raise LookupError(name)


def run(database: Database, pool: Pool, now: datetime) -> None:
    with database.write() as session:
        pools.declare(session, TENANT, pool)
        assert pools.all_pools(session, TENANT)[0] == pools.pool_by_id(session, TENANT, 1)
    charge.run(JobContext(database=database, now=now))


def teams(database: Database, start: str, hours: int, basis: str = "amount") -> dict[str, str]:
    """Team -> what it is charged, to the cent."""
    with database.read() as session:
        found = session.execute(
            select(owners.c.team, func.sum(charges.c[basis]))
            .join(owners, owners.c.id == charges.c.owner_id)
            .where(charges.c.slot >= at(start), charges.c.slot < at(start) + timedelta(hours=hours))
            .group_by(owners.c.team)
        )
        return {team: f"{amount:.2f}" for team, amount in found if amount}


@pytest.mark.one_server
def test_a_rented_pool(database: Database) -> None:
    pool = documented("llama on 8 x H100")
    route = Route(provider="vllm", model="llama-3.3-70b", deployment="self-hosted")
    with database.write() as session:
        for team, calls, input_, output in (
            ("rag", 900, 8000, 200),
            ("chat", 1500, 600, 700),
            ("agent", 200, 30_000, 1500),
        ):
            usage = {"input": calls * input_, "output": calls * output, "cache_read": 5}
            slot, owner = "2026-10-01T00:15", Owner(team)
            put_cell(session, slot, owner, route, charged=False, calls=calls, **usage)
    run(database, pool, at("2026-10-01T00:20"))
    told = teams(database, "2026-10-01", 1)
    assert told == {"rag": "7.69", "chat": "4.95", "agent": "6.99", "idle": "29.60"}
    assert teams(database, "2026-10-01", 1, "billed_amount") == told
    assert all(amount in DOCS for amount in told.values())


def test_an_owned_pool() -> None:
    pool = documented("own server")
    day, night = (
        hour_cost(pool.costs, at(f"2026-10-05T{hour}"), Fraction(0), {})
        for hour in ("17:00", "08:00")
    )
    rows = [[f"{part.amount:.2f}" for part in each.parts] for each in (day, night)]
    for part, by_day, by_night in zip(day.parts, *rows, strict=True):
        assert f"| {part.name} | {by_day} | {by_night} |" in DOCS
    together, billed = ([f"{each.amount:.2f}", f"{each.billed:.2f}"] for each in (day, night))
    assert f"| together | {together[0]} | {billed[0]} | {together[1]}, {billed[1]} |" in DOCS


@pytest.mark.one_server
def test_a_provisioned_pool(database: Database) -> None:
    pool = documented("gpt-4.1 on 50 PTU")
    assert pool.capacity_at(pool.valid_from) == 9_000_000
    azure = Route(provider="azure", model="gpt-4.1", server="own-ptu.openai.azure.com")
    spilled = Route(provider="azure", model="gpt-4.1", server="paygo.openai.azure.com")
    with database.write() as session:
        for owner, route, usage in (
            (Owner("search"), azure, {"input": 3_000_000, "output": 150_000}),
            (Owner("support"), azure, {"input": 900_000}),
            (Owner("support"), spilled, {"input": 900_000}),
        ):
            put_cell(session, "2026-10-01T00:15", owner, route, charged=False, **usage)
    run(database, pool, at("2026-10-01T00:20"))
    assert teams(database, "2026-10-01", 1) == {
        "search": "20.00",
        "support": "5.00",
        "idle": "25.00",
    }
    assert "search 20.00, support 5.00, idle 25.00" in DOCS


@pytest.mark.one_server
def test_a_subscription(database: Database) -> None:
    pool = documented("assistant")
    copilot = Route(provider="github", model="gpt-4.1")
    with database.write() as session:
        put_cell(session, "2026-10-01T00:15", Owner("other"), copilot, charged=False, input=9)
    run(database, pool, at("2026-10-31T23:30"))
    # October of Berlin, less its first two hours, which are of September in UTC.
    hour = Decimal(600) / 745
    told = {
        team: f"{hour * 743 * seats / 20:.2f}"
        for team, seats in (("search", 12), ("support", 5), ("idle", 3))
    }
    assert teams(database, "2026-10-01", 743) == told
    month = datetime(2026, 9, 30, 22, tzinfo=UTC)
    whole = [
        hour_cost(pool.costs, month + timedelta(hours=number), Fraction(0), {})
        for number in range(745)
    ]
    assert sum(each.amount for each in whole) == 600
    assert "search 360.00, support 150.00, idle 90.00" in DOCS


def test_units_that_have_ended_can_do_nothing_and_seats_of_nobody_are_idle() -> None:
    pool = documented("gpt-4.1 on 50 PTU")
    ended = replace(pool, components=(replace(pool.components[0], valid_to=pool.valid_from),))
    assert ended.capacity_at(pool.valid_from) == 0
    assert busy_of(Decimal(0), Decimal(0), 0).share == 0
    assert busy_of(Decimal(5), Decimal(0), 0).share == 1


RAG = {"input": 90_000, "output": 1_000, "prefill_ms": 60_000, "decode_ms": 100_000}
CHAT = {"input": 10_000, "output": 9_000, "prefill_ms": 40_000, "decode_ms": 200_000}


@pytest.mark.parametrize(
    ("method", "parts"),
    [
        ("prefill-decode-v1", ["3.00", "7.00"]),
        ("work-units-v1", ["6.71", "3.29"]),
        ("tokens-v1", ["8.27", "1.73"]),
        ("gpu-seconds-v1", ["4.00", "6.00"]),
    ],
)
def test_an_hour_is_split_by_its_method(method: str, parts: list[str]) -> None:
    weights = weigh(method, [RAG, CHAT])
    split = split_hour(Decimal(10), weights.weights, busy_of(Decimal(1), Decimal(1), 0))
    assert weights.method == method
    assert [f"{part:.2f}" for part in split.parts] == parts
    of_calls = [
        weight_of_call(each, weights.method, weights.input, weights.output) for each in (RAG, CHAT)
    ]
    assert Fraction(of_calls[0]) / Fraction(of_calls[1]) == Fraction(*weights.weights)
    if method in {"prefill-decode-v1", "work-units-v1"}:
        assert all(part in DOCS for part in parts)


def test_where_a_servers_times_are_missing_work_units_stand_in() -> None:
    untimed = {"input": 10, "output": 5}
    nothing = {"cache_read": 10}
    assert weigh("gpu-seconds-v1", [RAG, untimed]).method == "work-units-v1"
    assert weigh("gpu-seconds-v1", [RAG, nothing]).method == "gpu-seconds-v1"
    assert weigh("prefill-decode-v1", [RAG, untimed]).method == "prefill-decode-v1"
    assert weigh("prefill-decode-v1", [untimed]).method == "work-units-v1"
    reads = {"input": 10, "prefill_ms": 3}
    assert weigh("prefill-decode-v1", [reads, nothing]).weights == (30, 0)
    assert weigh("prefill-decode-v1", []).weights == ()


@pytest.mark.one_server
def test_lines_say_by_which_method_their_hour_was_split(database: Database) -> None:
    said = {"name": "x", "cost_per_hour": "10", "capacity_per_hour": "1000", "from": "2026-10-01"}
    match: dict[str, Any] = {"match": {"provider": ["vllm"]}, "method": "gpu-seconds-v1"}
    route, found = Route(provider="vllm", model="m"), defaultdict(set)
    with database.write() as session:
        timed, search = {"prefill_ms": 5, "decode_ms": 7}, Owner("search")
        put_cell(session, "2026-10-01T00:15", search, route, charged=False, input=500, **timed)
        put_cell(session, "2026-10-01T01:15", search, route, charged=False, input=500)
    run(database, pool_of_fields(said | match, currency="USD", now=NOW), at("2026-10-01T01:20"))
    with database.read() as session:
        for slot, method in session.execute(select(charges.c.slot, charges.c.method)):
            found[slot.hour].add(method)
    assert found == {0: {"gpu-seconds-v1"}, 1: {"work-units-v1"}}


def test_without_seats_of_teams_a_subscription_is_split_by_use() -> None:
    pool = documented("assistant")
    said = {**fields_of_pool(pool), "name": "a", "kind": "subscription", "match": {"model": ["*"]}}
    del said["seats"]
    assert pool_of_fields(said, currency="USD", now=NOW).method == "work-units-v1"


SEATS = [{"kind": "seats", "amount": "30", "per": "month", "quantity": 20}]
RENT = [{"kind": "rental", "amount": "1", "per": "hour"}]
UNITS = [{"kind": "units", "amount": "1", "per": "hour", "quantity": 5}]
POWER = {"kind": "energy", "watts": 1, "tariff": "t"}
ENDS = [{"name": "t", "to": "2026-12-01", "rates": [{"price": 1}]}]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({}, "cost_per_hour"),
        ({"cost_per_hour": "1", "components": RENT}, "cost_per_hour"),
        ({"components": []}, "components"),
        ({"components": [POWER | {"tariff": "x"}]}, "components[1].tariff"),
        ({"components": [*RENT, POWER], "tariffs": ENDS}, "components[2].tariff"),
        ({"kind": "magic", "components": RENT}, "kind"),
        ({"kind": "owned", "cost_per_hour": "1"}, "components"),
        ({"kind": "owned", "components": RENT}, "components"),
        ({"kind": "provisioned", "components": RENT}, "components"),
        ({"kind": "subscription", "components": UNITS}, "components"),
        ({"components": [*RENT, *SEATS]}, "components"),
        ({"kind": "rented", "components": UNITS}, "components"),
        (
            {"components": [RENT[0] | {"to": "2026-10-01", "from": "2026-09-01"}]},
            "components[1].from",
        ),
        ({"components": RENT, "capacity_per_unit": 1}, "capacity_per_unit"),
        (
            {
                "kind": "provisioned",
                "components": UNITS,
                "capacity_per_unit": 1,
                "capacity_per_hour": 1,
            },
            "capacity_per_hour",
        ),
        ({"components": RENT, "seats": {"a": 1}}, "seats"),
        ({"kind": "subscription", "components": SEATS, "seats": {"a": 21}}, "seats"),
        ({"kind": "subscription", "components": SEATS, "seats": {"a": -1}}, "seats.a"),
        ({"kind": "subscription", "components": SEATS, "seats": {"a": "1.5"}}, "seats.a"),
        ({"kind": "subscription", "components": SEATS, "seats": {"Idle": 1}}, "seats.Idle"),
        ({"kind": "subscription", "components": SEATS, "seats": {}}, "seats"),
        (
            {"kind": "subscription", "components": SEATS, "seats": {"a": 1}, "method": "tokens-v1"},
            "method",
        ),
        ({"cost_per_hour": "1", "method": "seats-v1"}, "seats"),
        ({"cost_per_hour": "1", "method": "guess-v1"}, "method"),
        ({"cost_per_hour": "1", "output_weight": 0}, "output_weight"),
        ({"cost_per_hour": "1", "zone": "Mars/Base"}, "zone"),
        ({"cost_per_hour": "1", "tariffs": [{"name": "t"}]}, "tariffs[1].rates"),
    ],
)
def test_a_pool_that_contradicts_itself_is_refused_by_its_field(
    said: dict[str, Any], field: str
) -> None:
    common = {"name": "x", "match": {"model": ["*"]}, "from": "2026-11-01"}
    with pytest.raises(PoolRefusedError) as refused:
        pool_of_fields(common | said, currency="USD", now=NOW)
    assert refused.value.field == field


@pytest.mark.one_server
def test_a_dry_run_shows_the_difference_by_team_and_books_nothing(
    database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPANLEDGER_DATABASE_URL", database_url)

    def told(*arguments: str) -> str:
        return CliRunner().invoke(pools_command.command, arguments).output

    start = hour_of(datetime.now(UTC)) - timedelta(hours=2)
    said = f"""
        [[pools]]
        name = "gpus"
        from = {start:%Y-%m-%dT%H:00:00Z}
        match = {{ provider = ["vllm"] }}
        capacity_per_hour = 100
        components = [
            {{ kind = "rental", amount = 10, per = "hour" }},
            {{ kind = "engineering", amount = 2, per = "hour" }},
        ]
    """
    file = tmp_path / "pools.toml"
    file.write_text(said)
    slot, route = start.isoformat(), Route(provider="vllm", model="m")
    with database.write() as session:
        put_cell(session, slot, Owner("search"), route, charged=False, input=50)
        put_cell(session, slot, Owner("support"), route, charged=False, input=25)
    shown = told("apply", str(file), "--dry-run")
    assert shown.startswith("1 would be declared: gpus\n")
    assert re.findall(r"(search|support|Together) +(\S+)", shown) == [
        ("search", "+6.00"),
        ("support", "+3.00"),
        ("Together", "+36.00"),
    ]
    assert "no pools" in told("list")
    told("apply", str(file))
    charge.run(JobContext(database=database, now=datetime.now(UTC)))
    file.write_text(said.replace("amount = 10", "amount = 6"))
    assert (
        re.findall(r"(search|Together) +(\S+)", told("apply", str(file), "--dry-run"))
        == [
            ("Together", "-12.00"),
            ("search", "-2.00"),
        ][::-1]
    )
    file.write_text(said)
    assert "no team would be charged otherwise" in told("apply", str(file), "--dry-run")
    shown = told("show", "gpus")
    assert "rental" in shown
    assert "Together" in shown
    assert "no pool called 'x'" in told("show", "x")


@pytest.mark.one_server
def test_the_api_tells_what_a_pools_hours_were_made_of(database: Database) -> None:
    said = {
        "name": "own",
        "kind": "owned",
        "from": "2026-10-01",
        "match": {"provider": ["vllm"]},
        "capacity_per_hour": 200,
        "components": [
            {"kind": "depreciation", "purchase": 87600, "life_months": 12, "from": "2026-01-01"},
            {"kind": "energy", "watts": 1000, "price_per_kwh": "0.5"},
        ],
    }
    client = asking(database, now="2026-10-01T02:30")
    made = client.post("/v1/pools", json=said).json()
    assert made["components"][0]["billed"] is False
    with database.write() as session:
        route = Route(provider="vllm", model="m")
        put_cell(session, "2026-10-01T01:00", Owner("search"), route, charged=False, input=50)
    charge.run(JobContext(database=database, now=at("2026-10-01T02:30")))
    asked = {"from": "2026-10-01", "to": "2026-10-02", "timezone": "UTC", "by": "hour"}
    found = client.get(f"/v1/pools/{made['id']}", params=asked).json()
    whole = ("hours", "cost", "billed_cost", "idle_cost", "methods")
    assert [found[name] for name in whole] == [
        3,
        "30.125",
        "0.125",
        "27.59375",
        {"work-units-v1": 3},
    ]
    assert [part["cost"] for part in found["components"]] == ["30.00", "0.125"]
    assert [each["cost"] for each in found["by_hour"]] == ["10.00", "10.125", "10.00"]
    assert found["by_hour"][1]["components"][1]["kwh"] == "0.25"
    assert "by_hour" not in client.get(f"/v1/pools/{made['id']}").json()
    assert client.get("/v1/pools/99").status_code == 404
    wrong = client.post("/v1/pools", json=said | {"name": "b", "components": [{"kind": "energy"}]})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "components[1].watts")
    broken = said["components"][0] | {"purchase": 1.5}
    wrong = client.post("/v1/pools", json=said | {"name": "b", "components": [broken]})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "components[1].purchase")
