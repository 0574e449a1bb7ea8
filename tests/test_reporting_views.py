"""Views are what the code says they are, and say what the API says."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import reported
from budgeted import API, budget
from closed_months import close, filled, soft_close
from fastapi.testclient import TestClient
from filled_ledger import (
    CLAUDE,
    GPT,
    LLAMA,
    SEARCH,
    SUPPORT,
    asking,
    put_buckets,
    put_cell,
    put_charge,
    put_run,
)
from sqlalchemy import insert, text

from jobs.context import JobContext
from jobs.timetable import run_job
from migrations.reporting import newest, r0029_performance, r0029_shared
from spend.alerts.rule_terms import rule_of_fields
from spend.calls import Outcome, Owner
from spend.histograms import GAMMA, bucket_of
from spend.meters import DISJOINT, METERS
from spend.slots import slot_of
from store.alerts import alert_rules
from store.postgres.sessions import Database
from store.tables.budgets import crossings
from store.tables.rollups import LATENCY, TTFT
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

OCTOBER = {"from": "2026-10-01", "to": "2026-11-01"}


def answered(client: TestClient, path: str, **params: Any) -> Any:
    answer = client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def instant(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def test_each_view_has_the_columns_types_and_comments_that_it_promises(database: Database) -> None:
    asked = (
        "SELECT relname, attname, format_type(atttypid, atttypmod) AS type,"
        " col_description(pg_class.oid, attnum) AS said, obj_description(pg_class.oid) AS view_said"
        " FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid"
        " WHERE relnamespace = 'reporting'::regnamespace AND attnum > 0 ORDER BY relname, attnum"
    )
    found = [tuple(row.values()) for row in reported.rows(database, asked)]
    promised = [
        (view.name, each.name, each.type, each.description, view.description)
        for view in sorted(newest.VIEWS, key=lambda view: view.name)
        for each in view.columns
    ]
    assert found == promised
    functions = "SELECT proname FROM pg_proc WHERE pronamespace = 'reporting'::regnamespace"
    assert [row["proname"] for row in reported.rows(database, functions)] == [
        each.name for each in newest.FUNCTIONS
    ]


def test_what_the_views_were_written_with_is_what_the_code_has() -> None:
    """A meter or an outcome that is added wants a revision of the views."""
    assert [(each.name, each.asked_as) for each in METERS] == [
        (name, told) for name, told, _said in r0029_shared.METERS
    ]
    assert r0029_shared.DISJOINT == DISJOINT
    assert r0029_shared.TENANT == TENANT
    outcomes = [each.name.lower() for each in Outcome if each not in {Outcome.OK, Outcome.ERROR}]
    assert ["other", *outcomes] == list(r0029_performance._OUTCOMES)
    assert float(r0029_performance.GAMMA.split(":")[0]) == GAMMA
    assert r0029_performance._MEASURES == {"latency": LATENCY, "ttft": TTFT}


def timed(database: Database) -> None:
    with database.write() as session:
        for place, slot in enumerate(("10:00", "10:15", "10:45", "11:30"), 1):
            for owner, route in ((SEARCH, GPT), (SUPPORT, GPT), (SEARCH, CLAUDE)):
                at_ = f"2026-10-05T{slot}"
                put_cell(
                    session, at_, owner, route, calls=place, output=50, timed=(9, 9, 50, 10**7)
                )
                put_cell(session, at_, owner, route, calls=1, outcome=Outcome.TIMEOUT, cache_read=3)
                durations = [10**5 * place, 3 * 10**5 * place, 10**6 + place * len(owner.team)]
                counts = {bucket_of(each): number for number, each in enumerate(durations, 1)}
                put_buckets(session, at_, LATENCY, counts, owner, route)
        put_buckets(session, "2026-10-05T11:30", TTFT, {0: 1, bucket_of(40_000): 5}, SEARCH, GPT)
        put_cell(session, "2026-10-05T11:30", SEARCH, LLAMA, calls=2, outcome=Outcome.ERROR)


def test_an_hours_performance_is_what_the_api_answers(database: Database) -> None:
    timed(database)
    client = asking(database)
    dimensions = ("team", "provider", "model", "deployment")
    for hour in (10, 11):
        bounds = {"from": f"2026-10-05T{hour}:00:00Z", "to": f"2026-10-05T{hour + 1}:00:00Z"}
        body = answered(client, "/v1/performance", group_by=",".join(dimensions), **bounds)
        shown = reported.rows(
            database,
            "SELECT * FROM reporting.performance_by_hour WHERE hour = :hour",
            hour=f"2026-10-05T{hour}:00Z",
        )
        by_key = {tuple(row[name] for name in dimensions): row for row in shown}
        assert by_key.keys() == {tuple(row[name] for name in dimensions) for row in body["rows"]}
        for told in body["rows"]:
            row = by_key[tuple(told[name] for name in dimensions)]
            assert (row["calls"], row["errors"]) == (told["calls"], told["errors"])
            kinds = {
                name: row[f"errors_{'other' if name == 'error' else name}"]
                for name in (each.name.lower() for each in Outcome if each != Outcome.OK)
            }
            assert {name: calls for name, calls in kinds.items() if calls} == told["errors_by_kind"]
            for measure in ("latency", "ttft"):
                for share, wanted in told[f"{measure}_ms"].items():
                    found = row[f"{measure}_{share}_ms"]
                    assert (None if found is None else round(found, 6)) == wanted
            speed = (
                row["timed_output_tokens"] / row["timed_output_seconds"]
                if row["timed_output_seconds"]
                else None
            )
            assert (speed and float(speed)) == told["output_tokens_per_second"]
            hits = row["cached_tokens"] / row["prompt_tokens"] if row["prompt_tokens"] else None
            assert hits == told["cache_hit_share"]


def test_percentiles_of_any_group_come_from_durations(database: Database) -> None:
    timed(database)
    client = asking(database)
    for dimension in ("team", "model", "environment"):
        body = answered(client, "/v1/performance", group_by=dimension, **OCTOBER)
        shown = reported.rows(
            database,
            f"SELECT {dimension} AS name, reporting.percentile(array_agg(bucket),"  # noqa: S608  # the test's
            " array_agg(calls), 0.95) AS p95, sum(calls) AS calls FROM reporting.durations"
            " WHERE measure = 'latency' AND slot >= '2026-10-01Z' AND slot < '2026-11-01Z'"
            " GROUP BY 1",
        )
        assert {row["name"]: round(row["p95"], 6) for row in shown} == {
            row[dimension]: row["latency_ms"]["p95"]
            for row in body["rows"]
            if row["latency_ms"]["p95"] is not None
        }
    nobody = "SELECT reporting.percentile(NULL, NULL, 0.5) AS p50"
    assert reported.rows(database, nobody) == [{"p50": None}]


def now_spent(database: Database) -> datetime:
    """Two budgets that were passed and one that waits to be compared; in the present month."""
    now = datetime.now(UTC)
    budget(database, now - timedelta(days=40))
    budget(database, now - timedelta(days=40), name="ads", filter={"team": ["ads"]})
    budget(database, now - timedelta(days=40), name="all", filter={}, amount="1000")
    with database.write() as session:
        for team, amount in (("search", "85.000000000001"), ("ads", "120")):
            slot = slot_of(now).isoformat()
            put_charge(session, slot, amount, Owner(team=team), API)
        put_run(session, "roll", (now - timedelta(minutes=1)).isoformat(), now.isoformat())
        put_run(session, "charge", (now - timedelta(minutes=2)).isoformat(), now.isoformat())
    run_job("budgets", JobContext(database, now, by_hand=True))
    budget(database, now, name="new", filter={"team": ["new"]})
    return now


def test_budgets_stand_as_the_api_answers(database: Database) -> None:
    now = now_spent(database)
    client = asking(database, now=now.isoformat())
    shown = reported.rows(database, "SELECT * FROM reporting.budgets ORDER BY budget_id")
    for row in shown[:3]:
        told = answered(client, f"/v1/budgets/{row['budget_id']}/status")
        its = told["budget"]
        assert (row["name"], row["state"]) == (its["name"], told["state"])
        assert row["teams"] == its["filter"].get("team")
        for name, asked_as in (
            ("spent", "spent"),
            ("limit_amount", "limit"),
            ("left_amount", "left"),
        ):
            assert row[name] == Decimal(told[asked_as])
        for name in ("period_start", "period_end", "complete_until"):
            assert instant(row[name]) == told[name].replace(told[name][19:], "Z")
        assert row["used_ratio"] == row["spent"] / row["limit_amount"]
    new = shown[3]
    assert (new["name"], new["amount"], new["spent"], new["used_ratio"]) == ("new", 100, None, None)


def test_alerts_stand_as_the_api_answers(database: Database) -> None:
    now = now_spent(database)
    fields = {"name": "errors", "kind": "error-rate", "over": "5", "filter": {}, "by": ["team"]}
    with database.write() as session:
        rule = alert_rules.create(session, TENANT, rule_of_fields(fields), now)
        for subject, recovered in (("team=ads", None), ("team=search", now)):
            session.execute(
                insert(crossings).values(
                    tenant_id=TENANT,
                    rule_id=rule.id,
                    version=1,
                    period_start=now - timedelta(hours=1),
                    kind="error-rate",
                    threshold=0,
                    subject=subject,
                    level="over",
                    crossed_at=now,
                    recovered_at=recovered,
                )
            )

    def compared() -> list[str]:
        # A moment later, as silences begin when somebody says so.
        client = asking(database, now=(datetime.now(UTC) + timedelta(seconds=1)).isoformat())
        told = answered(client, "/v1/alerts")["alerts"]
        shown = reported.rows(database, "SELECT * FROM reporting.alerts ORDER BY alert_id DESC")
        for row, each in zip(shown, told, strict=True):
            for name in ("kind", "level", "state", "name", "subject", "currency"):
                assert row[name] == each[name], (name, each)
            assert row["alert_id"] == each["id"]
            assert row["source_id"] == (each["budget_id"] or each["rule_id"])
            assert row["threshold_percent"] == each["threshold"]
            for name, asked_as in (("spent", "spent"), ("limit_amount", "amount")):
                assert (None if each[asked_as] is None else Decimal(each[asked_as])) == row[name]
            sent = [message["status"] for message in each["messages"]]
            assert row["messages_waiting"] == sent.count("pending")
            assert row["messages_dead"] == sent.count("dead")
        return [row["state"] for row in shown]

    assert sorted(set(compared())) == ["open", "recovered"]
    client = asking(database, now=datetime.now(UTC).isoformat())
    client.post("/v1/alerts/1/acknowledge", json={"by": "ann"})
    for kind, budget_id in (("mute", 2), ("snooze", 1)):
        hour = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        said = {"kind": kind, "budget_id": budget_id, "until": hour}
        assert client.post("/v1/silences", json=said).status_code == 201
    states = compared()
    assert {"acknowledged", "muted", "open", "recovered"} <= set(states)
    with database.write() as session:
        session.execute(text("UPDATE budgets SET replaced_at = now() WHERE id = 2"))
    assert "ended" in compared()


def test_hours_of_pools_are_what_the_api_answers(database: Database) -> None:
    client = asking(database, now="2026-10-20T12:05")
    pool = {
        "name": "llama",
        "cost_per_hour": "10",
        "from": "2026-10-20T08:00Z",
        "to": "2026-10-20T12:00Z",
        "match": {"provider": ["vllm"]},
        "capacity_per_hour": "1000",
    }
    assert client.post("/v1/pools", json=pool).status_code == 201
    with database.write() as session:
        for owner, tokens in ((SEARCH, 200), (SUPPORT, 111)):
            put_cell(
                session,
                "2026-10-20T09:15",
                owner,
                LLAMA,
                charged=False,
                unpriced=None,
                input=tokens,
            )
    run_job("charge", JobContext(database, datetime(2026, 10, 20, 12, 5, tzinfo=UTC), by_hand=True))
    told = answered(client, "/v1/pools/1", by="hour", **OCTOBER)
    shown = reported.rows(database, "SELECT * FROM reporting.pool_hours ORDER BY hour")
    assert len(shown) == 4
    names = ("cost", "billed_cost", "idle_cost", "work_units", "capacity", "in_flight_seconds")
    for row, each in zip(shown, told["by_hour"], strict=True):
        assert (row["pool"], instant(row["hour"]), row["method"]) == (
            "llama",
            each["hour"],
            each["method"],
        )
        assert {name: row[name] for name in names} == {name: Decimal(each[name]) for name in names}
        assert row["used_cost"] + row["idle_cost"] == row["cost"]
    idle = "day = '2026-10-20' AND team = 'idle'"
    money = reported.money(database, "spend_by_day", idle, ("team",))
    assert money[("idle",), "USD"]["cost"] == Decimal(told["idle_cost"])


def test_what_has_no_price_is_what_the_api_answers(database: Database) -> None:
    with database.write() as session:
        put_cell(
            session, "2026-10-06T10:00", SEARCH, LLAMA, calls=4, unpriced=4, input=40, output=2
        )
        put_cell(session, "2026-10-06T11:00", SUPPORT, LLAMA, calls=3, unpriced=3, unmetered=1)
        put_cell(session, "2026-10-08T11:00", SEARCH, GPT, calls=3, unpriced=2, unmetered=2)
        put_cell(session, "2026-10-08T11:00", SEARCH, CLAUDE, calls=3, input=9)
    asked = {"from": "2026-10-01T00:00:00Z", "to": "2026-11-01T00:00:00Z"}
    told = answered(asking(database), "/v1/prices/unpriced", **asked)["unpriced"]
    shown = reported.rows(
        database,
        "SELECT provider, model, reason, sum(calls) AS calls, sum(tokens) AS tokens,"
        " min(first_slot) AS first_slot, max(last_slot) AS last_slot"
        " FROM reporting.unpriced_by_day WHERE day >= '2026-10-01' GROUP BY 1, 2, 3",
    )
    assert sorted(
        (row["provider"], row["model"], row["reason"], row["calls"], row["tokens"],
         instant(row["first_slot"]), instant(row["last_slot"]))
        for row in shown
    ) == sorted(
        (each["provider"], each["model"], each["reason"], each["calls"],
         sum(each["usage"][name] for name in ("input_tokens", "output_tokens")),
         each["first_seen"], each["last_seen"])
        for each in told
    )  # fmt: skip
    assert len(shown) == 3


def test_prices_rates_months_and_jobs_are_what_the_api_answers(database: Database) -> None:
    filled(database)
    soft_close(database, "2026-08")
    close(database, "2026-08")
    now = datetime.now(UTC)
    client = asking(database, now=now.isoformat())
    rate = {"day": "2026-10-01", "from_currency": "EUR", "to_currency": "USD", "rate": "1.0825"}
    client.post("/v1/rates", json={**rate, "source": "ecb"})
    prices = reported.rows(database, "SELECT * FROM reporting.prices_in_force ORDER BY price_id")
    told = answered(client, "/v1/prices", at=instant(now), limit=1000)["prices"]
    assert [(row["price_id"], row["meter"], row["unit_price"]) for row in prices] == [
        (each["id"], each["meter"], Decimal(each["unit_price"])) for each in told
    ]
    months = reported.rows(database, "SELECT * FROM reporting.months")
    assert [(row["name"], row["state"], row["timezone"]) for row in months] == [
        ("2026-08", "closed", "UTC")
    ]
    (watermark,) = reported.rows(database, "SELECT * FROM reporting.complete_until")
    body = answered(client, "/v1/spend")
    assert instant(watermark["complete_until"]) == body["complete_until"]
    jobs = reported.rows(database, "SELECT * FROM reporting.jobs ORDER BY job")
    assert [row["job"] for row in jobs] == ["charge", "roll"]
    assert all(row["last_success"] == row["last_run"] for row in jobs)


def test_where_nothing_has_run_nobody_knows_until_when_it_is_complete(database: Database) -> None:
    asked = "SELECT * FROM reporting.complete_until"
    assert reported.rows(database, asked) == [{"complete_until": None}]
    with database.write() as session:
        put_run(session, "roll", "2026-10-20T11:00")
    assert reported.rows(database, asked) == [{"complete_until": None}]
