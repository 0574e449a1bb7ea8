"""GET /v1/spend answers exactly what the ledger and the cells hold."""

import csv
import io
import random
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient
from filled_ledger import (
    CLAUDE,
    GPT,
    IDLE,
    LLAMA,
    NOBODY,
    SEARCH,
    SUPPORT,
    asking,
    put_cell,
    put_charge,
    put_run,
)

from spend.calls import Outcome, Owner, Route
from spend.meters import METER_NAMES
from store.postgres.sessions import Database

OCTOBER = {"from": "2026-10-01", "to": "2026-11-01"}


def ask(client: TestClient, **params: Any) -> dict[str, Any]:
    answer = client.get("/v1/spend", params=OCTOBER | params)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_spend_is_told_in_the_words_of_the_contract(database: Database) -> None:
    with database.write() as session:
        put_cell(
            session,
            "2026-10-05T10:15",
            calls=3,
            input=1000,
            cache_read=50,
            cache_write_5m=7,
            cache_write_1h=5,
            output=200,
            reasoning=80,
        )
        put_cell(session, "2026-10-05T10:15", calls=1, outcome=Outcome.TIMEOUT, unmetered=0)
        put_charge(
            session, "2026-10-05T10:15", "0.0025", listed="0.003", contracted="0.0027", billed="0"
        )
        put_charge(session, "2026-10-05T10:15", "0.002", meter="output", listed="0.002")
        put_run(session, "roll", "2026-10-20T11:00")
        put_run(session, "charge", "2026-10-20T10:58:30")
    body = ask(asking(database), group_by="team,provider,model")
    usage = {
        "input_tokens": 1000,
        "cache_read_tokens": 50,
        "cache_write_tokens": 12,
        "cache_write_unspecified_tokens": 0,
        "cache_write_5m_tokens": 7,
        "cache_write_1h_tokens": 5,
        "output_tokens": 200,
        "reasoning_tokens": 80,
        "input_audio_tokens": 0,
        "output_audio_tokens": 0,
        "input_image_tokens": 0,
        "output_image_tokens": 0,
        "tool_calls": 0,
        "images": 0,
        "audio_seconds": 0,
        "prefill_ms": 0,
        "decode_ms": 0,
    }
    total = {
        "cost": "0.0045",
        "list_cost": "0.005",
        "contracted_cost": "0.0047",
        "billed_cost": "0.002",
        "calls": 4,
        "errors": 1,
        "unpriced_calls": 0,
        "unpriced_tokens": 0,
        "unmetered_calls": 0,
        "waiting_calls": 0,
        "usage": usage,
    }
    assert body == {
        "currency": "USD",
        "rate_policy": "daily",
        "rates": [],
        "elsewhere": [],
        "from": "2026-10-01",
        "to": "2026-11-01",
        "timezone": "UTC",
        "complete_until": "2026-10-20T10:58:30Z",
        "period": "charge",
        "as_known_at": None,
        "rows": [{"team": "search", "provider": "openai", "model": "gpt-4o", **total}],
        "total": total,
    }


def test_nothing_heard_is_an_empty_answer_that_promises_nothing(database: Database) -> None:
    body = ask(asking(database), group_by="team")
    assert body["rows"] == []
    assert body["total"]["cost"] is None
    assert body["total"]["calls"] == 0
    assert body["complete_until"] is None


def test_what_has_no_price_costs_null_and_what_is_free_costs_zero(database: Database) -> None:
    free = replace(GPT, model="free")
    unknown = replace(GPT, model="unknown")
    taken_back = replace(GPT, model="taken-back")
    with database.write() as session:
        put_cell(session, "2026-10-05", SEARCH, free, input=5)
        put_charge(session, "2026-10-05", "0", SEARCH, free)
        put_cell(session, "2026-10-05", SEARCH, unknown, calls=2, unpriced=2, input=7)
        put_cell(session, "2026-10-05", SEARCH, taken_back, calls=1, unpriced=1)
        put_charge(session, "2026-10-05", "3", SEARCH, taken_back)
        put_charge(session, "2026-10-05", "-3", SEARCH, taken_back, kind="correction")
    body = ask(asking(database), group_by="model")
    assert {row["model"]: _unpriced(row) for row in body["rows"]} == {
        "free": ("0.00", 0, 0),
        "unknown": (None, 2, 7),
        "taken-back": (None, 1, 0),
    }
    assert body["total"]["cost"] == "0.00"


