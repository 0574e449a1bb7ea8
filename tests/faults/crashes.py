"""Faults: processes that are killed, frozen or told to end, and a Postgres that is away."""

import os
import signal
from collections import Counter

from faults.house import House, wait
from faults.proxy import Weather
from faults.stage import Fault, Stage
from serving import eventually, is_gone


def committed(house: House) -> int:
    with house.asking() as connection:
        found = connection.execute("SELECT count(*) FROM batches").fetchone()
    assert found
    return int(found[0])


def worker_killed(stage: Stage) -> Counter[str]:
    fired: Counter[str] = Counter()
    for _ in range(int(stage.long(4, 2))):
        wait(stage.some(0.02, 0.8))
        killed = stage.chance.choice(stage.house.collector.workers() or [stage.house.collector.pid])
        fired["workers killed"] += stage.house.kill(killed)
        eventually(lambda pid=killed: is_gone(pid) or zombie(pid), "it is gone")
        stage.house.until_it_hears()
    return fired


def zombie(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123  # no path to build
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def killed_before_the_answer(stage: Stage) -> Counter[str]:
    """Its commits are there, its answers are still in the network when it dies."""
    house = stage.house
    fired: Counter[str] = Counter()
    with house.http.under(Weather(hold_answers=True)) as held:
        before = committed(house)
        wait(5, lambda: committed(house) > before)
        fired["commits without an answer"] = committed(house) - before
        for pid in house.collector.workers():
            fired["workers killed"] += house.kill(pid)
        house.http.reset_all()
    fired["answers held"] = held["held"]
    return fired


def postgres_killed(stage: Stage) -> Counter[str]:
    stage.house.end_postgres(signal.SIGKILL)
    wait(stage.some(0, 2))
    stage.house.recover_postgres()
    return Counter({"postmasters killed": 1})


def postgres_stopped_at_once(stage: Stage) -> Counter[str]:
    """What ``pg_ctl stop -m immediate`` does."""
    stage.house.end_postgres(signal.SIGQUIT)
    wait(stage.some(0, 1))
    stage.house.recover_postgres()
    return Counter({"immediate stops": 1})


def postgres_away(stage: Stage) -> Counter[str]:
    """For longer than the patience of the default SDKs."""
    seconds = stage.long(stage.some(12, 25), 11)
    stage.house.end_postgres(signal.SIGINT)
    wait(seconds)
    stage.house.recover_postgres()
    return Counter({"seconds away": int(seconds)})


def everything_killed(stage: Stage) -> Counter[str]:
    """Postgres, and the collector with all its workers."""
    house = stage.house
    stage.house.end_postgres(signal.SIGKILL)
    wait(stage.some(0, 1))
    fired = Counter({"postmasters killed": 1})
    for pid in {*house.collector.workers(), house.collector.pid}:
        fired["collectors killed"] += house.kill(pid)
    wait(stage.some(0, 1))
    house.recover_postgres()
    house.until_it_hears()
    return fired


def killed_while_postgres_is_away(stage: Stage) -> Counter[str]:
    """The spool is written when it dies, and the next process finds it."""
    house = stage.house
    house.end_postgres(signal.SIGKILL)
    fired: Counter[str] = Counter()
    for _ in range(int(stage.long(3, 1))):
        wait(stage.some(0.5, 2))
        for pid in house.collector.workers():
            fired["workers killed"] += house.kill(pid)
    wait(stage.some(0, 2))
    house.recover_postgres()
    house.until_it_hears()
    return fired


def connections_terminated(stage: Stage) -> Counter[str]:
    return _each_second(stage, "pg_terminate_backend(pid)", "sessions terminated")


def statements_cancelled(stage: Stage) -> Counter[str]:
    return _each_second(stage, "pg_cancel_backend(pid)", "statements cancelled (57014)")


def _each_second(stage: Stage, what: str, told: str) -> Counter[str]:
    fired: Counter[str] = Counter()
    for _ in range(int(stage.long(8, 3))):
        with stage.house.asking() as connection:
            done = connection.execute(
                f"SELECT count({what}) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"  # noqa: S608  # one of two
                " AND application_name LIKE 'spanledger%'"
            ).fetchone()
        assert done
        fired[told] += done[0]
        wait(stage.long(1, 0.3))
    return fired


def postgres_frozen(stage: Stage) -> Counter[str]:
    """The postmaster and all backends stand still: connections live, nothing answers."""
    frozen = stage.house.postgres_processes()
    seconds = stage.long(stage.some(10, 20), 4)
    for pid in frozen:
        stage.house.kill(pid, signal.SIGSTOP)
    try:
        wait(seconds)
    finally:
        for pid in frozen:
            stage.house.kill(pid, signal.SIGCONT)
    return Counter({"processes frozen": len(frozen), "seconds": int(seconds)})


def worker_frozen(stage: Stage) -> Counter[str]:
    """It holds connections and answers nobody, and goes on later as if nothing had been."""
    house = stage.house
    eventually(house.collector.workers, "there is one")
    frozen = stage.chance.choice(house.collector.workers())
    stopped = house.kill(frozen, signal.SIGSTOP)
    try:
        wait(stage.long(stage.some(3, 12), 2))
    finally:
        house.kill(frozen, signal.SIGCONT)
    return Counter({"workers frozen": int(stopped)})


def told_to_end(stage: Stage) -> Counter[str]:
    """SIGTERM under load: what is inside is answered, and the next process is started."""
    part = stage.house.collector
    starts = part.starts
    os.kill(part.pid, signal.SIGTERM)
    if stage.chance.random() < 0.3:
        # In a hurry: what was promised holds all the same.
        wait(stage.some(0, 0.3))
        stage.house.kill(part.pid, signal.SIGTERM)
    eventually(lambda: part.starts > starts, "it ends, and is started again")
    stage.house.until_it_hears()
    return Counter({"restarts": part.starts - starts})


def workers_replaced(stage: Stage) -> Counter[str]:
    """SIGUSR2: new workers in place of the old, one after the other. Nobody may notice."""
    part = stage.house.collector
    before = set(part.workers())
    os.kill(part.pid, signal.SIGUSR2)
    eventually(lambda: not before & set(part.workers()), "all workers are others")
    eventually(stage.house.hears, "the collector hears")
    return Counter({"workers replaced": len(before)})


CRASHES = [
    Fault("worker killed", worker_killed),
    Fault("killed between commit and answer", killed_before_the_answer),
    Fault("Postgres killed", postgres_killed, behind=True),
    Fault("Postgres stopped at once (-m immediate)", postgres_stopped_at_once, behind=True),
    Fault("Postgres away, longer than SDKs wait", postgres_away, behind=True),
    Fault("Postgres and collector killed", everything_killed),
    Fault("killed while Postgres is away", killed_while_postgres_is_away),
    Fault("connections terminated each second", connections_terminated, behind=True),
    Fault("statements cancelled each second", statements_cancelled, behind=True),
    Fault("Postgres frozen (SIGSTOP)", postgres_frozen, behind=True),
    Fault("worker frozen (SIGSTOP)", worker_frozen),
    Fault("SIGTERM under load", told_to_end),
    Fault("rolling restart (SIGUSR2)", workers_replaced, behind=True),
]
