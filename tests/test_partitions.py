"""Every day has its partition in time, and a day that came unannounced gets one without loss."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from time import monotonic

from serving import eventually
from sqlalchemy import text
from test_intake import NOON, Request, Seen, put, stored

from collector.batches import Writer
from collector.limits import Limits
from jobs.context import JobContext
from jobs.keeping.keep_partitions import AHEAD, run
from store.postgres.partitions import PARTITIONED, ensure, hold_still, name_of, strays
from store.postgres.sessions import Database


def partitions(database: Database) -> set[str]:
    with database.read() as session:
        return set(session.scalars(text("SELECT inhrelid::regclass::text FROM pg_inherits")))


def test_the_job_keeps_a_week_ahead_and_gives_history_its_days(database: Database) -> None:
    now = datetime(2026, 11, 20, 23, 59, tzinfo=UTC)
    long_ago = datetime(1999, 1, 1, tzinfo=UTC)
    history = [NOON - timedelta(days=n) for n in (3, 30)]
    put(database, Request([Seen(n, at=at) for n, at in enumerate([*history, long_ago])]))
    done = run(JobContext(database=database, now=now))
    assert done.note == "33 partitions made, 2 rows moved"
    there = partitions(database)
    for table in PARTITIONED:
        for days in range(-1, AHEAD.days + 1):
            assert name_of(table, now.date() + timedelta(days=days)) in there
        for at in history:
            assert name_of(table, at.date()) in there
    with database.read() as session:
        assert strays(session, date(1990, 1, 1), now.date()) == [long_ago.date()]
    assert run(JobContext(database=database, now=now)).note == "0 partitions made, 0 rows moved"
    assert stored(database) == 3


def test_a_partition_has_the_indexes_of_its_table(database: Database) -> None:
    with database.write() as session:
        ensure(session, NOON.date(), NOON.date())
        valid = (
            "SELECT count(*), bool_and(indisvalid) FROM pg_index WHERE indrelid = to_regclass(:t)"
        )
        names = ("sightings", name_of("sightings", NOON.date()))
        mother, day = (session.execute(text(valid), {"t": name}).one() for name in names)
    assert (mother.count, mother.bool_and) == (day.count, day.bool_and)


def test_spans_that_arrive_while_their_day_moves_are_stored_once(database: Database) -> None:
    put(database, Request([Seen(1)]))
    writer = Writer(database, Limits())
    writer.start()
    requests = [Request([Seen(1), Seen(span)]).heard() for span in range(2, 60)]
    waiting = [writer.put(heard, NOON) for heard in requests[:30]]
    moved = threading.Event()

    def move() -> None:
        with database.write() as session:
            ensure(session, NOON.date(), NOON.date())
        moved.set()

    mover = threading.Thread(target=move)
    mover.start()
    for heard in requests[30:]:
        waiting.append(writer.put(heard, NOON))
        if not moved.is_set():
            waiting[-1].accounts.result(20)
    accounts = [each.accounts.result(20)[0] for each in waiting]
    mover.join()
    assert writer.stop(10)
    assert moved.is_set()
    assert {(a.stored, a.duplicate) for a in accounts} == {(1, 1)}
    assert stored(database) == 59
    with database.read() as session:
        assert strays(session, NOON.date(), NOON.date()) == []


def test_a_row_that_waits_for_the_default_partition_finds_the_new_one(database: Database) -> None:
    writer = Writer(database, Limits())
    with database.write() as session:
        ensure(session, NOON.date(), NOON.date())
        # Its COPY looks the day's partition up before this commits, and waits for the default.
        waiting = writer.put(Request([Seen(1)]).heard(), NOON)
        writer.start()
        blocked = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        began = monotonic()
        # Of a cluster another node knows who waits: there it may come after the commit, too.
        while not session.scalar(blocked) and monotonic() < began + 1:
            pass
    (account,) = waiting.accounts.result(10)
    assert writer.stop(10)
    assert account.stored == 1
    with database.read() as session:
        assert strays(session, NOON.date(), NOON.date()) == []


def seen(database: Database, question: str) -> int:
    """Asked anew: what is going on stands still within a transaction."""
    with database.read() as session:
        return int(session.scalar(text(question)) or 0)


def test_who_makes_days_waits_longer_for_their_turn_than_a_statement_may_take(
    database: Database,
) -> None:
    def make() -> int:
        with database.write() as session:
            session.execute(text("SET LOCAL statement_timeout = '100ms'"))
            return len(ensure(session, NOON.date(), NOON.date()))

    patient = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        " AND datname = current_database() AND clock_timestamp() - query_start > '200ms'"
    )
    with ThreadPoolExecutor(1) as other:
        with database.write() as held:
            hold_still(held)
            made = other.submit(make)
            eventually(lambda: made.done() or seen(database, patient), "it waits for its turn")
        assert made.result(10) == len(PARTITIONED)