def test_credits_that_were_a_gift_are_told_also_beside_calls_of_unknown_cost(
    database: Database,
) -> None:
    with database.write() as session:
        put_cell(session, "2026-10-05", SEARCH, calls=1, unpriced=1)
        put_charge(session, "2026-10-05", "0", listed="-2", contracted="-1", meter="split")
    total = ask(asking(database))["total"]
    told = [total[name] for name in ("cost", "list_cost", "contracted_cost", "billed_cost")]
    assert told == ["0.00", "-2.00", "-1.00", "0.00"]


def test_a_cost_at_list_prices_is_null_where_some_of_it_has_none(database: Database) -> None:
    with database.write() as session:
        put_charge(session, "2026-10-05", "2", SEARCH, listed="3")
        put_charge(session, "2026-10-05", "1", SUPPORT)
        put_charge(session, "2026-10-06", "1", SUPPORT, listed="2")
        # Taken back: what is left has a list price.
        put_charge(session, "2026-10-06", "5", SEARCH)
        put_charge(session, "2026-10-06", "-5", SEARCH, kind="correction", quantity=-1)
    body = ask(asking(database), group_by="team")
    assert {row["team"]: (row["cost"], row["list_cost"]) for row in body["rows"]} == {
        "search": ("2.00", "3.00"),
        "support": ("2.00", None),
    }
    assert (body["total"]["cost"], body["total"]["list_cost"]) == ("4.00", None)


def _unpriced(row: dict[str, Any]) -> tuple[str | None, int, int]:
    return row["cost"], row["unpriced_calls"], row["unpriced_tokens"]


def test_cells_that_were_not_priced_yet_are_told(database: Database) -> None:
    with database.write() as session:
        put_cell(session, "2026-10-05", calls=4, unpriced=None, charged=False)
    assert ask(asking(database))["total"]["waiting_calls"] == 4


def test_idle_capacity_is_a_team_of_its_own(database: Database) -> None:
    with database.write() as session:
        put_cell(session, "2026-10-05T01:00", SEARCH, LLAMA, input=10)
        put_charge(session, "2026-10-05T01:00", "1.25", SEARCH, LLAMA, pool_id=1, meter="pool")
        put_charge(session, "2026-10-05T01:00", "2.75", IDLE, LLAMA, pool_id=1, meter="idle")
    body = ask(asking(database), group_by="team")
    assert [(row["team"], row["cost"], row["calls"]) for row in body["rows"]] == [
        ("idle", "2.75", 0),
        ("search", "1.25", 1),
    ]


def test_a_digit_is_never_lost(database: Database) -> None:
    with database.write() as session:
        put_charge(session, "2026-10-05", "99999999999999999999.000000000001")
        put_charge(session, "2026-10-06", "0.000000000001")
    body = ask(asking(database), group_by="day")
    assert body["total"]["cost"] == "99999999999999999999.000000000002"


def test_days_and_months_are_the_asked_zones(database: Database) -> None:
    with database.write() as session:
        for slot in (
            "2026-10-24T21:45",
            "2026-10-24T22:00",
            "2026-10-25T22:45",
            "2026-10-25T23:00",
        ):
            put_cell(session, slot)
            put_charge(session, slot, "1")
    # The clock is put back on the 25th: that day has 25 hours.
    rows = ask(asking(database), group_by="day,month", timezone="Europe/Berlin")["rows"]
    assert {(row["day"], row["month"]): row["calls"] for row in rows} == {
        ("2026-10-24", "2026-10"): 1,
        ("2026-10-25", "2026-10"): 2,
        ("2026-10-26", "2026-10"): 1,
    }
    rows = ask(asking(database, timezone=ZoneInfo("Asia/Kathmandu")), group_by="day")["rows"]
    assert {row["day"]: row["calls"] for row in rows} == {"2026-10-25": 2, "2026-10-26": 2}


