"""The simulated company, through the real door into the real ledger: counted right, and once."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest
from doors import open_doors
from fastapi.testclient import TestClient
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from serving import spanledger

from api.app import create_app
from api.settings import ApiSettings
from app.demo import run
from app.demo.agreements import MOVED, MOVED_TO
from app.demo.emit import Sender
from app.demo.run import Wishes, past
from app.demo.send import beginning
from app.demo.traffic import Call, plan_between
from app.settings import Settings
from jobs import timetable
from store.postgres.sessions import Database

WISHES = Wishes(weeks=1, scale=0.08, seed=7, live=False, pace=1, once=True)


def planned(now: datetime) -> list[tuple[str, Call]]:
    """Every call of the plan, with who is to pay for it."""
    moved = (beginning(now, 1) + timedelta(days=3)).timestamp() * 1e9
    hours = plan_between(beginning(now, 1), now, seed=7, scale=WISHES.scale)
    return [
        (
            MOVED_TO
            if exchange.workload.service == MOVED and call.start_ns >= moved
            else exchange.workload.team or "unallocated",
            call,
        )
        for _, plan in hours
        for exchange in plan
        if exchange.end_ns <= now.timestamp() * 1e9
        for call in exchange.calls
    ]


@pytest.mark.one_server
def test_the_demo_is_counted_as_planned_however_often_it_is_sent(
    database: Database,
    database_url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # No hour ends meanwhile: one more would be paid for.
    moment = datetime.now(UTC)
    monkeypatch.setattr(run, "_now", lambda: moment)
    monkeypatch.setattr(timetable, "datetime", SimpleNamespace(now=lambda _zone: moment))
    # A moment that does not depend on when the test runs, but for the date.
    now = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    settings = Settings(database_url=database_url)
    app = create_app(database, ApiSettings(), lambda: moment)
    with open_doors(database) as doors, TestClient(app) as api:
        exporter = OTLPSpanExporter(f"http://{doors.http}/v1/traces")
        sender = Sender(exporter)
        past(api, sender, Event(), now=now, settings=settings, wishes=WISHES)
        once = spend(api, now)
        past(api, sender, Event(), now=now, settings=settings, wishes=WISHES)
        accounts = doors.accounted()
    assert (
        accounts["stored"] + accounts["not_a_call"] / 2 == accounts["heard"] / 2 == sender.sent / 2
    )
    assert accounts["refused"] == 0

    calls = planned(now)
    assert {team: row["calls"] for team, row in once.items() if row["calls"]} == Counter(
        team for team, _ in calls
    )
    assert {team: row["errors"] for team, row in once.items() if row["errors"]} == Counter(
        team for team, call in calls if call.fault
    )
    for team, row in once.items():
        own = [call for payer, call in calls if payer == team]
        usage = row["usage"]
        assert usage["output_tokens"] == sum(call.output for call in own)
        assert usage["input_tokens"] + usage["cache_read_tokens"] + usage[
            "cache_write_tokens"
        ] == sum(call.prompt for call in own)
    assert spend(api, now) == once

    # Every hour of the pools is paid for, used or not.
    hours = (moment - beginning(now, 1)) // timedelta(hours=1) + 1
    asked = {**period(now), "group_by": "deployment"}
    rows = api.get("/v1/spend", params=asked).json()["rows"]
    paid = next(row["cost"] for row in rows if row["deployment"] == "self-hosted")
    rented, owned = (
        api.get(f"/v1/pools/{each['id']}", params=period(now)).json()
        for each in api.get("/v1/pools").json()["pools"]
    )
    assert (rented["hours"], owned["hours"]) == (hours, hours)
    assert Decimal(rented["cost"]) == hours * Decimal("5.50")
    assert Decimal(paid) == Decimal(rented["cost"]) + Decimal(owned["cost"])
    parts = {each["name"]: Decimal(each["cost"]) for each in owned["components"]}
    assert set(parts) == {"depreciation", "energy", "colocation", "operations"}
    assert sum(parts.values()) == Decimal(owned["cost"])

    unpriced = api.get("/v1/prices/unpriced").json()["unpriced"]
    assert [one["model"] for one in unpriced] == ["acme/brand-voice-lora-3"]
    said = capsys.readouterr().out
    assert "unallocated" in said
    assert said.count("declared the pools") == 1


def period(now: datetime) -> dict[str, str]:
    tomorrow = now + timedelta(days=1)
    return {"from": f"{beginning(now, 1):%Y-%m-%d}", "to": f"{tomorrow:%Y-%m-%d}"}


def spend(api: TestClient, now: datetime) -> dict[str, Any]:
    rows = api.get("/v1/spend", params={**period(now), "group_by": "team"}).json()["rows"]
    return {row["team"]: row for row in rows}


def test_the_command_fills_a_new_machine_and_ends_when_it_was_asked_to(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("demo", "--once", "--weeks", "1", "--scale", "0.02")
    # One for the world does not know this machine.
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    done = spanledger(data_dir, *asked, COLLECTOR_WORKERS="1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "by team" in done.stdout
    assert "done." in done.stdout


def test_a_trace_that_is_none_is_refused_before_anything_runs(
    data_dir: Path, tmp_path: Path
) -> None:
    (tmp_path / "no.csv").write_text("a,b\n")
    done = spanledger(data_dir, "demo", "--trace", str(tmp_path / "no.csv"))
    assert done.returncode == 2
    assert "line 1: expected the columns" in done.stderr
    assert not data_dir.exists()
