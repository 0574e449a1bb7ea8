"""Pages of capacity: the API's figures, sums that are exact, an API's price beside a pool's."""

import csv
import re
from decimal import Decimal
from html import unescape
from io import StringIO
from typing import Any

import pytest
from fastapi.testclient import TestClient
from filled_ledger import GPT, LLAMA, SEARCH, SUPPORT, asking, at, put_cell

from jobs.charging import charge
from jobs.context import JobContext
from spend.capacity.pool_files import pool_of_fields
from spend.capacity.pools import Pool
from spend.capacity.same_model import weights_of
from spend.prices.prices import CONTRACT, PriceLine
from store.access.keys import create_key
from store.capacity import pools
from store.postgres.sessions import Database
from store.prices import books
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

NOW = at("2026-10-20T12:05")


def declare(database: Database, **others: Any) -> Pool:
    said = {
        "name": "llama",
        "components": [
            {"kind": "rental", "amount": "8", "per": "hour", "source": "order 1"},
            {
                "kind": "energy",
                "watts": "750",
                "idle_watts": "250",
                "pue": "1.4",
                "price_per_kwh": "2",
            },
        ],
        "from": "2026-10-20T08:00",
        "to": "2026-10-20T12:00",
        "match": {"provider": ["vllm"]},
        "capacity_per_hour": "1000",
    }
    pool = pool_of_fields(said | others, currency="USD", now=NOW)
    with database.write() as session:
        return pools.declare(session, TENANT, pool)


def fill(database: Database) -> None:
    """Four hours of a pool, one of them used to the full; and GPT beside it. Llama has a price at
    groq, under another name."""
    with database.write() as session:
        slot = "2026-10-20T09:00"
        put_cell(session, slot, SEARCH, LLAMA, calls=3, charged=False, input=200, output=100)
        put_cell(session, "2026-10-20T09:15", SUPPORT, LLAMA, charged=False, input=400)
        put_cell(session, slot, SUPPORT, GPT, charged=False, input=10**6)
        lines = [
            PriceLine(
                book=CONTRACT,
                provider=provider,
                model=model,
                meter=meter,
                unit_price=Decimal(price),
                currency="USD",
                valid_from=at("2026-01-01"),
                source="test",
            )
            for provider, model, meter, price in (
                ("groq", "llama-3.3-70b-versatile", "input", "1"),
                ("groq", "llama-3.3-70b-versatile", "output", "2"),
                ("openai", "gpt-4o", "input", "3"),
                ("openai", "gpt-4o", "output", "10"),
            )
        ]
        books.enter_contract(session, TENANT, lines, now=at("2026-01-01"))
    charge.run(JobContext(database=database, now=NOW))


@pytest.fixture
def client(database: Database) -> TestClient:
    declare(database)
    fill(database)
    return asking(database, now="2026-10-20T12:05")


def table(client: TestClient, place: str, name: str) -> list[dict[str, str]]:
    answer = client.get(f"{place}{'&' if '?' in place else '?'}csv={name}")
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(StringIO(answer.text)))


def words(text: str) -> str:
    body = re.sub(r"<(script|style|svg).*?</\1>", " ", text, flags=re.DOTALL)
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)))


def total(rows: list[dict[str, str]], name: str = "cost") -> Decimal:
    return sum((Decimal(row[name]) for row in rows), Decimal(0))


def test_all_pools_show_what_the_api_says_and_whose_it_was_adds_up(client: TestClient) -> None:
    api = client.get("/v1/pools/1/economics?from=2026-10-01&to=2026-11-01").json()
    shown = client.get("/capacity")
    assert shown.status_code == 200, shown.text
    (row,) = table(client, "/capacity", "pools")
    assert row["cost"] == api["cost"]
    assert row["idle_cost"] == api["idle_cost"]
    assert row["per_million_tokens"] == api["per_million_tokens"]["allocation"]["blended"]
    assert Decimal(row["of_capacity"]) == Decimal("0.25")
    # 600 tokens read at $1 and 100 written at $2, of 700, at an API of the same weights.
    assert row["api_per_million_tokens"] == "1.142857"
    shares = table(client, "/capacity", "shares")
    assert {each["team"] for each in shares} == {"search", "support", "idle", "unallocated"}
    assert total(shares) == Decimal(api["cost"])
    assert "exact, to the last digit" in words(shown.text)
    assert "groq/llama-3.3-70b-versatile" in words(shown.text)
    model = client.get("/models/one", params={"provider": LLAMA.provider, "model": LLAMA.model})
    assert "idle hours are not in these figures. What its pools cost" in words(model.text)


