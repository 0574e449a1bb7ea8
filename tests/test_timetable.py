"""The clock of the jobs: each tick is done once, by whoever comes first, and is remembered."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from jobs import timetable
from jobs.context import Done, JobContext
from store import runs
from store.postgres.sessions import Database
from store.tables.jobs import job_runs

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """When the alerts job was run, which does nothing else here."""
    times: list[datetime] = []

    def run(context: JobContext) -> Done:
        times.append(context.now)
        return Done("nothing")

    # An hour between ticks, so that both of a test are in one.
    job = replace(timetable.JOBS["alerts"], run=run, every=3600)
    monkeypatch.setitem(timetable.JOBS, "alerts", job)
    monkeypatch.setattr(timetable, "datetime", Noon)
    return times


class Noon(datetime):
    """A clock that stands."""

    @classmethod
    def now(cls, tz: object = None) -> "Noon":
        assert tz is UTC
        return cls(2026, 11, 20, 12, tzinfo=UTC)


def test_a_job_by_hand_goes_by_the_time_at_which_it_runs(
    database: Database, ran: list[datetime]
) -> None:
    asked = NOON - timedelta(minutes=1)
    context = JobContext(database, asked, clock=runs.server_time, by_hand=True)
    timetable.run_job("alerts", context)
    timetable.run_job("alerts", replace(context, clock=None))
    assert ran == [NOON, asked]


def test_a_tick_is_run_once_whoever_ticks(database: Database, ran: list[datetime]) -> None:
    for _ in range(2):
        timetable._tick("alerts", JobContext(database, now=NOON))
    assert ran == [NOON]


def test_a_job_that_another_process_runs_is_left_to_it(
    database: Database, ran: list[datetime]
) -> None:
    with database.write() as elsewhere:
        assert runs.lock(elsewhere, "alerts", wait=False)
        timetable._tick("alerts", JobContext(database, now=NOON))
        assert timetable.run_job("alerts", JobContext(database, now=NOON)) is None
    assert ran == []
    timetable._tick("alerts", JobContext(database, now=NOON))
    assert ran == [NOON]


def test_a_job_that_fails_is_run_again_at_the_next_tick(
    database: Database, ran: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_context: JobContext) -> Done:
        raise RuntimeError("that is the test")

    with monkeypatch.context() as broken:
        job = replace(timetable.JOBS["alerts"], run=fail)
        broken.setitem(timetable.JOBS, "alerts", job)
        timetable._tick("alerts", JobContext(database, now=NOON))
    timetable._tick("alerts", JobContext(database, now=NOON))
    assert ran == [NOON]


def test_a_job_that_another_one_keeps_waiting_is_told_of_in_a_line(
    database: Database, ran: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait(context: JobContext) -> Done:
        with context.database.write() as session:
            session.execute(text("SET LOCAL lock_timeout = '10ms'"))
            session.execute(text("SELECT pg_advisory_xact_lock(1)"))
        return Done("never")

    with monkeypatch.context() as kept, database.write() as held, capture_logs() as logged:
        held.execute(text("SELECT pg_advisory_xact_lock(1)"))
        kept.setitem(timetable.JOBS, "alerts", replace(timetable.JOBS["alerts"], run=wait))
        timetable._tick("alerts", JobContext(database, now=NOON))
    *tries, last = logged
    assert [line["event"] for line in tries] == ["a job gave way to another, and begins again"] * 2
    assert last == {
        "event": "another job holds what a job needs: it waits",
        "log_level": "warning",
        "job": "alerts",
    }
    timetable._tick("alerts", JobContext(database, now=NOON))
    assert ran == [NOON]


def test_old_runs_are_forgotten_and_only_those_of_the_job(
    database: Database, ran: list[datetime]
) -> None:
    with database.write() as session:
        now = runs.server_time(session)
        for job in ("alerts", "roll"):
            for days in (31, 29):
                finished = now - timedelta(days=days)
                runs.record(
                    session,
                    job,
                    period=finished,
                    started_at=finished,
                    finished_at=finished,
                    complete_until=None,
                    note=f"{days} days ago",
                )
    timetable.run_job("alerts", JobContext(database, now=NOON))
    assert ran == [NOON]
    with database.read() as session:
        kept = session.execute(select(job_runs.c.job, job_runs.c.note).order_by(job_runs.c.id))
        assert [tuple(row) for row in kept] == [
            ("alerts", "29 days ago"),
            ("roll", "31 days ago"),
            ("roll", "29 days ago"),
            ("alerts", "nothing"),
        ]


def test_a_run_that_fails_says_why_and_is_tried_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timetable, "datetime", Noon)

    def becomes(run: Callable[[JobContext], Done]) -> runs.Run:
        job = replace(timetable.JOBS["alerts"], run=run, every=3600)
        monkeypatch.setitem(timetable.JOBS, "alerts", job)
        timetable._tick("alerts", JobContext(database, now=NOON))
        with database.read() as session:
            return runs.latest(session)["alerts"]

    def fails(_context: JobContext) -> Done:
        raise ValueError("no such thing")

    failed = becomes(fails)
    assert (failed.failed, failed.note) == (True, "ValueError: no such thing")
    well = becomes(lambda _context: Done("1 sent"))
    assert (well.failed, well.note) == (False, "1 sent")


def test_a_job_that_gave_way_to_another_begins_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []

    def deadlocked(_context: JobContext) -> Done:
        tries.append(1)
        if len(tries) < timetable.TRIES:
            with database.write() as one, database.write() as other:
                _meet(one, other)
        return Done("went on")

    job = replace(timetable.JOBS["alerts"], run=deadlocked)
    monkeypatch.setitem(timetable.JOBS, "alerts", job)
    done = timetable.run_job("alerts", JobContext(database, now=NOON))
    assert (done, len(tries)) == (Done("went on"), timetable.TRIES)


def _meet(one: Session, other: Session) -> None:
    """Two transactions that want what the other holds: Postgres ends the second one."""
    for session, number in ((one, 1), (other, 2)):
        session.execute(text("SET LOCAL deadlock_timeout = '10ms'"))
        session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})
    with ThreadPoolExecutor(1) as waits:
        ended = waits.submit(one.execute, text("SELECT pg_advisory_xact_lock(2)"))
        try:
            other.execute(text("SELECT pg_advisory_xact_lock(1)"))
        finally:
            other.rollback()
            ended.result()
