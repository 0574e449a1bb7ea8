"""Months over the API and on the command line."""

import hashlib
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result
from closed_months import close, filled, settle, states
from filled_ledger import NOBODY, SEARCH, asking, at, put_cell
from owned import use
from sqlalchemy import text

from app.commands import months
from spend.calls import Route
from spend.months.month_records import canonical, sha256_of
from store.access.keys import create_key
from store.months import month_lines
from store.postgres.sessions import Database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

NOW = "2026-11-20T12:00"
NEW = Route(provider="acme", model="new", operation="chat", deployment="api")


def without_a_price(database: Database) -> None:
    with database.write() as session:
        put_cell(session, "2026-10-12", NOBODY, NEW, calls=3, input=7, charged=False, unpriced=None)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(months.command, arguments)


def test_a_month_is_closed_over_the_api(database: Database) -> None:
    without_a_price(database)
    client = asking(database, now=NOW)
    assert client.get("/v1/months").json() == {"months": [], "next": None, "hash": None}
    early = client.post("/v1/months/2026-10/close", json={})
    assert (early.status_code, early.json()["title"]) == (409, "The month stays as it is")
    told = early.json()["detail"]
    assert told.startswith("the jobs have never run; 3 calls in 1 cells wait to be charged; run:")
    filled(database)
    soft = client.post("/v1/months/2026-09/soft-close", json={"note": "accrued"}).json()
    assert (soft["state"], soft["acts"][0]["by"]) == ("soft-closed", "anybody on this machine")
    again = client.post("/v1/months/2026-09/reopen", json={"reason": "wrong contract"}).json()
    assert [each["act"] for each in again["acts"]] == ["soft-close", "reopen"]
    closed = client.post("/v1/months/2026-09/close", json={}).json()
    assert sha256_of(canonical(closed["record"])) == closed["hash"]
    assert closed["record"]["sums"]["USD"]["effective"] == "20.00"

    lacking = client.post("/v1/months/2026-10/close", json={})
    assert (lacking.status_code, lacking.json()["field"]) == (422, "accept")
    assert "unpriced: 3 calls of unknown cost: acme new" in lacking.json()["detail"]
    tried = client.post("/v1/months/2026-10/close", json={"dry_run": True}).json()
    assert (tried["state"], tried["record"]["previous"]) == ("open", closed["hash"])
    assert [each["name"] for each in tried["warnings"]] == ["unpriced"]
    after = client.post("/v1/months/2026-10/close", json={"accept": ["unpriced"]}).json()
    assert after["record"]["previous"] == closed["hash"]
    listed = client.get("/v1/months").json()
    assert [each["name"] for each in listed["months"]] == ["2026-09", "2026-10"]
    assert (listed["next"]["name"], listed["hash"]) == ("2026-11", after["hash"])
    assert client.get("/v1/months/2026-10").json() == after

    refused: dict[str, tuple[Any, int, str]] = {
        "2026-13/close": ({}, 422, "is not a month such as 2026-10"),
        "FY2026-Q1/close": ({}, 422, "the books are kept in periods such as 2026-01"),
        "2026-11/close": ({"accept": ["unprized"]}, 409, "it ends 2026-12-01 00:00 UTC"),
        "2026-10/reopen": ({"reason": "x"}, 409, "2026-10 is closed for good"),
        "2026-11/reopen": ({"reason": " "}, 422, "reason"),
        "2026-11/soft-close": ({"by": "me"}, 422, "there is no such field"),
    }
    for path, (body, status, why) in refused.items():
        answer = client.post(f"/v1/months/{path}", json=body)
        assert (answer.status_code, why in answer.json()["detail"]) == (status, True), answer.json()