def test_the_bounds_are_those_of_the_asked_zone(database: Database) -> None:
    with database.write() as session:
        for slot in (
            "2026-09-30T21:45",
            "2026-09-30T22:00",
            "2026-10-31T22:45",
            "2026-10-31T23:00",
        ):
            put_cell(session, slot)
    assert ask(asking(database), timezone="Europe/Berlin")["total"]["calls"] == 2
    instants = {"from": "2026-10-01T00:00:00+02:00", "to": "2026-10-31T23:00:00Z"}
    body = ask(asking(database), **instants)
    assert body["total"]["calls"] == 2
    assert body["from"] == "2026-09-30T22:00:00Z"


def test_without_bounds_it_is_the_month_so_far(database: Database) -> None:
    body = asking(database, now="2026-10-20T23:30", timezone=ZoneInfo("Europe/Berlin")).get(
        "/v1/spend"
    )
    assert (body.json()["from"], body.json()["to"]) == ("2026-10-01", "2026-10-22")


def test_filters_can_be_repeated_and_empty_means_not_said(database: Database) -> None:
    with database.write() as session:
        put_cell(session, "2026-10-05", SEARCH, GPT, calls=1)
        put_cell(session, "2026-10-05", SUPPORT, CLAUDE, calls=2)
        put_cell(session, "2026-10-06", NOBODY, LLAMA, calls=4)
    client = asking(database)
    assert ask(client, team=["search", "support"])["total"]["calls"] == 3
    assert ask(client, team="unallocated")["total"]["calls"] == 4
    assert ask(client, feature="")["total"]["calls"] == 5
    assert ask(client, feature=["", "triage"])["total"]["calls"] == 7
    assert ask(client, team="support", provider="openai")["total"]["calls"] == 0
    assert ask(client, day="2026-10-06")["total"]["calls"] == 4
    assert ask(client, month=["2026-09", "2026-10"], deployment="api")["total"]["calls"] == 3
    rows = ask(client, group_by="feature")["rows"]
    assert [(row["feature"], row["calls"]) for row in rows] == [(None, 5), ("triage", 2)]


def test_rows_come_dearest_first_and_always_in_the_same_order(database: Database) -> None:
    with database.write() as session:
        for team, amount in (("b", "2"), ("a", "2"), ("c", "30"), ("d", None)):
            put_cell(session, "2026-10-05", Owner(team))
            if amount:
                put_charge(session, "2026-10-05", amount, Owner(team))
    rows = ask(asking(database), group_by="team")["rows"]
    assert [row["team"] for row in rows] == ["c", "a", "b", "d"]


def test_another_tenant_and_another_currency_are_not_ours(database: Database) -> None:
    with database.write() as session:
        put_cell(session, "2026-10-05", tenant=2)
        put_charge(session, "2026-10-05", "5", tenant=2)
        put_charge(session, "2026-10-05", "7", currency="EUR")
    told = ask(asking(database))
    assert told["total"]["cost"] is None
    assert [(each["currency"], each["cost"]) for each in told["elsewhere"]] == [("EUR", "7.00")]
    assert ask(asking(database, currency="EUR"))["total"]["cost"] == "7.00"


def test_money_of_an_owner_that_nobody_knows_is_still_counted(database: Database) -> None:
    with database.write() as session:
        put_charge(session, "2026-10-05", "5")
        session.connection().exec_driver_sql("DELETE FROM owners")
    body = ask(asking(database), group_by="team")
    assert [(row["team"], row["cost"]) for row in body["rows"]] == [(None, "5.00")]


