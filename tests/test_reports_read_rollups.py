"""What reports ask of Postgres, explained: sums and the ledger, by their indexes, never calls."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from fastapi.testclient import TestClient
from filled_ledger import (
    GPT,
    LLAMA,
    SEARCH,
    asking,
    at,
    put_buckets,
    put_cell,
    put_charge,
    put_run,
)
from sqlalchemy import event

from jobs.charging.sum_days import sum_days
from jobs.context import JobContext
from spend.alerts.rule_kinds import KINDS
from store.postgres.sessions import Database
from store.tables.rollups import LATENCY

pytestmark = pytest.mark.one_server

OF_CALLS: Final = (
    "/v1/calls",
    "/v1/calls/evidence",
    "/v1/calls/{trace_id}/{span_id}",
    "/v1/calls/{trace_id}/{span_id}/content",
)
"""Routes that are about single calls, and are meant to read them."""
CALLS: Final = ("sightings", "joined_calls")
SUMS: Final = ("charge_days", "charge_months", "usage_days", "usage_months")
LARGE: Final = ("cells", "charges", "buckets", "usage_lines", *SUMS)
"""Tables that grow with what is heard."""

NAMED: Final = {"month": "2026-10", "name": "2026-10", "dataset": "cost-and-usage"}
"""What is no number in an address."""
MONTH: Final = {"from": "2026-10-01", "to": "2026-11-01"}


@contextmanager
def scans(database: Database) -> Iterator[set[tuple[str, str, str]]]:
    """Of each statement that is run meanwhile: (how it scans, table, statement)."""
    found: set[tuple[str, str, str]] = set()

    def explain(
        connection: Any, _cursor: Any, statement: str, parameters: Any, *_others: Any
    ) -> None:
        if not statement.lstrip().upper().startswith(("SELECT", "WITH")):
            return
        with connection.connection.cursor() as cursor:
            # A table that is small is read whole for good reason: these are small in a test only.
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
            (plan,) = cursor.fetchone()
            cursor.execute("SET LOCAL enable_seqscan = on")
        found.update((how, table, statement) for how, table in _of(plan))

    event.listen(database.engine, "before_cursor_execute", explain)
    try:
        yield found
    finally:
        event.remove(database.engine, "before_cursor_execute", explain)


def _of(plan: Any) -> Iterator[tuple[str, str]]:
    if isinstance(plan, dict):
        if "Relation Name" in plan:
            yield plan["Node Type"], plan["Relation Name"]
        for each in plan.values():
            yield from _of(each)
    elif isinstance(plan, list):
        for each in plan:
            yield from _of(each)


@pytest.fixture
def client(database: Database) -> TestClient:
    """A company with a bit of everything, so that no question ends early."""
    with database.write() as session:
        put_cell(session, "2026-10-05T10:15", SEARCH, GPT, input=1000, unpriced=1)
        put_cell(session, "2026-10-05T10:15", SEARCH, LLAMA, input=1000, output=10)
        put_charge(session, "2026-10-05T10:15", "1", SEARCH, GPT)
        put_charge(session, "2026-10-05T10:15", "1", SEARCH, LLAMA, meter="pool", pool_id=1)
        put_buckets(session, "2026-10-05T10:15", LATENCY, {100: 3})
    asked = asking(database)
    for noun, body in MADE.items():
        answer = asked.post(f"/v1/{noun}", json=body)
        assert answer.status_code == 201, answer.text
    return asked


MADE: Final[dict[str, dict[str, Any]]] = {
    "prices": {
        "provider": "openai",
        "model": "gpt-4o",
        "meter": "input",
        "unit_price": "2.5",
        "currency": "USD",
        "valid_from": "2026-10-01",
    },
    "budgets": {"name": "search", "amount": "100", "filter": {"team": ["search"]}},
    "alert-rules": {"name": "errors", "kind": "error-rate"},
    "pools": {
        "name": "llama",
        "cost_per_hour": "10",
        "from": "2026-10-01",
        "to": "2026-10-08",
        "match": {"model": ["llama*"]},
    },
}


def asked_of(contract: dict[str, Any]) -> Iterator[str]:
    """Every GET under /v1 that is not about single calls, with ids of what the fixture made."""
    for path, methods in contract["paths"].items():
        if "get" in methods and path.startswith("/v1/") and path not in OF_CALLS:
            yield path


def test_no_report_reads_a_call_or_a_whole_table_that_grows(
    database: Database, client: TestClient
) -> None:
    paths = list(asked_of(client.get("/openapi.json").json()))
    assert len(paths) > 12
    for path in paths:
        takes = {each["name"] for each in _parameters(client, path)}
        # Exchange rates are from a currency to another one.
        asks = {"from": "USD", "to": "EUR"} if path == "/v1/rates" else MONTH | NAMED
        in_query = {name for name in takes if f"{{{name}}}" not in path}
        query = {name: value for name, value in asks.items() if name in in_query}
        if "group_by" in takes:
            query["group_by"] = "day,team,model"
        address = path
        for name, value in NAMED.items():
            address = address.replace(f"{{{name}}}", value)
        for name in takes:
            address = address.replace(f"{{{name}}}", "1")
        with scans(database) as found:
            answer = client.get(address, params=query)
        assert answer.status_code in {200, 404}, (path, answer.text)
        assert found, f"{path} asked nothing"
        read_calls = {(path, table, said) for _how, table, said in found if table.startswith(CALLS)}
        assert not read_calls
        whole = {
            (path, table, said)
            for how, table, said in found
            if how == "Seq Scan" and table in LARGE
        }
        assert not whole


ASKED_BY_POST: Final[dict[str, dict[str, Any]]] = {
    "what-if": MONTH | {"group_by": ["team"], "targets": [{"to": "openai/gpt-4o"}]},
    "ownership/preview?from=2026-10-01&to=2026-10-20": {
        "rules": [{"name": "moved", "match": {"team": ["search"]}, "gives": {"team": "b"}}]
    },
}
"""Questions that are too long for an address; nothing is written."""


@pytest.mark.parametrize("asked", ASKED_BY_POST)
def test_no_long_question_reads_a_call(database: Database, client: TestClient, asked: str) -> None:
    with scans(database) as found:
        answer = client.post(f"/v1/{asked}", json=ASKED_BY_POST[asked])
    assert answer.status_code == 200, answer.text
    assert found
    assert not {said for _how, table, said in found if table.startswith(CALLS)}


def test_no_alert_rule_reads_a_call_or_a_whole_table_that_grows(
    database: Database, client: TestClient
) -> None:
    with database.write() as session:
        for job in ("roll", "charge"):
            put_run(session, job, "2026-10-05T11:00")
    for kind in KINDS:
        rule = {"name": "a", "kind": kind, "over": "1000"}
        with scans(database) as found:
            answer = client.post("/v1/alert-rules/test", json=rule)
        assert (answer.status_code, answer.json()["error"]) == (200, None), answer.text
        assert found, kind
        assert not {said for _how, table, said in found if table.startswith(CALLS)}
        assert not {
            (kind, table, said)
            for how, table, said in found
            if how == "Seq Scan" and table in LARGE
        }


def _parameters(client: TestClient, path: str) -> list[dict[str, Any]]:
    contract = client.get("/openapi.json").json()
    found: list[dict[str, Any]] = contract["paths"][path]["get"].get("parameters", [])
    return found


@pytest.mark.parametrize("known", [{}, {"as_known_at": "2026-10-10"}])
def test_books_are_read_by_their_indexes(
    database: Database, client: TestClient, known: dict[str, str]
) -> None:
    sum_days(JobContext(database, now=at("2026-10-20")))
    with database.write() as session:
        put_charge(session, "2026-10-06T10:15", "1", SEARCH, GPT, booked="2026-10-19T00:00")
    billing = {**MONTH, "period": "billing", "group_by": "day,team,model"}
    kathmandu = {"timezone": "Asia/Kathmandu"}
    with scans(database) as found:
        for path, query in (
            ("spend", billing),
            ("charges", {**MONTH, "period": "billing"}),
            ("statements/2026-10", kathmandu),
        ):
            answer = client.get(f"/v1/{path}", params={**query, **known})
            assert answer.status_code == 200, answer.text
    assert not {said for _how, table, said in found if table.startswith(CALLS)}
    assert not {(table, said) for how, table, said in found if how == "Seq Scan" and table in LARGE}


def test_a_scan_of_calls_would_be_noticed(database: Database, client: TestClient) -> None:
    with scans(database) as found:
        client.get("/v1/calls", params={"from": "2026-10-01", "to": "2026-10-02"})
    assert any(table.startswith(CALLS) for _how, table, _said in found)
