"""Faults: three processes run the jobs of one database, and who leads is killed, or frozen."""

import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from faults.bodies import MIXED, body
from faults.house import Part, wait
from faults.ledger import Ledger
from faults.oracle import Oracle, Sender, Verdict
from faults.stage import Fault, Stage
from faults.verdicts import judge, roll_and_compare
from serving import eventually

from collector.signals import Request, Signal
from collector.understanding.by_signal import understand_signal, with_left_out
from migrations.run import upgrade
from store.dictionaries import Known
from store.intake.intake import Batch, put_down
from store.postgres.sessions import Database, open_database
from store.tenants import TENANT

MANY = 3
AGO = timedelta(hours=1)
"""When what they roll was heard: the clock waits a little for twins."""
TWICE = "SELECT count(*) - count(DISTINCT (job, period)) FROM job_runs WHERE NOT failed"
METERS = (
    "SELECT (SELECT coalesce(sum(input + cache_read + output), 0) FROM cells),"
    " (SELECT coalesce(sum(quantity), 0) FROM charges WHERE meter IN"
    " ('input', 'cache_read', 'output'))"
)


@dataclass
class Replicas:
    """Processes that run the jobs, and a ledger that fills beneath them."""

    parts: list[Part]
    ledger: Ledger
    database: Database
    oracle: Oracle
    sender: Sender

    def hear(self, spans: int = 60) -> None:
        """As a collector would have put it down an hour ago."""
        then = datetime.now(UTC) - AGO
        sent = self.oracle.issue(self.sender, spans)
        self.oracle.trying(sent)
        start = int(then.timestamp()) // 60 * 60 * 10**9
        request = body(self.oracle.run, self.sender.number, sent.numbers, MIXED, start=start)
        understood = understand_signal(Signal.TRACES, [request], tenant=TENANT, received_at=then)
        heard = with_left_out(understood, [Request(request)])
        with self.database.write() as session:
            put_down(session, Batch(TENANT, then, [heard]), Known(), straight=False)
        self.oracle.acknowledged(sent, rejected=None)

    def leader(self, seconds: float) -> Part | None:
        """Whoever is in a run; None where nobody came to be within that time."""
        deadline = time.monotonic() + seconds
        with self.ledger.asking() as connection:
            while time.monotonic() < deadline:
                ports = {row[0] for row in connection.execute(LEADS)}
                for part in self.parts if ports else ():
                    if ports & ports_of(part.pid):
                        return part
                self.hear()
        return None

    def tend(self) -> None:
        for part in self.parts:
            part.tend()


LEADS = (
    "SELECT client_port FROM pg_locks JOIN pg_stat_activity USING (pid)"
    " WHERE locktype = 'advisory' AND granted AND datname = current_database()"
    " AND application_name = 'spanledger jobs'"
)


def ports_of(pid: int) -> set[int]:
    """The local ports of a process's TCP connections."""
    sockets = set()
    with suppress(OSError):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                sockets.add(str(entry.readlink()))
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    rows = [line.split() for line in lines]
    return {int(row[1].rpartition(":")[2], 16) for row in rows if f"socket:[{row[9]}]" in sockets}


@contextmanager
def replicas(stage: Stage) -> Iterator[Replicas]:
    """Three, over a database of their own; judged at the end of the block."""
    server = stage.house.server
    name = f"replicas_{stage.chance.getrandbits(32)}"
    with psycopg.connect(server.url_of("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    url = server.url_of(name)
    upgrade(url)
    folder = stage.house.folder / name
    folder.mkdir()
    oracle = Oracle(stage.chance.getrandbits(32))
    parts = [Part("jobs", {"DATABASE_URL": url}, folder) for _ in range(MANY)]
    database = open_database(url, application="soak")
    ledger = Ledger(url, folder / "data")
    found = Replicas(parts, ledger, database, oracle, oracle.sender(MIXED))
    found.hear()
    try:
        for part in parts:
            part.start()
        yield found
    finally:
        for part in parts:
            part.stop()
        database.engine.dispose()
    verdict = judge(ledger, oracle)
    roll_and_compare(ledger, oracle, verdict)
    once(ledger, oracle, verdict)
    stage.oracle.adopt(oracle)


def once(ledger: Ledger, oracle: Oracle, verdict: Verdict) -> None:
    """Each tick well run at most once, and each token charged once."""
    with ledger.asking() as connection:
        (twice,) = connection.execute(TWICE).fetchone() or (0,)
        cells, charged = connection.execute(METERS).fetchone() or (0, 0)
    if twice:
        oracle.is_broken(f"{twice} ticks were run twice")
    if cells != charged or cells != verdict.input + verdict.cached + verdict.output:
        oracle.is_broken(f"of {cells} tokens in cells {charged} were charged")


def leader_killed(stage: Stage) -> Counter[str]:
    fired: Counter[str] = Counter()
    with replicas(stage) as three:
        for _ in range(int(stage.long(6, 1))):
            led = three.leader(8)
            victim = led or random.Random(stage.chance.random()).choice(three.parts)
            fired["leaders killed in a run" if led else "others killed"] += 1
            stage.house.kill(victim.pid)
            wait(stage.some(0, 2))
            three.hear()
            three.tend()
    return fired


def leader_frozen(stage: Stage) -> Counter[str]:
    """In the middle of a run; it goes on later as if nothing had been."""
    fired: Counter[str] = Counter()
    with replicas(stage) as three:
        frozen: Part | None = None

        def caught() -> bool:
            nonlocal frozen
            frozen = three.leader(5)
            return frozen is not None

        eventually(caught, "somebody leads")
        assert frozen
        stage.house.kill(frozen.pid, signal.SIGSTOP)
        try:
            for _ in range(int(stage.long(stage.some(20, 60), 3))):
                three.hear()
                wait(1)
                fired["seconds frozen"] += 1
        finally:
            stage.house.kill(frozen.pid, signal.SIGCONT)
        wait(stage.long(5, 1))
        fired["leaders frozen in a run"] += 1
    return fired


REPLICAS = [
    Fault("three run the jobs, the leader killed", leader_killed),
    Fault("leader of the jobs frozen (SIGSTOP)", leader_frozen),
]
