"""Fault: the ledger is dumped while calls come, and goes on in a cluster that has nothing of it."""

import subprocess
from collections import Counter
from pathlib import Path

import psycopg
from faults.oracle import Oracle
from faults.stage import Fault, Stage
from faults.verdicts import OF_THE_RUN, ROUND, jobs_of_all, numbers

from app.local_postgres import local_postgres

SUMS = "coalesce(sum(input), 0), coalesce(sum(cache_read), 0), coalesce(sum(output), 0)"


def program(stage: Stage, name: str) -> Path:
    """One of Postgres's, beside the server."""
    return stage.house.server.binaries.folder / name


def restored(stage: Stage) -> Counter[str]:
    fired: Counter[str] = Counter()
    house = stage.house
    folder = house.folder / f"restored-{stage.chance.getrandbits(32)}"
    folder.mkdir()
    dump = folder / "ledger.dump"
    run(program(stage, "pg_dump"), "-Fc", "-Z0", "-f", dump, "-d", house.server.url)
    with local_postgres(folder / "postgres", durable=False) as other:
        run(program(stage, "pg_restore"), "--no-owner", "-d", other.url, dump)
        for _ in range(2):
            # The second finds nothing to do, and adds nothing.
            said = jobs_of_all(other.url, folder / "data")
            if said:
                stage.oracle.is_broken(f"in the restored ledger: {said}")
        with psycopg.connect(other.url, autocommit=True) as connection:
            fired["calls restored"] = compared(connection, stage.oracle)
    return fired


def run(*command: "str | Path") -> None:
    done = subprocess.run(  # noqa: S603  # Postgres's own program
        command, capture_output=True, text=True, timeout=ROUND, check=False
    )
    assert done.returncode == 0, done.stderr[-500:]


def compared(connection: psycopg.Connection, oracle: Oracle) -> int:
    """How many calls there are, all of which the cells must hold."""
    calls = numbers(
        connection,
        f"SELECT count(*), {SUMS} FROM sightings WHERE {OF_THE_RUN}",  # noqa: S608  # constant
        oracle,
    )
    cells = numbers(
        connection,
        f"SELECT coalesce(sum(calls), 0), {SUMS} FROM cells"  # noqa: S608  # constant
        " JOIN owners ON owners.tenant_id = cells.tenant_id AND owners.id = owner_id"
        " WHERE team = %(team)s",
        oracle,
    )
    if calls != cells:
        oracle.is_broken(f"restored were {calls}, the cells there hold {cells}")
    return calls[0]


DUMPED = [Fault("restored from a dump into another cluster", restored, behind=True)]
