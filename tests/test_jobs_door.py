"""The door of the jobs' process: alive while its clock ticks, telling who may read everything."""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event

import pytest
from serving import eventually
from told_metrics import (
    OPEN,
    assert_is_listed,
    assert_is_open_metrics,
    assert_promtool_has_no_complaint,
    told,
)

from app.commands import jobs as jobs_command
from app.jobs_door import jobs_door
from app.settings import Settings
from jobs import metric_list, run_counts, timetable
from jobs.context import Done, JobContext, JobSettings
from jobs.run_counts import RunCounts
from jobs.timetable import JOBS, Job, start_clock
from store.access.keys import create_key, list_keys, revoke_key
from store.postgres.sessions import Database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

PEPPER = "sixteen bytes and more"


@dataclass
class Asked:
    """A door, and what was counted behind it."""

    address: str
    counts: RunCounts

    def get(self, path: str, method: str = "GET", **headers: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection(self.address, timeout=20)
        try:
            connection.request(method, path, headers=headers)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def metrics(self, **headers: str) -> str:
        status, text = self.get("/metrics", **headers)
        assert status == 200, text
        return text


@contextmanager
def door(database: Database, counts: RunCounts | None = None) -> Iterator[Asked]:
    counts, stop = counts or RunCounts(), Event()
    settings = Settings(jobs_addr="127.0.0.1:0", key_pepper=PEPPER)  # type: ignore[arg-type]  # as it is set
    with jobs_door(settings, database, counts, stop) as address:
        assert address
        yield Asked(address, counts)
    stop.set()


def key(database: Database, kind: str, team: str | None = None) -> str:
    with database.write() as session:
        return create_key(
            session,
            tenant=TENANT,
            kind=kind,
            name=f"{kind} {team}",
            team=team,
            pepper=PEPPER.encode(),
            now=datetime.now(UTC),
        )


def test_without_an_address_nothing_is_opened(database: Database) -> None:
    with jobs_door(Settings(), database, RunCounts(), Event()) as address:
        assert address is None


def test_it_tells_what_is_listed_and_promtool_has_no_complaint(database: Database) -> None:
    with door(database) as asked:
        asked.counts.beats(datetime.now(UTC))
        text = asked.metrics()
        assert_is_listed(text, metric_list.METRICS)
        assert_promtool_has_no_complaint(text)
        assert_is_open_metrics(asked.metrics(Accept=OPEN))


def test_runs_are_counted_by_how_they_ended_with_how_long_they_took(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = Event()

    def fails(_context: JobContext) -> Done:
        raise ValueError("no")

    def waits(context: JobContext) -> Done:
        del context
        ran.wait(20)
        return Done("done")

    jobs = {"roll": Job(waits, 3600, "waits"), "charge": Job(fails, 3600, "fails")}
    monkeypatch.setattr(timetable, "JOBS", jobs)
    with door(database) as asked:
        clock = start_clock(database, JobSettings(), counts=asked.counts)
        try:
            eventually(
                lambda: told(asked.metrics())["spanledger_job_running"]["roll",] == 1, "it runs"
            )
            ran.set()
            eventually(
                lambda: told(asked.metrics())["spanledger_job_runs_total"]["roll", "done"] == 1,
                "it is done",
            )
            found = told(asked.metrics())
            assert found["spanledger_job_runs_total"]["charge", "failed"] == 1
            assert found["spanledger_job_duration_seconds_count"]["charge",] == 1
            assert found["spanledger_job_duration_seconds_sum"]["roll",] > 0
            assert found["spanledger_job_running"]["roll",] == 0
            eventually(
                lambda: "spanledger_jobs_heartbeat_timestamp_seconds" in told(asked.metrics()),
                "the clock ticks",
            )
        finally:
            ran.set()
            clock.shutdown()


def test_a_process_whose_clock_stands_still_is_not_alive(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timetable, "JOBS", {})
    monkeypatch.setattr(run_counts, "DEAD_AFTER", 3.0)
    with door(database) as asked:
        clock = start_clock(database, JobSettings(), counts=asked.counts)
        try:
            eventually(lambda: asked.counts.counts().beat_at, "the clock ticks")
            assert asked.get("/livez") == (200, '{"alive":true}')
            assert asked.get("/readyz")[0] == 200
            # What its thread would be after an error that nobody foresaw.
            clock.pause()
            eventually(lambda: asked.get("/livez")[0] == 503, "it is not alive")
            assert asked.get("/readyz")[0] == 503
        finally:
            clock.shutdown()


def test_metrics_are_told_to_this_machine_until_there_is_a_key_then_to_who_reads_everything(
    database: Database,
) -> None:
    with door(database) as asked:
        assert asked.get("/metrics")[0] == 200
        for header in ("X-Forwarded-For", "X-Real-IP"):
            assert asked.get("/metrics", **{header: "192.0.2.7"})[0] == 401
        assert asked.get("/metrics", Host="page.example:9464")[0] == 401
    callers = {
        "": 401,
        "sl_read_nonsense": 401,
        key(database, "ingest"): 403,
        key(database, "read", "search"): 403,
        key(database, "read"): 200,
        key(database, "admin"): 200,
    }
    with door(database) as asked:
        for shown, status in callers.items():
            headers = {"Authorization": f"Bearer {shown}"} if shown else {}
            for _twice in range(2):
                assert asked.get("/metrics", **headers)[0] == status
        for path in ("/livez", "/readyz"):
            assert asked.get(path)[0] == 200
        assert asked.get("/else")[0] == 404
        assert asked.get("/metrics", method="POST")[0] == 405


def test_a_revoked_key_is_not_let_in(database: Database) -> None:
    text = key(database, "read")
    with database.write() as session:
        (made,) = list_keys(session, tenant=TENANT)
        assert revoke_key(session, made.id, tenant=TENANT, now=datetime.now(UTC))
    key(database, "admin")
    with door(database) as asked:
        assert asked.get("/metrics", Authorization=f"Bearer {text}")[0] == 401


def test_the_timetable_is_what_is_counted() -> None:
    assert {each[0] for each in run_counts.Counts().took} == set(JOBS)


def test_its_address_is_told_as_it_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    jobs_command._say({"jobs": "by the clock", "jobs_door": "127.0.0.1:8322"}, "https")
    assert "at https://127.0.0.1:8322/metrics" in capsys.readouterr().out
