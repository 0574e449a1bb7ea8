"""Faults: writers in each other's way, errors that Postgres gives, migrations, jobs that die."""

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress

import psycopg
from faults.bodies import CALLS, MIXED
from faults.house import House, wait
from faults.producers import Kept
from faults.stage import Fault, Stage
from serving import environment, spanledger

HOUR = 3_600 * 10**9
FAR = 2**64 - 2 * 10**9
"""In 2554, with an end that fits as well."""
SQLSTATES = ("40001", "40P01", "57014", "53300", "53100", "XX000")
WRITERS = 8


def duplicate_storm(stage: Stage) -> Counter[str]:
    """Eight writers send what was just sent, in any order, and new requests that overlap."""
    recent = [kept for client in stage.clients() for kept in list(client.recent)]
    fresh = stage.client(MIXED)
    parts = [fresh.make(100) for _ in range(WRITERS)]
    fired: Counter[str] = Counter()

    def storm(number: int) -> int:
        client = stage.client()
        chance = random.Random(number + stage.oracle.run)
        mine = [
            *chance.sample(recent, min(len(recent), 10)),
            *(joined(chance.sample(parts, 4)) for _ in range(4)),
        ]
        chance.shuffle(mine)
        with closing(client):
            for kept in mine:
                client.deliver(kept)
        return len(mine)

    with ThreadPoolExecutor(WRITERS) as writers:
        fired["requests sent again"] = sum(writers.map(storm, range(WRITERS)))
    with closing(fresh):
        for kept in parts:
            fresh.deliver(kept)
    return fired


def joined(kept: list[Kept]) -> Kept:
    return Kept(
        tuple(sent for one in kept for sent in one.parts), b"".join(one.body for one in kept)
    )


def clocks_off(stage: Stage) -> Counter[str]:
    """An hour ahead, an hour behind, in 1970, in 2554: two are kept as they say, two refused."""
    now = time.time_ns()
    fired: Counter[str] = Counter()
    for start, refused in ((now + HOUR, False), (now - HOUR, False), (1, True), (FAR, True)):
        with closing(stage.client(CALLS, refused_start=refused)) as client:
            client.deliver(client.make(50, start=start))
        fired["clocks"] += 1
    return fired


def errors_forced(stage: Stage) -> Counter[str]:
    """Every third transaction fails as it writes its batch, each time in another way."""
    house = stage.house
    fired: Counter[str] = Counter()
    for state in SQLSTATES[: int(stage.long(len(SQLSTATES), 3))]:
        with house.asking() as connection:
            connection.execute("CREATE SEQUENCE IF NOT EXISTS fault")
            connection.execute(
                "CREATE OR REPLACE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$"
                " BEGIN IF nextval('fault') % 3 = 0 THEN"
                f" RAISE EXCEPTION 'forced' USING ERRCODE = '{state}'; END IF; RETURN NEW; END $$"
            )
            try:
                connection.execute(
                    "CREATE TRIGGER fault BEFORE INSERT ON batches"
                    " FOR EACH ROW EXECUTE FUNCTION fault()"
                )
                wait(stage.long(2, 0.7))
            finally:
                connection.execute("DROP TRIGGER fault ON batches")
            seen = connection.execute("SELECT last_value / 3 FROM fault").fetchone()
            assert seen
            fired[f"SQLSTATE {state}"] = seen[0]
            connection.execute("DROP SEQUENCE fault CASCADE")
    return fired


def deadlock(stage: Stage) -> Counter[str]:
    """Locks are taken against the order of the collector's transactions."""
    fired: Counter[str] = Counter()
    deadline = time.monotonic() + stage.long(20, 6)
    with stage.house.asking() as connection:
        before = deadlocks(connection)
        while time.monotonic() < deadline and deadlocks(connection) == before:
            # A deadlock takes one of the two; it need not be the collector.
            with suppress(psycopg.errors.DeadlockDetected), connection.transaction():
                connection.execute("SET LOCAL deadlock_timeout = '10s'")
                connection.execute("LOCK TABLE batches IN EXCLUSIVE MODE")
                wait(0.6)
                connection.execute("LOCK TABLE sightings IN EXCLUSIVE MODE")
            wait(0.2)
        fired["deadlocks"] = deadlocks(connection) - before
    return fired


def deadlocks(connection: psycopg.Connection) -> int:
    connection.execute("SELECT pg_stat_clear_snapshot()")
    found = connection.execute(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    ).fetchone()
    assert found
    return int(found[0])


def tables_locked(stage: Stage) -> Counter[str]:
    """A stranger holds what the collector writes to, longer than a request may wait."""
    seconds = stage.long(stage.some(5, 12), 3)
    with stage.house.asking() as connection, connection.transaction():
        table = stage.chance.choice(["sightings", "batches"])
        connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        wait(seconds)
        waiting = connection.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()
    assert waiting
    return Counter({"seconds": int(seconds), "sessions that waited": waiting[0]})


def no_connection_left(stage: Stage) -> Counter[str]:
    """Strangers hold them all (53300), and the collector's are taken away."""
    fired: Counter[str] = Counter()
    url = stage.house.server.url
    with stage.house.asking() as connection, ExitStack() as held:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name LIKE 'spanledger%'"
        )
        deadline = time.monotonic() + stage.long(6, 2)
        while time.monotonic() < deadline:
            try:
                held.enter_context(psycopg.connect(url, connect_timeout=5))
                fired["connections held"] += 1
            except psycopg.OperationalError:
                fired["too many clients (53300)"] += 1
                wait(0.1)
    return fired


