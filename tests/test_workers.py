"""Several processes hear at one address, and share what comes."""

import asyncio
import http.client
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from http import HTTPStatus
from itertools import chain
from pathlib import Path

import grpc
import pytest
from collecting import Collecting, collecting
from doors import PROTOBUF, call, request
from serving import PATIENCE, eventually, spanledger

from collector.accepting import Accepting

pytestmark = pytest.mark.one_server

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


def connected(collector: Collecting, worker: int) -> int:
    """How many connections to OTLP/HTTP a worker has."""
    port = int(collector.http.rpartition(":")[2])
    lines = Path(f"/proc/{worker}/net/tcp").read_text().splitlines()[1:]
    ends = {line.split()[9] for line in lines if line.split()[1].endswith(f":{port:04X}")}
    held = 0
    for entry in Path(f"/proc/{worker}/fd").iterdir():
        try:
            held += str(entry.readlink()).removeprefix("socket:[").removesuffix("]") in ends
        except OSError:  # closed meanwhile
            continue
    return held - 1  # the socket that listens


def has(collector: Collecting, worker: int, connections: int) -> bool:
    return connected(collector, worker) == connections


@contextmanager
def stopped(worker: int) -> Iterator[None]:
    """It does nothing until the end of the block."""
    os.kill(worker, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(worker, signal.SIGCONT)


def exported(collector: Collecting, body: bytes) -> bool:
    """Whether gRPC took a request; a connection that breaks counts as not yet."""
    with grpc.insecure_channel(collector.grpc) as channel:
        try:
            return bool(channel.unary_unary(EXPORT, None, None)(body, timeout=20) == b"")
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
            return False


class Taken(asyncio.Protocol):
    """A connection that was taken."""

    there = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        del transport
        self.there = True

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.there = False


def test_of_connections_that_wait_each_takes_a_part() -> None:
    """Two as two processes have them, and no machine in between that lets one of them rest."""
    taken: list[list[Taken]] = [[], []]

    def heard(which: int) -> Taken:
        taken[which].append(Taken())
        return taken[which][-1]

    async def take() -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=64) as listener, ExitStack() as open_:
            for _ in range(12):
                open_.enter_context(socket.create_connection(listener.getsockname()))
            both = [
                Accepting(listener.dup(), partial(heard, which), taken[which].__len__)
                for which in range(2)
            ]
            async with asyncio.timeout(PATIENCE):
                while sum(each.there for each in chain(*taken)) < 12:  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(0.005)
            for each in both:
                each.stop()
        # Theirs are closed: ours end by themselves.
        async with asyncio.timeout(PATIENCE):
            while any(each.there for each in chain(*taken)):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.005)

    asyncio.run(take())
    assert min(map(len, taken)) > 2


def posted(collector: Collecting, body: bytes) -> int:
    """The status that HTTP answered."""
    with closing(http.client.HTTPConnection(collector.http, timeout=20)) as sender:
        sender.request("POST", "/v1/traces", body, {"content-type": PROTOBUF})
        return sender.getresponse().status


def test_connections_are_shared_and_who_has_lost_a_worker_goes_to_the_other(
    data_dir: Path, database_url: str
) -> None:
    with collecting(data_dir, database_url, COLLECTOR_WORKERS="2") as collector:
        first, second = collector.workers()
        with ExitStack() as open_:
            # Who has how many is the machine's chance: each takes all while the other one rests.
            for resting, working in ((first, second), (second, first)):
                with stopped(resting):
                    for _ in range(6):
                        sender = http.client.HTTPConnection(collector.http, timeout=20)
                        open_.enter_context(closing(sender)).connect()
                    eventually(partial(has, collector, working, 6), "all are taken")
                    assert connected(collector, resting) == (6 if resting == second else 0)
            os.kill(first, signal.SIGKILL)
            eventually(lambda: first not in collector.workers(), "one of two is gone")
            # Nobody waits for its successor: the other one hears at both addresses.
            body = request(call(1))
            # Exporters try again what is unavailable: the dead one's socket takes a moment to go.
            eventually(lambda: exported(collector, body), "gRPC is heard")
            eventually(lambda: posted(collector, body) == HTTPStatus.OK, "HTTP is heard")
            eventually(lambda: len(collector.workers()) == 2, "there are two again")
            assert second in collector.workers()
            assert '"event": "a part died"' in collector.logged()


def test_workers_that_cannot_start_end_their_parent(data_dir: Path, database_url: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        settings = {"DATABASE_URL": database_url, "OTLP_GRPC_ADDR": address}
        refused = spanledger(data_dir, "collector", **settings)
    assert refused.returncode == 1
    assert f"cannot listen at {address}" in refused.stderr
