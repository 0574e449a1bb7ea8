"""A store that takes, fails before and after its work, and loses the database, at random.

After the contract checker of the OpenTelemetry Collector's receivers: each span is taken or refused
once, whatever the consumer behind the door decides.
"""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import grpc
import psycopg
import pytest
from doors import Doors, call, open_doors, request
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from sqlalchemy.orm import Session

from collector import batches as writing
from store.dictionaries import Known
from store.intake.intake import Batch, PutDown
from store.postgres.sessions import Database

pytestmark = pytest.mark.one_server

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
REQUESTS = 20
FAILURES: dict[str, tuple[type[Exception], ...]] = {
    "takes": (),
    "comes and goes": (psycopg.OperationalError,),
    "breaks": (RuntimeError,),
    "does anything": (psycopg.OperationalError, RuntimeError, psycopg.errors.DeadlockDetected),
}


@pytest.mark.parametrize(
    ("store", "door"),
    [
        ("takes", "grpc"),
        ("comes and goes", "http"),
        ("breaks", "grpc"),
        ("does anything", "http"),
        ("does anything", "grpc"),
    ],
)
def test_whatever_the_store_does_each_span_is_taken_or_refused_once(
    database: Database, monkeypatch: pytest.MonkeyPatch, store: str, door: str
) -> None:
    chance, real = random.Random(f"{store} {door}"), writing.put_down

    def put_down(session: Session, batch: Batch, known: Known, *, straight: bool) -> PutDown:
        failure = chance.choice(FAILURES[store]) if FAILURES[store] else None
        before, after = chance.random() < 0.2, chance.random() < 0.2
        if failure and before:
            raise failure("before anything was done")
        done = real(session, batch, known, straight=straight)
        if failure and after:
            raise failure("after everything was done")
        return done

    monkeypatch.setattr(writing, "put_down", put_down)
    with open_doors(database) as doors:
        send = {"http": over_http, "grpc": over_grpc}[door](doors)
        with ThreadPoolExecutor(4) as senders:
            told = list(senders.map(lambda n: until_taken(send, body_of(n)), range(REQUESTS)))
        good = sum(number % 7 + 1 for number in range(REQUESTS))
        assert told == [number % 3 for number in range(REQUESTS)], "refused, each time it is told"
        assert doors.stored() == good
        sums = doors.accounted()
        assert sums["stored"] == good
        assert sums["heard"] == sums["stored"] + sums["duplicate"] + sums["refused"]


def body_of(number: int) -> bytes:
    """One to seven calls, and none to two that cannot be kept."""
    good = [call(span, trace=number + 1) for span in range(1, number % 7 + 2)]
    bad = [without_start(call(100 + span, trace=number + 1)) for span in range(number % 3)]
    return request(*good, *bad)


def without_start(span: Span) -> Span:
    span.start_time_unix_nano = 0
    return span


def until_taken(send: Callable[[bytes], int | None], body: bytes) -> int:
    """Sends again for as long as it is told to; how many spans were refused in the end."""
    pause = threading.Event()
    for _ in range(200):
        refused = send(body)
        if refused is not None:
            return refused
        # As short as it may be: a sender's pause is what is tried.
        pause.wait(0.005)
    raise AssertionError("it was never taken")


def over_http(doors: Doors) -> Callable[[bytes], int | None]:
    def send(body: bytes) -> int | None:
        answer = doors.post(body)
        assert answer.status in {200, 503}
        taken = answer.status == 200
        return answer.export().partial_success.rejected_spans if taken else None

    return send


def over_grpc(doors: Doors) -> Callable[[bytes], int | None]:
    def send(body: bytes) -> int | None:
        with grpc.insecure_channel(doors.grpc) as channel:
            try:
                said = channel.unary_unary(EXPORT)(body, timeout=20)
            except grpc.RpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
                return None
        return ExportTraceServiceResponse.FromString(said).partial_success.rejected_spans

    return send