def migrated_meanwhile(stage: Stage) -> Counter[str]:
    """The migrations' command, and locks on the big tables as a migration takes them."""
    fired: Counter[str] = Counter()
    if not stage.short:
        done = spanledger(stage.house.data, "migrate", DATABASE_URL=stage.house.server.url)
        fired["migrations run"] += done.returncode == 0
    for number in range(int(stage.long(4, 2))):
        with stage.house.asking() as connection:
            for statement in (
                f"ALTER TABLE sightings ADD COLUMN migrated_{number} integer",
                f"ALTER TABLE sightings DROP COLUMN migrated_{number}",
                f"ALTER TABLE batches ADD COLUMN migrated_{number} integer",
                f"ALTER TABLE batches DROP COLUMN migrated_{number}",
            ):
                fired["tables altered"] += altered(connection, statement)
        wait(0.2)
    return fired


def altered(connection: psycopg.Connection, statement: str) -> bool:
    """With a lock_timeout, as migrations do it, and again where it was not had in time."""
    for _ in range(50):
        with suppress(psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            with connection.transaction():
                connection.execute("SET LOCAL lock_timeout = '200ms'")
                connection.execute(statement)
            return True
        wait(0.05)
    return False


def roll_killed(stage: Stage) -> Counter[str]:
    fired: Counter[str] = Counter()
    for _ in range(int(stage.long(4, 1))):
        with rolling(stage.house) as process:
            fired["rolls killed in a transaction"] += in_a_transaction(stage.house, process)
            process.kill()
            if stage.house.jobs.wanted:
                # It may have been the clock's: both are taken away.
                fired["clocks of the jobs killed"] += stage.house.kill(stage.house.jobs.pid)
        wait(stage.some(0, 1))
    return fired


def postgres_killed_in_a_roll(stage: Stage) -> Counter[str]:
    fired: Counter[str] = Counter()
    with rolling(stage.house) as process:
        fired["rolls that lost Postgres"] += in_a_transaction(stage.house, process)
        stage.house.end_postgres(stage.chance.choice([signal.SIGKILL, signal.SIGQUIT]))
        process.wait(60)
    stage.house.recover_postgres()
    return fired


def postgres_killed_in_a_round(stage: Stage) -> Counter[str]:
    """Anywhere in a round of all jobs, which does not end well then; the next one mends it."""
    fired: Counter[str] = Counter()
    with rolling(stage.house, "--all") as process:
        fired["rounds that lost Postgres"] += in_a_transaction(stage.house, process)
        wait(stage.some(0, 2))
        stage.house.end_postgres(stage.chance.choice([signal.SIGKILL, signal.SIGQUIT]))
        process.wait(120)
    stage.house.recover_postgres()
    return fired


def idle_in_a_transaction(stage: Stage) -> Counter[str]:
    """A stranger's, that has written and holds batches that wait; the rest is rolled up."""
    fired: Counter[str] = Counter()
    with stage.house.asking() as connection, connection.transaction():
        held = connection.execute(
            "UPDATE batches SET rolled_at = NULL WHERE id IN (SELECT id FROM batches"
            " WHERE rolled_at IS NULL ORDER BY id DESC LIMIT 5) RETURNING id"
        ).fetchall()
        stage.acknowledges(200)
        with rolling(stage.house) as process:
            fired["rolls that took the rest"] += process.wait(120) == 0
        with stage.house.asking() as other:
            ours = other.execute(
                "SELECT count(*) FROM batches WHERE rolled_at IS NULL AND id = ANY(%s)",
                [[row[0] for row in held]],
            ).fetchone()
        wait(stage.long(stage.some(5, 15), 1))
    assert ours
    fired["batches held"] = len(held)
    if not fired["rolls that took the rest"] or ours[0] < len(held):
        stage.oracle.is_broken("a session idle in its transaction holds up the roll")
    return fired


def rolling(house: House, job: str = "roll") -> "subprocess.Popen[bytes]":
    """``jobs run``, which by hand takes all that was heard so far."""
    return subprocess.Popen(  # noqa: S603  # this very program
        [sys.executable, "-P", "-m", "app", "jobs", "run", job],
        env=environment(house.data, DATABASE_URL=house.server.url),
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def in_a_transaction(house: House, process: "subprocess.Popen[bytes]") -> bool:
    """Waits until the roll has written something that is not committed."""
    with house.asking() as connection:
        while process.poll() is None:
            found = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE backend_xid IS NOT NULL"
                " AND application_name = 'spanledger jobs'"
            ).fetchone()
            if found and found[0]:
                return True
            # It asks again: the moment is short, and nothing tells of it.
            time.sleep(0.002)
    return False


CONTENTION = [
    Fault("duplicate storm of 8 writers", duplicate_storm, behind=True),
    Fault("clocks of senders off", clocks_off, behind=True),
    Fault("errors forced in every 3rd transaction", errors_forced, behind=True),
    Fault("deadlock", deadlock, behind=True),
    Fault("tables locked by a stranger", tables_locked, behind=True),
    Fault("no connection left (53300)", no_connection_left, behind=True),
    Fault("migration while ingesting", migrated_meanwhile, behind=True),
    Fault("roll killed", roll_killed, behind=True),
    Fault("Postgres killed in a roll", postgres_killed_in_a_roll, behind=True),
    Fault("Postgres killed in a round of the jobs", postgres_killed_in_a_round, behind=True),
    Fault("a session idle in its transaction", idle_in_a_transaction, behind=True),
]
