"""What the API tells Prometheus: of its process, the ledger and spend; to whom, at what cost."""

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from budgeted import budget, evaluate
from fastapi.testclient import TestClient
from filled_ledger import GPT, SEARCH, asking, at, put_cell, put_run
from serving import PATIENCE
from sqlalchemy import insert
from test_export import TOLD as SO_FAR
from test_reports_read_rollups import scans
from told_metrics import (
    OPEN,
    assert_is_listed,
    assert_is_open_metrics,
    assert_promtool_has_no_complaint,
    told,
)
from two_teams import NOW, TOLD_OF, TwoTeams, ledger_of_two

from api.budgets import budget_board
from api.metrics import metric_list, metrics
from api.metrics.spend_metrics import spend_metrics
from jobs.timetable import JOBS
from spend.job_ticks import EVERY, tick_of, ticks_since
from store.metrics.metric_text import as_text
from store.postgres import pulse
from store.postgres.partitions import ensure
from store.postgres.sessions import Database, open_database
from store.tables.budgets import outbox
from store.tables.heard import batches
from store.tables.jobs import job_runs
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

PATHS = metric_list.PATHS


made = ledger_of_two


@pytest.fixture(autouse=True)
def a_busy_machine_is_no_postgres_that_hangs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(pulse, "_PATIENCE", 30.0)
    yield
    for thread in threading.enumerate():
        if thread.name == "pulse":
            # It tells the log: of another test it would be.
            thread.join(PATIENCE)


def text_of(client: TestClient, path: str = "/metrics", **headers: str) -> str:
    answer = client.get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_each_path_tells_what_is_listed_and_promtool_has_no_complaint(made: TwoTeams) -> None:
    client = made.asking(made.keys["read"])
    texts = {path: text_of(client, path) for path in PATHS}
    # There is no replica.
    for path, listed in PATHS.items():
        assert_is_listed(texts[path], listed, but=[metric_list.REPLICA])
        assert_is_open_metrics(text_of(client, path, accept=OPEN))
    for text in texts.values():
        assert_promtool_has_no_complaint(text)


def test_whatever_is_accepted_is_answered(made: TwoTeams) -> None:
    client = made.asking(made.keys["read"])
    for accept in ("application/openmetrics-text; version=none", "text/plain;version=x", "", "*"):
        assert "spanledger_build_info" in text_of(client, accept=accept)


def test_requests_are_counted_by_their_route_and_nothing_that_anybody_sent(made: TwoTeams) -> None:
    client = made.asking(made.keys["read"])
    client.get(f"/v1/calls/{'a' * 32}/{'b' * 16}")
    client.get("/v1/statements/2026-10")
    client.get("/no-such-page/amber")
    client.get("/v1/spend", params={"amber": 1})
    client.request("AMBER", "/v1/spend")
    client.post("/v1/budgets", content=b"x" * 5_000_000)
    text = text_of(client)
    found = told(text)
    # In the order of the names: method, route, status.
    requests = found["spanledger_api_requests_total"]
    assert requests["GET", "/v1/calls/{trace_id}/{span_id}", "4xx"] == 1
    assert requests["GET", "/v1/statements/{month}", "2xx"] == 1
    assert requests["GET", "(none)", "4xx"] == 1
    assert requests["GET", "/v1/spend", "4xx"] == 1
    assert any(method == "other" for method, _route, _status in requests)
    assert sum(requests.values()) == 6
    took = found["spanledger_api_request_duration_seconds_count"]
    assert took["/v1/statements/{month}",] == 1
    assert sum(took.values()) == 6
    assert found["spanledger_api_requests_in_progress"][()] == 0
    assert "amber" not in text.lower()
    assert found["spanledger_api_database_connections_limit"][()] == 10


