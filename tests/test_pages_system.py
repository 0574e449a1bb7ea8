"""The page that watches spanledger itself: what was heard, what waited, what the jobs did."""

import csv
from datetime import timedelta
from io import StringIO

import pytest
from fastapi.testclient import TestClient
from filled_ledger import asking, at
from sqlalchemy import insert

from spend.slots import SLOT
from store import runs
from store.intake.heard_lately import heard_lately
from store.postgres.sessions import Database
from store.tables.heard import batches
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

NOW = "2026-10-20T12:07:30"


def heard(database: Database, number: int, when: str, wait: int | None, **counts: int) -> None:
    """A batch received at ``when`` that was in the rollups ``wait`` seconds later."""
    told = {"stored": 0, "duplicate": 0, "not_a_call": 0, "refused": 0, **counts}
    with database.write() as session:
        session.execute(
            insert(batches).values(
                tenant_id=TENANT,
                id=number,
                received_at=at(when),
                heard=sum(told.values()),
                refused_for={"too_old": told["refused"]} if told["refused"] else None,
                rolled_at=None if wait is None else at(when) + timedelta(seconds=wait),
                **told,
            )
        )


def ran(database: Database, job: str, when: str, seconds: float, *, failed: bool = False) -> None:
    with database.write() as session:
        began = at(when)
        runs.record(
            session,
            job,
            period=began,
            started_at=began,
            finished_at=began + timedelta(seconds=seconds),
            complete_until=began,
            note="could not reach it" if failed else "3 of 3",
            failed=failed,
        )


def client_of(database: Database) -> TestClient:
    heard(database, 1, "2026-10-20T12:05:10", 31, stored=90, duplicate=6, not_a_call=3, refused=1)
    heard(database, 2, "2026-10-20T12:05:50", 45, stored=10)
    heard(database, 3, "2026-10-20T12:07:10", None, stored=5)
    heard(database, 4, "2026-10-20T09:00:00", 900, stored=700)
    for seconds in (1, 2, 60):
        ran(database, "roll", f"2026-10-20T12:0{seconds % 7}:00", seconds)
    ran(database, "charge", "2026-10-20T12:05:00", 1, failed=True)
    return asking(database, now=NOW)


def rows_of(client: TestClient, **asked: str) -> list[dict[str, str]]:
    answer = client.get("/settings/system", params=asked)
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(StringIO(answer.text.removeprefix("\ufeff"))))


def test_a_stretch_tells_what_was_heard_in_it_and_how_long_it_waited(database: Database) -> None:
    client_of(database)
    with database.read() as session:
        found = heard_lately(session, TENANT, at("2026-10-20T12:00"), at(NOW), timedelta(minutes=1))
    assert [each.at for each in found] == [at(f"2026-10-20T12:0{minute}:00") for minute in range(8)]
    told = {f"{each.at:%H:%M}": each for each in found if each.heard}
    assert list(told) == ["12:05", "12:07"]
    five, seven = told.values()
    assert (five.heard, five.stored, five.duplicate, five.not_a_call, five.refused) == (
        110, 100, 6, 3, 1
    )  # fmt: skip
    assert five.longest_wait == timedelta(seconds=45)
    assert (seven.stored, seven.longest_wait) == (5, None)


def test_a_batch_stands_in_one_stretch_alone(database: Database) -> None:
    for number in range(4):
        heard(database, number, f"2026-10-20T12:{15 * number:02}:00", 1, stored=1)
    with database.read() as session:
        found = heard_lately(session, TENANT, at("2026-10-20T12:00"), at("2026-10-20T13:00"), SLOT)
    assert [each.stored for each in found] == [1, 1, 1, 1]


def test_the_page_says_what_was_heard_refused_and_how_far_reports_are(database: Database) -> None:
    shown = client_of(database).get("/settings/system").text
    for figure in ("115", "105 calls, 6 sent again", "0.9% of what was heard", ">45.0 s<"):
        assert figure in shown, figure
    day = asking(database, now=NOW).get("/settings/system?last=24h").text
    assert "15 min" in day


def test_jobs_tell_how_long_they_took_and_how_often_they_failed(database: Database) -> None:
    jobs = {row["job"]: row for row in rows_of(client_of(database), csv="jobs")}
    assert jobs["roll"]["runs"] == "3"
    assert (jobs["roll"]["usual"], jobs["roll"]["longest"]) == ("2000", "60000")
    assert jobs["roll"]["outcome"] == "done"
    assert (jobs["charge"]["failed"], jobs["charge"]["outcome"]) == ("1", "failed")
    assert jobs["charge"]["note"] == "could not reach it"


def test_reasons_of_refusals_are_told_with_their_counts(database: Database) -> None:
    assert rows_of(client_of(database), csv="refusals") == [
        {"reason": "too_old", "spans": "1", "what": "the span"}
    ]


def test_a_system_that_heard_nothing_says_so(database: Database) -> None:
    shown = asking(database, now=NOW).get("/settings/system").text
    assert "Nothing was heard in this time" in shown
    assert "None ever ran" in shown