def test_a_pool_is_held_against_an_api_of_the_same_weights_or_the_one_that_is_named(
    client: TestClient,
) -> None:
    place = "/capacity/1?month=2026-10"
    against = "groq/llama-3.3-70b-versatile"
    span = "from=2026-10-01&to=2026-11-01"
    (api,) = client.get(f"/v1/pools/1/economics?{span}&against={against}").json()["against"]
    text = words(client.get(place).text)
    assert f"{against} would have asked" in text
    (row,) = table(client, place, "apis")
    assert row["api"] == against
    assert row["difference"].lstrip("'") == api["difference"]
    teams = table(client, place, "teams")
    assert total(teams) == Decimal(api["pool_cost"])
    spread = table(client, f"{place}&idle=even", "teams")
    assert {each["team"] for each in spread} == {"search", "support"}
    assert total(spread) == Decimal(api["pool_cost"])
    (day,) = table(client, place, "days")
    assert (day["day"], day["cost"], day["tokens"]) == ("2026-10-20", api["pool_cost"], "700")
    other = client.get(f"{place}&against=openai/gpt-4o")
    assert "openai/gpt-4o would have asked" in words(other.text)
    wrong = client.get(f"{place}&against=nobody/x")
    assert wrong.status_code == 422
    assert 'value="nobody/x"' in wrong.text
    assert "has no price in USD" in words(wrong.text)


def test_an_hour_is_split_to_the_last_digit(client: TestClient) -> None:
    place = "/capacity/1/hours?hour=2026-10-20T09:00:00Z"
    shown = client.get(place)
    hour = client.get("/v1/pools/1?from=2026-10-20&by=hour").json()["by_hour"][1]
    split = table(client, place, "split")
    assert {each["team"] for each in split} == {"search", "support", "idle"}
    assert total(split) == Decimal(hour["cost"])
    assert "exact, to the last digit" in words(shown.text)
    assert "work-units-v1" in words(shown.text)
    assert len(table(client, place, "every-hour")) == 4
    assert "No hour is chosen" in words(client.get(place.replace("T09", "T19")).text)
    # Without one, the last that was used; a day without any has its say too.
    assert "20 Oct 2026, 09:00 was split" in words(client.get("/capacity/1/hours").text)
    assert client.get("/capacity/1/hours?day=2026-10-02").status_code == 200
    for asked in ("hour=noon", "hour=2026-10-20T25:00:00Z", "day=2026-02-30", "day=x"):
        refused = client.get(f"/capacity/1/hours?{asked}", headers={"Accept": "text/html"})
        assert refused.status_code == 422, asked


def test_what_a_pool_costs_is_told_with_its_terms_and_versions(client: TestClient) -> None:
    text = words(client.get("/capacity/1/costs").text)
    assert "250 W idle to 750 W busy × PUE 1.4 × $2.00 a kWh" in text  # noqa: RUF001 - times
    assert "$8.00 an hour" in text
    assert "order 1" in text
    parts = table(client, "/capacity/1/costs", "components")
    assert {each["component"]: each["billed"] for each in parts} == {
        "rental": "yes",
        "energy": "yes",
    }
    api = client.get("/v1/pools/1?from=2026-10-01&to=2026-11-01").json()
    assert total(parts) == Decimal(api["cost"])
    assert {each["cost"] for each in parts} == {each["cost"] for each in api["components"]}
    (rental,) = [
        each
        for each in table(client, "/capacity/1/costs", "terms")
        if each["component"] == "rental"
    ]
    # No terms outlive the pool.
    assert (rental["to"], rental["state"]) == ("2026-10-20T12:00:00Z", "ended")


def test_every_state_of_a_pool_has_a_page(database: Database) -> None:
    empty = asking(database, now="2026-10-20T12:05")
    assert "No pool is declared yet" in words(empty.get("/capacity").text)
    name = "a <b>pool</b> javascript:alert(1)"
    ended = declare(database, name="ended", to="2026-10-20T10:00", match={"model": ["none"]})
    coming = declare(
        database, name=name, **{"from": "2026-11-02", "to": None, "match": {"model": ["<i>*"]}}
    )
    began = declare(
        database,
        name="began",
        capacity_per_hour=None,
        **{"from": "2026-10-20T12:00", "to": None, "match": {"model": ["x"]}},
    )
    declare(database, name="euros", currency="EUR", match={"model": ["y"]})
    fill(database)
    board = empty.get("/capacity").text
    assert "<b>pool" not in board
    assert "€" in board
    assert "in none of the sums here" in board
    for told in (
        "ended 20 Oct 2026, 10:00",
        "begins 2 Nov 2026, 00:00",
        "no calls",
        "not declared",
    ):
        assert told in words(board), told
    for pool, views in ((ended, [""]), (coming, ["", "/hours", "/costs"]), (began, [""])):
        for view in views:
            shown = empty.get(f"/capacity/{pool.id}{view}")
            assert shown.status_code == 200, (pool.name, view, shown.text)
            assert "<b>pool" not in shown.text
            assert 'href="javascript' not in shown.text
    assert "It begins 2 Nov 2026" in words(empty.get(f"/capacity/{coming.id}").text)
    later = words(empty.get(f"/capacity/{ended.id}?month=2026-12").text)
    assert "No hour of it is posted in this time It ended" in later
    assert empty.get("/capacity?from=2026-01-01&to=2026-11-01").status_code == 200
    assert empty.get(f"/capacity/{ended.id}/hours?from=2026-01-01&to=2026-11-01").status_code == 200
    assert empty.get("/capacity/99", headers={"Accept": "text/html"}).status_code == 404