def test_csv_says_the_same_and_runs_nothing_in_a_spreadsheet(database: Database) -> None:
    evil = Owner("search", customer='=HYPERLINK("http://x")')
    with database.write() as session:
        put_cell(session, "2026-10-05", evil, input=9)
        put_charge(session, "2026-10-05", "-1.5", evil)
    client = asking(database)
    asked = OCTOBER | {"group_by": "customer,feature"}
    by_name = client.get("/v1/spend.csv", params=asked)
    by_accept = client.get("/v1/spend", params=asked, headers={"Accept": "text/csv"})
    assert by_name.headers["content-type"] == "text/csv; charset=utf-8"
    assert by_name.text == by_accept.text
    (row,) = csv.DictReader(io.StringIO(by_name.text))
    assert row["customer"] == '\'=HYPERLINK("http://x")'
    assert (row["feature"], row["cost"], row["currency"]) == ("", "-1.50", "USD")
    assert (row["calls"], row["input_tokens"]) == ("1", "9")


def test_an_unchanged_answer_is_not_sent_again(database: Database) -> None:
    client = asking(database)
    first = client.get("/v1/spend", params=OCTOBER)
    tag = {"If-None-Match": first.headers["etag"]}
    assert client.get("/v1/spend", params=OCTOBER, headers=tag).status_code == 304
    with database.write() as session:
        put_charge(session, "2026-10-05", "5")
    assert client.get("/v1/spend", params=OCTOBER, headers=tag).status_code == 200


@pytest.mark.one_server
@pytest.mark.parametrize("seed", range(3))
def test_a_brute_force_oracle_agrees_with_every_row(database: Database, seed: int) -> None:
    chance = random.Random(seed)
    zone = ZoneInfo(chance.choice(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"]))
    made = _random_month(database, chance)
    client = asking(database)
    for group_by in (("team",), ("day", "model"), ("month", "feature", "region"), ()):
        expected = _added_up_by_hand(made, group_by, zone)
        params = {"group_by": ",".join(group_by), "timezone": zone.key}
        rows = ask(client, **params)["rows"]
        found = {
            tuple(row[name] for name in group_by): (
                row["cost"] and Decimal(row["cost"]),
                row["calls"],
                row["usage"]["input_tokens"],
                row["usage"]["output_tokens"],
            )
            for row in rows
        }
        assert found == expected


Made = list[tuple[datetime, Owner, Route, Decimal | None, int, dict[str, int]]]


def _random_month(database: Database, chance: random.Random) -> Made:
    owners = [Owner(team, feature=feature) for team in "abc" for feature in (None, "x", "y")]
    routes = [Route("openai", model, region=region) for model in "mn" for region in (None, "eu")]
    start = datetime(2026, 9, 29, tzinfo=UTC)
    made: Made = []
    with database.write() as session:
        for slot in chance.sample(range(34 * 96), 150):
            moment = start + slot * timedelta(minutes=15)
            owner, route = chance.choice(owners), chance.choice(routes)
            amount = (
                Decimal(chance.randrange(10**15)).scaleb(-12) if chance.random() < 0.8 else None
            )
            calls = chance.randrange(1, 9)
            usage = {name: chance.randrange(10**6) for name in METER_NAMES}
            put_cell(session, moment.isoformat(), owner, route, calls=calls, **usage)
            if amount is not None:
                put_charge(session, moment.isoformat(), str(amount), owner, route)
            made.append((moment, owner, route, amount, calls, usage))
    return made


def _added_up_by_hand(
    made: Made, group_by: tuple[str, ...], zone: ZoneInfo
) -> dict[tuple[str | None, ...], tuple[Decimal | None, int, int, int]]:
    money: dict[Any, Decimal] = defaultdict(Decimal)
    sums: dict[Any, Counter[str]] = defaultdict(Counter)
    for moment, owner, route, amount, calls, usage in made:
        day = moment.astimezone(zone).date().isoformat()
        if not day.startswith("2026-10"):
            continue
        said = {"day": day, "month": day[:7]} | {
            name: getattr(thing, name)
            for name, thing in zip(
                ("team", "feature", "model", "region"), (owner, owner, route, route), strict=True
            )
        }
        key = tuple(said[name] for name in group_by)
        sums[key].update(usage | {"calls": calls})
        if amount is not None:
            money[key] += amount
    return {
        key: (money.get(key), each["calls"], each["input"], each["output"])
        for key, each in sums.items()
    }
