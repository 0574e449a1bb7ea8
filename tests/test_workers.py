"""Several processes hear at one address, and share what comes."""

import http.client
import os
import signal
import socket
from contextlib import ExitStack, closing
from pathlib import Path

import grpc
import pytest
from collecting import Collecting, collecting
from doors import PROTOBUF, call, request
from serving import eventually, spanledger

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


def exported(collector: Collecting, body: bytes) -> bool:
    """Whether gRPC took a request; a connection that breaks counts as not yet."""
    with grpc.insecure_channel(collector.grpc) as channel:
        try:
            return bool(channel.unary_unary(EXPORT, None, None)(body, timeout=20) == b"")
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
            return False


def test_connections_are_shared_and_who_has_lost_a_worker_goes_to_the_other(
    data_dir: Path, database_url: str
) -> None:
    with collecting(data_dir, database_url, COLLECTOR_WORKERS="2") as collector:
        first, second = collector.workers()
        with ExitStack() as open_:
            senders = [
                open_.enter_context(closing(http.client.HTTPConnection(collector.http, timeout=20)))
                for _ in range(12)
            ]
            for sender in senders:
                sender.connect()
            eventually(
                lambda: connected(collector, first) + connected(collector, second) == 12,
                "all are taken",
            )
            assert min(connected(collector, first), connected(collector, second)) > 2
            os.kill(first, signal.SIGKILL)
            eventually(lambda: first not in collector.workers(), "one of two is gone")
            # Nobody waits for its successor: the other one hears at both addresses.
            body = request(call(1))
            # Exporters try again what is unavailable: the dead one's socket takes a moment to go.
            eventually(lambda: exported(collector, body), "gRPC is heard")
            with closing(http.client.HTTPConnection(collector.http, timeout=20)) as sender:
                sender.request("POST", "/v1/traces", body, {"content-type": PROTOBUF})
                assert sender.getresponse().status == 200
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