def test_what_if_answers_as_the_api_does_and_keeps_what_was_typed(client: TestClient) -> None:
    assert "Nothing asked yet" in words(client.get("/what-if").text)
    place = "/what-if?month=2026-10&by=team&target=openai/gpt-4o"
    asked = {
        "from": "2026-10-01",
        "to": "2026-11-01",
        "group_by": ["team"],
        "targets": [{"to": "openai/gpt-4o"}],
    }
    api = client.post("/v1/what-if", json=asked).json()
    rows = {row["team"]: row for row in table(client, place, "groups")}
    for row in api["rows"]:
        mine = rows[row["team"]]
        assert mine["cost"] == row["cost"]
        assert mine["cost openai/gpt-4o"] == row["there"][0]["cost"]
        assert mine["difference openai/gpt-4o"].lstrip("'") == row["there"][0]["difference"]
    text = words(client.get(place).text)
    assert "As many tokens there as here." in text
    assert re.search(r"(?<!\u2212)\$[\d,.]+ (dearer|cheaper), ", text)
    assert "Quality: whether another model's answers would do." in text
    wrong = client.get(f"{place}&tokenizer=abc&team=search")
    assert wrong.status_code == 422
    assert 'value="openai/gpt-4o"' in wrong.text
    assert re.search(r'name="tokenizer"[^>]*value="abc"[^>]*aria-invalid', wrong.text)
    unknown = client.get("/what-if?target=nobody/%3Cscript%3Ex")
    assert unknown.status_code == 422
    assert "<script>x" not in unknown.text
    pool = client.get("/what-if?month=2026-10&pool=llama&provider=openai")
    assert "machines like it for the busiest hour" in words(pool.text)


def test_a_key_of_one_team_sees_what_if_of_its_own_calls_and_no_capacity(
    database: Database,
) -> None:
    declare(database)
    fill(database)
    with database.write() as session:
        key = create_key(
            session, tenant=TENANT, kind="read", name="k", team="search", pepper=b"p", now=NOW
        )
    asking_as = asking(database, now="2026-10-20T12:05", key_pepper=b"p")
    asking_as.headers |= {"Authorization": f"Bearer {key}", "Accept": "text/html"}
    for place in ("/capacity", "/capacity/1", "/capacity/1/hours", "/capacity/1/costs"):
        assert asking_as.get(place).status_code == 403, place
    assert asking_as.get("/commitments").status_code == 403
    assert asking_as.get("/commitments/1").status_code == 403
    own = asking_as.get("/what-if?month=2026-10&target=openai/gpt-4o")
    assert own.status_code == 200
    assert "support" not in words(own.text)
    assert "/capacity" not in own.text
    assert asking_as.get("/what-if?pool=llama").status_code == 403
    assert asking_as.get("/what-if?team=support&target=openai/gpt-4o").status_code == 403


def test_one_model_has_many_names_and_a_name_of_another_is_another() -> None:
    llama = weights_of("meta-llama/Llama-3.3-70B-Instruct")
    for name in (
        "llama-3.3-70b-versatile",
        "meta.llama3-3-70b-instruct-v1:0",
        "databricks-meta-llama-3-3-70b-instruct",
        "Meta-Llama-3_3-70B-Instruct",
        "meta-llama/Llama-3.3-70B-Instruct-Turbo",
    ):
        assert weights_of(name) == llama, name
    for name in ("llama-3.1-70b-versatile", "llama-3.3-8b", "llama-3.3-70b-abliterated", ""):
        assert weights_of(name) != llama, name
    assert weights_of("Mistral-Small-3.2-24B-Instruct-2506") == weights_of(
        "mistral-small-3.2-24b-instruct"
    )
    assert weights_of("mistral-large-2411") != weights_of("mistral-large-2512")
