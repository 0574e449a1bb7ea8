"""What a pool's tokens cost, and whether an API would have cost less, over the ledger."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from filled_ledger import GPT, LLAMA, SEARCH, SUPPORT, asking, at, put_cell
from sqlalchemy import select

from jobs.charging import charge
from jobs.context import JobContext
from spend.calls import Owner, Route
from spend.capacity.pool_files import pool_of_fields
from spend.capacity.pools import Pool, pool_of
from spend.prices.prices import CONTRACT, PriceLine
from store import parties
from store.capacity import pools
from store.capacity.on_pool import ran_on
from store.postgres.sessions import Database
from store.prices import books
from store.tables.rollups import cells
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

NOW = at("2026-10-20T12:05")
OCTOBER = "from=2026-10-01&to=2026-11-01&timezone=UTC"


def declared(database: Database, **others: Any) -> Pool:
    said = {
        "name": "llama",
        "cost_per_hour": "10",
        "from": "2026-10-20T08:00",
        "to": "2026-10-20T12:00",
        "match": {"provider": ["vllm"]},
        "capacity_per_hour": "1000",
    }
    pool = pool_of_fields(said | others, currency="USD", now=NOW)
    with database.write() as session:
        return pools.declare(session, TENANT, pool)


def filled(database: Database) -> None:
    """Four hours at $10, of which one is used: 1,000 of 4,000 work units."""
    with database.write() as session:
        put_cell(
            session,
            "2026-10-20T09:00",
            SEARCH,
            LLAMA,
            calls=3,
            charged=False,
            input=200,
            output=100,
            cache_read=400,
        )
        put_cell(session, "2026-10-20T09:15", SUPPORT, LLAMA, charged=False, input=400, band=2)
        put_cell(session, "2026-10-20T09:15", SUPPORT, GPT, charged=True, input=10**6)
    charge.run(JobContext(database=database, now=NOW))


def price(database: Database, *lines: tuple[str, str, int]) -> None:
    """Lines of groq/llama: meter, unit price, above how many tokens."""
    said = [
        PriceLine(
            book=CONTRACT,
            provider="groq",
            model="meta/llama",
            meter=meter,
            unit_price=Decimal(unit_price),
            currency="USD",
            valid_from=at("2026-01-01"),
            above_tokens=above,
            source="test",
        )
        for meter, unit_price, above in lines
    ]
    with database.write() as session:
        books.enter_contract(session, TENANT, said, now=at("2026-01-01"))


def economics(database: Database, pool: Pool, more: str = "") -> Any:
    answer = asking(database, now="2026-10-20T12:05").get(
        f"/v1/pools/{pool.id}/economics?{OCTOBER}{more}"
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_pool_at_a_quarter_costs_four_times_its_full_price_and_says_so(
    database: Database,
) -> None:
    pool = declared(database)
    filled(database)
    found = economics(database, pool)
    assert (found["hours"], found["cost"], found["busy_cost"]) == (4, "40.00", "10.00")
    assert (found["tokens"], found["work"], found["calls"]) == (1100, "1000", 4)
    assert found["utilisation"] == {"busy": 0.25, "of_capacity": 0.25}
    # $10 an hour for 1,000 units is $10,000 for a million at full load.
    assert found["per_million_tokens"] == {
        "allocation": {"input": "40000.00", "output": "160000.00", "blended": "36363.636364"},
        "usage": {"input": "10000.00", "output": "40000.00", "blended": "9090.909091"},
    }


def test_teams_add_up_to_the_cost_whoever_is_shown_idle(database: Database) -> None:
    pool = declared(database)
    filled(database)
    for view, teams in {
        "own": {"idle": "30.00", "search": "6.00", "support": "4.00"},
        "weighted": {"search": "24.00", "support": "16.00"},
        "even": {"search": "21.00", "support": "19.00"},
    }.items():
        found = economics(database, pool, f"&idle={view}")
        assert {row["team"]: row["cost"] for row in found["teams"]} == teams


def test_the_api_is_asked_for_the_pool_s_own_mix_of_meters_and_prompts(database: Database) -> None:
    pool = declared(database)
    filled(database)
    price(
        database,
        ("input", "10000", 0),
        ("input", "20000", 64_000),
        ("output", "50000", 0),
        ("cache_read", "5000", 0),
    )
    [found] = economics(database, pool, "&against=groq/meta/llama")["against"]
    # 200 of input, 100 of output and 400 cached; and 400 of prompts above 64,000 (band 2).
    assert found["api_cost"] == "17.00"
    assert (found["cheaper"], found["difference"]) == ("api", "-23.00")
    # 1,100 tokens in four hours for $17; a month of the pool is 730 x $10.
    assert found["api_per_million_tokens"] == "15454.545455"
    assert found["tokens_a_month"] == 200_750
    assert found["break_even_tokens"] == 472_353
    # Full, a machine does 803,000 tokens a month; the API's price takes 58.8 % of that.
    assert found["break_even_utilisation"] == 0.588235
    assert found["steps"][0] == {
        "machines": 1,
        "cost": "7300.00",
        "up_to_tokens": 803_000,
        "cheaper_from_tokens": 472_353,
    }
    assert found["reasons"] == {"break_even_date": "fewer than 7 whole days to see a trend in"}
    # docs/economics.md tells of this pool.
    page = (Path(__file__).parent.parent / "docs" / "economics.md").read_text("utf-8")
    example = page.split("## An example")[1].split("\n## ")[0]
    for told in ("$17.00", "$17 ÷ 1,100", "472,353", "58.8 %", "$40,000", "$24.00 and $16.00"):
        assert told in example


def test_an_api_without_a_price_for_what_was_used_is_unknown_and_not_free(
    database: Database,
) -> None:
    pool = declared(database)
    filled(database)
    price(database, ("input", "10000", 0))
    [found] = economics(database, pool, "&against=groq/meta/llama")["against"]
    assert (found["api_cost"], found["cheaper"]) == (None, None)
    assert found["reasons"]["api_cost"] == "groq/meta/llama has no price for: output"


def test_a_time_without_posted_hours_costs_nobody_knows_what(database: Database) -> None:
    pool = declared(database)
    found = economics(database, pool)
    assert (found["hours"], found["cost"], found["teams"]) == (0, None, [])
    assert found["reasons"]["cost"] == "no hour of it is posted in this time"


def test_what_makes_no_sense_is_refused_by_name(database: Database) -> None:
    declared(database)
    client = asking(database)
    for path, status, told in (
        ("99/economics", 404, "id 99"),
        ("x/economics", 422, "pool_id"),
        ("1/economics?against=groq", 422, "provider/model"),
        ("1/economics?against=groq/nobody", 422, "no price in USD"),
        ("1/economics?idle=some", 422, "idle"),
        ("1/economics?group_by=team", 422, "group_by"),
    ):
        answer = client.get(f"/v1/pools/{path}")
        assert answer.status_code == status
        assert told in answer.text


def test_sql_and_python_agree_on_what_runs_on_a_pool(database: Database) -> None:
    matches: list[tuple[dict[str, Any], str, str | None]] = [
        ({"provider": ["vllm"], "service": ["a*"]}, "2026-10-20T09:00", "2026-10-20T10:00"),
        ({"provider": ["vllm"], "model": ["llama-3*"]}, "2026-10-20T08:00", None),
        ({"provider": ["v*"], "environment": ["100%", "p_d"]}, "2026-10-20T08:00", None),
    ]
    held = [
        declared(database, **{"name": str(place), "match": match, "from": since, "to": until})
        for place, (match, since, until) in enumerate(matches)
    ]
    used = [
        (Owner("t", service=service, environment=environment), Route("vllm", model), slot)
        for service in ("api", "b", None)
        for environment in ("100%", "p_d", "pxd", None)
        for model in ("llama-3.3", "qwen", None)
        for slot in ("2026-10-20T07:45", "2026-10-20T09:00", "2026-10-20T10:00")
    ]
    with database.write() as session:
        for owner, route, slot in used:
            put_cell(session, slot, owner, route)
    with database.read() as session:
        routes = parties.routes_of(session, TENANT)
        owners = parties.owners_of(session, TENANT, session.scalars(select(cells.c.owner_id)))
        for pool in held:
            condition = ran_on(pool, held, routes, TENANT, cells)
            found = session.execute(
                select(cells.c.owner_id, cells.c.route_id, cells.c.slot, condition)
            )
            for owner_id, route_id, slot, ran in found:
                runs_on = pool_of(held, routes[route_id], owners[owner_id], slot)
                assert ran is (runs_on == pool)
