"""Collector and Postgres killed at once: what was answered is stored once, and doors open early."""

import http.client
import multiprocessing
import os
import signal
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from collecting import Collecting, collecting, ids_stored
from doors import PEPPER, PROTOBUF, call, open_doors, request
from serving import eventually

from app.local_postgres import local_postgres
from collector.kept_senders import KeptSender, KeptSenders
from collector.spool.segments import Growing
from collector.spool.state import Bounds, Place, look
from store.postgres.sessions import Database, open_database
from store.tenants import TENANT


def post(address: str, body: bytes) -> int:
    """The status; sent again while it is busy, as senders do."""
    answers: list[int] = []

    def is_answered() -> bool:
        answers.append(posted(address, body))
        return answers[-1] != http.HTTPStatus.SERVICE_UNAVAILABLE

    eventually(is_answered, "it takes a request")
    return answers[-1]


def posted(address: str, body: bytes) -> int:
    connection = http.client.HTTPConnection(address, timeout=20)
    connection.request("POST", "/v1/traces", body, {"content-type": PROTOBUF})
    status = connection.getresponse().status
    connection.close()
    return status


def kill(collector: Collecting) -> None:
    """Everything of it, as when the power fails."""
    for pid in [collector.process.pid, *collector.workers()]:
        os.kill(pid, signal.SIGKILL)
    collector.process.wait()


def test_killed_together_with_postgres_it_opens_its_doors_before_that_is_back(
    tmp_path: Path,
) -> None:
    with local_postgres(tmp_path / "postgres", durable=False) as server:
        database = open_database(server.url, application="tests")
        with collecting(tmp_path / "data", server.url) as collector:
            assert post(collector.http, request(call(1))) == 200
            assert server.pid
            os.kill(server.pid, signal.SIGKILL)
            assert post(collector.http, request(call(2))) == 200
            kill(collector)
        with collecting(tmp_path / "data", server.url) as collector:
            assert post(collector.http, request(call(3))) == 200, "Postgres is still away"
            server.recover()
            eventually(lambda: len(ids_stored(database)) == 3, "the spool is stored")
            assert post(collector.http, request(call(3))) == 200
        assert sorted(ids_stored(database)) == [1, 2, 3]
        database.engine.dispose()


@pytest.mark.one_server
def test_killed_between_the_disk_and_the_answer_it_is_stored_once(
    database: Database, tmp_path: Path
) -> None:
    place = Place(tmp_path, Bounds())
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=die_after_the_fsync, args=[place, theirs]
    )
    process.start()
    address = ours.recv()
    with pytest.raises(http.client.RemoteDisconnected):
        post(address, request(call(1), call(2)))
    process.join()
    assert process.exitcode == -signal.SIGKILL
    with open_doors(database, spool=place) as doors:
        assert doors.post(request(call(1), call(2))).status == 200, "the sender's next attempt"
        eventually(lambda: look(tmp_path).waiting == 0, "the spool is stored")
        assert doors.stored() == 2
        accounted = doors.accounted()
        assert (accounted["heard"], accounted["duplicate"]) == (4, 2)


def die_after_the_fsync(place: Place, parent: Connection) -> None:
    nowhere = open_database("postgresql://127.0.0.1:1/none", application="tests")
    KeptSenders(place.root / "senders", PEPPER).keep(b"", KeptSender(TENANT, None, "", None))
    append = Growing.append

    def last(self: Growing, records: Sequence[tuple[bytes, int]]) -> None:
        append(self, records)
        os.kill(os.getpid(), signal.SIGKILL)

    Growing.append = last  # type: ignore[method-assign]  # in a process of its own
    with open_doors(nowhere, spool=place) as doors:
        parent.send(doors.http)
        parent.recv()