def test_only_an_admin_closes_and_a_key_of_a_team_sees_no_months(database: Database) -> None:
    keys = {}
    with database.write() as session:
        for kind, team in (("admin", None), ("read", None), ("read", "search")):
            made = create_key(
                session, tenant=TENANT, name="k", kind=kind, team=team, pepper=b"", now=at(NOW)
            )
            keys[kind, team] = {"Authorization": f"Bearer {made}"}
    client = asking(database, now=NOW)
    post = {
        each: client.post("/v1/months/2026-09/close", json={}, headers=keys[each]) for each in keys
    }
    assert [answer.status_code for answer in post.values()] == [409, 403, 403]
    get = {each: client.get("/v1/months", headers=keys[each]) for each in keys}
    assert [answer.status_code for answer in get.values()] == [200, 200, 403]


def test_a_month_is_closed_and_proven_on_the_command_line(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPANLEDGER_DATABASE_URL", database_url)
    without_a_price(database)
    assert "no month is closed" in run("list").output
    filled(database)
    assert run("soft-close", "2026-09").exit_code == 0
    use(database, "2026-09-11T08:00", SEARCH, 5)
    settle(database)
    assert run("reopen", "2026-09", "--by", "ben", "--reason", "late contract").exit_code == 0
    assert run("close", "2026-09", "--by", "ann", "--note", "reviewed").exit_code == 0
    refused = run("close", "2026-10")
    assert refused.exit_code == 1
    assert "unpriced: 3 calls of unknown cost: acme new (3 calls, no price)" in refused.output
    assert "spanledger months close 2026-10 --accept unpriced" in refused.output
    tried = run("close", "2026-10", "--dry-run")
    assert "nothing was changed; to close it: spanledger months close 2026-10 --acc" in tried.output
    closed = run("close", "2026-10", "--accept", "unpriced")
    sha256 = closed.output.split("hash  ")[1].split()[0]
    assert "USD" in closed.output
    record = run("show", "2026-10", "--record").output
    assert hashlib.sha256(record.encode()).hexdigest() == sha256
    listed = run("list").output
    assert max(map(len, listed.splitlines())) <= 80
    told = [line.split()[:2] for line in listed.splitlines()[1:]]
    assert told == [["2026-09", "closed"], ["2026-10", "closed"], ["2026-11", "open"]]
    proven = run("verify", "--hash", sha256)
    assert (proven.exit_code, "2 months are what" in proven.output) == (0, True)
    with database.write() as session:
        session.execute(text("ALTER TABLE charges DISABLE TRIGGER USER"))
        session.execute(text("UPDATE charges SET amount = 6 WHERE slot < '2026-10-01'"))
    broken = run("verify", "--hash", "f" * 64)
    assert broken.exit_code == 1
    assert f"no closed month has the hash {'f' * 64}" in broken.output
    assert "2026-09: ledger lines: of 2 lines some were changed" in broken.output
    assert "2026-10: ledger" in broken.output


def test_stopped_with_ctrl_c_nothing_is_closed(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPANLEDGER_DATABASE_URL", database_url)
    filled(database)

    def stop(_lines: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(month_lines, "TOLD_EVERY", 1)
    monkeypatch.setattr(months, "read_so_far", stop)
    stopped = run("close", "2026-09")
    assert (stopped.exit_code, "stopped: nothing was changed" in stopped.output) == (130, True)
    assert states(database) == {}


def test_the_statement_of_a_closed_month_is_of_the_time_it_was_closed_with(
    database: Database,
) -> None:
    filled(database)
    use(database, "2026-09-30T23:15", SEARCH, 5)
    settle(database)
    close(database, "2026-09")
    path = "/v1/statements/2026-09"
    told = asking(database, now=NOW).get(path).json()
    berlin = asking(database, now=NOW, timezone=ZoneInfo("Europe/Berlin"))
    assert berlin.get(path).json() == told
    assert told["total"]["cost"] == "25.00"
    elsewhere = berlin.get(path, params={"timezone": "Europe/Berlin"}).json()
    assert elsewhere["total"]["cost"] == "20.00"
