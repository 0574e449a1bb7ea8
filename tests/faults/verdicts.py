"""What the database holds, against what was sent: lost, doubled, conservation, cells."""

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from uuid import UUID

from faults.bodies import Kind, team_of
from faults.ledger import Ledger
from faults.oracle import Oracle, Row, Verdict
from psycopg import Connection
from serving import environment

DRAIN = 90.0
"""Seconds in which everything acknowledged must have reached the database."""
ROUND = 900.0
"""Seconds for a full round of the jobs over everything that a long soak left."""
OF_THE_RUN = "trace_id BETWEEN %(first)s AND %(last)s"


def bounds(oracle: Oracle) -> dict[str, object]:
    """Of the ids of a run, and of its batches."""
    first = oracle.run << 96
    return {
        "first": UUID(int=first),
        "last": UUID(int=first + 2**96 - 1),
        "after": oracle.after_batch,
        "team": team_of(oracle.run),
    }


def numbers(connection: Connection, asked: str, oracle: Oracle) -> tuple[int, ...]:
    """The one row that a query gives."""
    found = connection.execute(asked, bounds(oracle)).fetchone()
    assert found
    return tuple(int(one) for one in found)


def drained(ledger: Ledger, oracle: Oracle) -> bool:
    """Waits until as many calls are stored as were acknowledged, and the spool is empty."""
    wanted = oracle.spans(acknowledged=True, kind=Kind.CALL)
    asked = f"SELECT count(*) FROM sightings WHERE {OF_THE_RUN}"  # noqa: S608  # constant
    deadline = time.monotonic() + DRAIN
    with ledger.asking() as connection:
        while ledger.waiting() or numbers(connection, asked, oracle) < (wanted,):
            if time.monotonic() > deadline:
                return False
            # It asks again until a condition holds; the deadline is above.
            time.sleep(0.1)
    return True


def rows(connection: Connection, oracle: Oracle) -> Iterator[Row]:
    """Every sighting of the run, in no order."""
    with connection.transaction(), connection.cursor("sightings", binary=True) as cursor:
        cursor.itersize = 20_000
        cursor.execute(
            "SELECT uuid_send(trace_id), span_id, input, cache_read, output FROM sightings"  # noqa: S608  # constant
            f" WHERE {OF_THE_RUN}",
            bounds(oracle),
        )
        yield from cursor


def judge(ledger: Ledger, oracle: Oracle) -> Verdict:
    """The verdict; every promise that broke is added to ``oracle.broken``."""
    if not drained(ledger, oracle):
        oracle.is_broken(f"not everything acknowledged was stored after {DRAIN:g} s")
    if aside := ledger.quarantined():
        oracle.is_broken(f"{len(aside)} pieces of the spool were put aside")
    with ledger.asking() as connection:
        verdict = oracle.judge(rows(connection, oracle))
        for wrong, count in asdict(verdict).items():
            if wrong in {"lost", "doubled", "invented", "wrong"} and count:
                oracle.is_broken(f"{count} {wrong}")
        _add_up(connection, oracle, verdict)
        _answered_for(connection, oracle)
    return verdict


def _add_up(connection: Connection, oracle: Oracle, verdict: Verdict) -> None:
    """heard = stored + duplicate + not a call + refused in each batch, which holds what it says."""
    unequal, miscounted, kept = numbers(
        connection,
        "SELECT count(*) FILTER (WHERE heard <> stored + duplicate + not_a_call + refused),"
        " count(*) FILTER (WHERE stored IS DISTINCT FROM coalesce(there, 0)),"
        " coalesce(sum(stored), 0) FROM (SELECT * FROM batches WHERE id > %(after)s) later"
        " FULL JOIN (SELECT batch_id AS id, count(*) AS there FROM sightings"
        " WHERE batch_id > %(after)s GROUP BY 1) found USING (id)",
        oracle,
    )
    if unequal:
        oracle.is_broken(f"{unequal} batches do not add up")
    if miscounted:
        oracle.is_broken(f"{miscounted} batches do not hold what they say")
    if kept != verdict.rows:
        oracle.is_broken(f"the batches stored {kept}, there are {verdict.rows}")


def _answered_for(connection: Connection, oracle: Oracle) -> None:
    """What was acknowledged is in the batches, as often as it was."""
    found = numbers(
        connection,
        "SELECT coalesce(sum(heard), 0), coalesce(sum(not_a_call), 0), coalesce(sum(refused), 0)"
        " FROM batches WHERE id > %(after)s",
        oracle,
    )
    answered = [(sent, sent.acknowledged) for sent in oracle.sent if sent.acknowledged]
    least = (
        sum(len(sent.numbers) * times for sent, times in answered),
        sum(sent.count(Kind.OTHER) * times for sent, times in answered),
        sum(sent.count(Kind.REFUSED) * times for sent, times in answered),
    )
    # More is possible: what was stored though its answer was lost.
    for name, answers, there in zip(("heard", "not a call", "refused"), least, found, strict=True):
        if there < answers:
            oracle.is_broken(f"{name}: {answers} were answered for, {there} are in the batches")


def jobs_of_all(url: str, data: Path) -> str | None:
    """A full round of the jobs; what went wrong."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "app", "jobs", "run", "--all"],
        env=environment(data, DATABASE_URL=url),
        cwd="/",
        capture_output=True,
        text=True,
        timeout=ROUND,
        check=False,
    )
    return f"jobs run --all: {done.stderr.strip()[-300:]}" if done.returncode else None


def roll_and_compare(ledger: Ledger, oracle: Oracle, verdict: Verdict) -> None:
    """After a full round of the jobs the cells hold what the sightings hold (P4)."""
    if said := jobs_of_all(ledger.url, ledger.data):
        oracle.is_broken(said)
    with ledger.asking() as connection:
        found = numbers(
            connection,
            "SELECT coalesce(sum(calls), 0), coalesce(sum(input), 0),"
            " coalesce(sum(cache_read), 0), coalesce(sum(output), 0) FROM cells"
            " JOIN owners ON owners.tenant_id = cells.tenant_id AND owners.id = owner_id"
            " WHERE team = %(team)s",
            oracle,
        )
    expected = (verdict.stored, verdict.input, verdict.cached, verdict.output)
    if found != expected:
        oracle.is_broken(f"cells hold {found}, the oracle's sums are {expected}")