def test_a_request_that_fails_is_counted_as_ours(
    made: TwoTeams, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = made.asking(made.keys["read"])

    def fails(*_args: Any, **_named: Any) -> None:
        raise AssertionError

    monkeypatch.setattr("api.spending.spend.spend_by", fails)
    asked = {"from": "2026-10-01", "to": "2026-11-01"}
    assert client.get("/v1/spend", params=asked).status_code == 500
    requests = told(text_of(client))["spanledger_api_requests_total"]
    assert requests["GET", "/v1/spend", "5xx"] == 1


def test_keys_that_are_none_are_counted(made: TwoTeams) -> None:
    client = made.asking()
    good = {"Authorization": f"Bearer {made.keys['read']}"}
    assert client.get("/metrics", headers=good).status_code == 200
    answered: Counter[int] = Counter()
    # So many that whichever minute it is some come too often.
    for number in range(65):
        shown = {"Authorization": f"Bearer sl_read_{number:060}"}
        answered[client.get("/v1/spend", headers=shown).status_code] += 1
    found = told(text_of(client, **good))["spanledger_api_refused_keys_total"]
    assert found == {("unknown",): answered[401], ("wait",): answered[429]}
    assert set(answered) == {401, 429}


def test_a_key_of_one_team_is_told_of_its_own_spend_alone(made: TwoTeams) -> None:
    for team, other in (("search", "support"), ("support", "search")):
        client = made.asking(made.keys[f"read {team}"])
        for path in ("/metrics", "/metrics/ledger"):
            assert client.get(path).status_code == 403
        text = text_of(client, "/metrics/spend")
        costs = told(text)["spanledger_month_cost"]
        assert {labels[-1] for labels in costs} == {team}
        assert TOLD_OF[team] in text
        assert other not in text
        assert TOLD_OF[other] not in text
    both = told(text_of(made.asking(made.keys["read"]), "/metrics/spend"))
    assert {labels[-1] for labels in both["spanledger_month_cost"]} == {"search", "support"}


def test_spend_is_what_the_report_says(made: TwoTeams) -> None:
    client = made.asking(made.keys["read"])
    found = told(text_of(client, "/metrics/spend"))
    asked = {"from": "2026-10-01", "to": "2026-11-01", "group_by": "team,provider,model"}
    rows = client.get("/v1/spend", params=asked).json()["rows"]
    for row in rows:
        labels = (row["model"], row["provider"], row["team"])
        cost = found["spanledger_month_cost"]["USD", *labels]
        assert Decimal(str(cost)) == Decimal(row["cost"])
        assert found["spanledger_month_calls"][labels] == row["calls"]
    assert len(found["spanledger_month_cost"]) == len(rows)
    budget = TOLD_OF["search"]
    assert found["spanledger_budget_spent"][budget, "USD"] == 10
    assert found["spanledger_budget_limit"][budget, "USD"] == 10
    assert found["spanledger_budget_used_ratio"][budget,] == 1


def test_what_is_not_known_has_no_series() -> None:
    _type, text = as_text(spend_metrics(replace(SO_FAR, complete_until=None)), None)
    found = told(text.decode())
    # In the order of the names: currency, model, provider, team.
    assert found["spanledger_month_cost"] == {("EUR", "gpt-4o", "openai", "search"): 12.5}
    assert found["spanledger_month_unpriced_calls"]["", "", "support"] == 2
    assert found["spanledger_month_cost_without_rate"] == {("JPY",): 7}
    assert found["spanledger_budget_used_ratio"] == {("all",): 0.9}
    assert found["spanledger_month_not_apart"]["pool",] == 4
    assert "spanledger_complete_until_timestamp_seconds" not in found


def test_the_ledger_tells_what_waits_what_is_late_and_what_failed(database: Database) -> None:
    now = at(NOW)
    with database.write() as session:
        ensure(session, now.date() - timedelta(days=1), now.date() + timedelta(days=4))
        put_cell(session, "2026-10-20T08:00", SEARCH, GPT, calls=7, unpriced=3)
        put_cell(session, "2026-10-18T08:00", SEARCH, GPT, calls=50, unpriced=50)
        put_cell(session, "2026-10-20T09:00", SEARCH, GPT, calls=9, unpriced=None, charged=False)
        canary = replace(GPT, provider="spanledger", model="canary")
        put_cell(session, "2026-10-20T10:00", SEARCH, canary, calls=2, unpriced=0)
        put_cell(session, "2026-10-18T10:00", SEARCH, canary, calls=8, unpriced=0)
        put_run(session, "roll", "2026-10-20T11:55", finished="2026-10-20T11:59")
        put_run(session, "charge", "2026-10-20T11:50", finished="2026-10-20T11:58:30")
        failed = {"job": "charge", "period": now, "note": "no", "failed": True}
        times = {"started_at": now - timedelta(seconds=9), "finished_at": now}
        session.execute(insert(job_runs).values(failed | times))
        heard = {"heard": 1, "stored": 1, "duplicate": 0, "not_a_call": 0, "refused": 0}
        for number, ago in enumerate((40, 20), 1):
            its = {"tenant_id": TENANT, "id": number, "received_at": now - timedelta(seconds=ago)}
            session.execute(insert(batches).values(its | heard))
        for status, minutes in (("pending", 5), ("pending", -60), ("dead", 9), ("sent", 9)):
            its = {"tenant_id": TENANT, "body": {}, "status": status, "created_at": now}
            due = now - timedelta(minutes=minutes)
            session.execute(insert(outbox).values(next_at=due, **its))
    client = asking(database)
    budget(database, at("2026-10-01"))
    evaluate(database, now)
    found = told(text_of(client, "/metrics/ledger"))
    assert found["spanledger_database_up"][()] == 1
    stamp = at("2026-10-20T11:58:30").timestamp()
    assert found["spanledger_job_last_success_timestamp_seconds"]["charge",] == stamp
    assert found["spanledger_job_last_duration_seconds"]["charge",] == 9
    assert found["spanledger_job_failed"]["charge",] == 1
    assert found["spanledger_job_failed"]["roll",] == 0
    assert found["spanledger_job_ticks_due"]["roll",] == 4
    assert found["spanledger_job_interval_seconds"]["roll",] == 15
    until = found["spanledger_complete_until_timestamp_seconds"][()]
    assert until == at("2026-10-20T11:50").timestamp()
    assert found["spanledger_batches_waiting"][()] == 2
    assert found["spanledger_batches_oldest_seconds"][()] == 40
    assert found["spanledger_day_calls"][()] == 9
    assert found["spanledger_day_canary_calls"][()] == 2
    assert found["spanledger_day_unpriced_calls"][()] == 3
    assert found["spanledger_outbox_messages"] == {("waiting",): 2, ("dead",): 1}
    assert found["spanledger_outbox_oldest_due_seconds"][()] == 300
    assert found["spanledger_budgets"]["ok",] == 1
    assert found["spanledger_alerts_open"]["actual",] == 0
    assert found["spanledger_partitions_ahead"][()] == 4
    assert found["spanledger_database_size_bytes"][()] > 10**6


def test_alerts_that_are_open_are_counted_by_kind(made: TwoTeams) -> None:
    client = made.asking(made.keys["read"])
    found = told(text_of(client, "/metrics/ledger"))
    listed = client.get("/v1/alerts", params={"limit": 100}).json()["alerts"]
    over = {"recovered", "ended"}
    assert found["spanledger_alerts_open"]["actual",] == sum(
        each["kind"] == "actual" and each["state"] not in over for each in listed
    )
    assert found["spanledger_alerts_open"]["actual",] > 0


def test_no_metric_reads_a_call_or_a_whole_table_and_none_is_read_twice_in_a_moment(
    made: TwoTeams, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Who asks is known for two seconds, and what was read for ten: a busy machine takes longer.
    monkeypatch.setattr(budget_board, "FRESH", 60)
    monkeypatch.setattr(metrics, "LEDGER_FRESH", 60)
    monkeypatch.setattr(metrics, "SPEND_FRESH", 60)
    client = made.asking(made.keys["read"])
    for path in PATHS:
        with scans(made.database) as found:
            text_of(client, path)
        assert not {table for _how, table, _said in found if table.startswith(("sight", "joined"))}
        assert not {(how, table) for how, table, _said in found if how == "Seq Scan"}
        with scans(made.database) as again:
            text_of(client, path)
        assert not again


def test_while_postgres_is_away_or_hangs_the_process_is_still_told_to_who_was_let_in(
    made: TwoTeams, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = made.asking(made.keys["read"])
    assert told(text_of(client))["spanledger_database_up"][()] == 1
    monkeypatch.setattr(pulse, "_GOOD_FOR", 0.0)
    app: Any = client.app
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hangs = silent.getsockname()[1]
        # At port 1 nobody listens; at the other one somebody who never answers.
        for port, patience in ((1, 20.0), (hangs, 0.05)):
            monkeypatch.setattr(pulse, "_PATIENCE", patience)
            gone = open_database(f"postgresql://127.0.0.1:{port}/none", application="tests")
            app.state.counting.pulse = pulse.Pulse(gone)
            known = app.state.boards._callers
            app.state.boards._callers = {each: (who, 0.0) for each, (who, _) in known.items()}
            found = told(text_of(client))
            assert found["spanledger_database_up"][()] == 0
            assert "spanledger_api_requests_total" in found
            for path in ("/metrics/ledger", "/metrics/spend"):
                assert told(text_of(client, path)) == {"spanledger_database_up": {(): 0}}
            stranger = {"Authorization": f"Bearer {made.keys['admin']}"}
            assert client.get("/metrics", headers=stranger).status_code == 503
            gone.hang_up()
            gone.engine.dispose()


def test_a_postgres_that_hangs_is_waited_for_once_in_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float | None] = []

    class Counted(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout)
            return super().wait(timeout)

    monkeypatch.setattr(pulse, "Event", Counted)
    monkeypatch.setattr(pulse, "_PATIENCE", 0.3)
    monkeypatch.setattr(pulse, "_GOOD_FOR", 60.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hangs = f"postgresql://127.0.0.1:{silent.getsockname()[1]}/none"
        gone = open_database(hangs, application="tests")
        asked = pulse.Pulse(gone)
        assert not any(asked.up() for _ in range(20))
        assert waits == [0.3]
        gone.hang_up()
    gone.engine.dispose()


def test_every_job_of_the_timetable_has_its_ticks() -> None:
    assert {name: job.every for name, job in JOBS.items()} == EVERY
    noon = at("2026-10-20T12:00:10")
    assert tick_of(noon, 15) == at("2026-10-20T12:00")
    assert ticks_since(at("2026-10-20T11:59:59"), noon, 15) == 1
    assert ticks_since(at("2026-10-20T12:00:01"), noon, 15) == 0
