"""An application's exit, and its forks, whatever has become of the collector."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from otlp_listener import otlp_listener
from sdk_process import run_application

MANY_SPANS = """
import logging, spanledger
from opentelemetry import trace
spanledger.instrument()
tracer = trace.get_tracer("application")
for number in range(1500):
    tracer.start_span(f"call {number}").end()
"""

LONGEST = 9
"""Seconds to an exit: three that the SDK waits, and time for a busy machine; exporters wait ten."""

THEIR_PROVIDER = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
trace.set_tracer_provider(TracerProvider())
"""


@contextmanager
def silent_server() -> Iterator[str]:
    """Accepts connections, reads nothing, never answers."""
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    held.append(server.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=accept)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    for connection in held:
        connection.close()


@pytest.mark.parametrize("before", ["", THEIR_PROVIDER], ids=["our provider", "their provider"])
def test_a_collector_that_never_answers_delays_the_exit_by_seconds_only(before: str) -> None:
    with silent_server() as endpoint:
        ended = run_application(before + MANY_SPANS, SPANLEDGER_ENDPOINT=endpoint)
    assert ended.code == 0, ended.err
    assert ended.seconds_to_exit < LONGEST
    assert "Traceback" not in ended.err


def test_a_collector_that_is_down_delays_the_exit_by_seconds_only() -> None:
    ended = run_application(MANY_SPANS, SPANLEDGER_ENDPOINT="http://127.0.0.1:1")
    assert ended.code == 0, ended.err
    assert ended.seconds_to_exit < LONGEST
    assert "Traceback" not in ended.err


def test_a_collector_that_is_up_gets_the_last_spans_at_exit() -> None:
    with otlp_listener() as listener:
        ended = run_application(MANY_SPANS, SPANLEDGER_ENDPOINT=listener.endpoint)
    assert ended.code == 0, ended.err
    assert len(listener.spans) == 1500
    assert "could not be delivered" not in ended.err, "it waited as long as it may"


def test_an_exit_by_an_error_keeps_its_error_and_its_last_spans() -> None:
    with otlp_listener() as listener:
        script = MANY_SPANS + "raise KeyError('theirs')\n"
        ended = run_application(script, SPANLEDGER_ENDPOINT=listener.endpoint)
    assert ended.code == 1
    assert "KeyError: 'theirs'" in ended.err
    assert len(listener.spans) == 1500


def test_a_flush_waits_no_longer_than_it_was_told() -> None:
    script = (
        MANY_SPANS
        + """
import time
began = time.monotonic()
print(trace.get_tracer_provider().force_flush(500), time.monotonic() - began < 8)
"""
    )
    with silent_server() as endpoint:
        ended = run_application(script, SPANLEDGER_ENDPOINT=endpoint)
    assert ended.out == "False True"


def test_forked_workers_each_deliver_over_a_connection_of_their_own() -> None:
    script = """
import os, sys, spanledger
from opentelemetry import trace
spanledger.instrument()
tracer = trace.get_tracer("application")
tracer.start_span("before the fork").end()
trace.get_tracer_provider().force_flush()  # leaves a connection open, which the children inherit
workers = []
for number in range(3):
    worker = os.fork()
    if worker == 0:
        for _ in range(20):
            tracer.start_span(f"worker {number}").end()
            trace.get_tracer_provider().force_flush()
        tracer.start_span("last").end()
        sys.exit(0)
    workers.append(worker)
print([os.waitpid(worker, 0)[1] for worker in workers])
"""
    with otlp_listener() as listener:
        ended = run_application(script, SPANLEDGER_ENDPOINT=listener.endpoint)
    assert ended.out == "[0, 0, 0]", ended.err
    assert len(listener.named("before the fork")) == 1
    assert len(listener.named("last")) == 3
    connections = set()
    for number in range(3):
        spans = listener.named(f"worker {number}")
        assert len(spans) == 20
        connections |= {span.connection for span in spans}
    assert len(connections) >= 3
    assert listener.only("before the fork").connection not in connections


def test_a_forked_worker_exits_in_time_when_the_collector_never_answers() -> None:
    script = """
import os, sys, spanledger
from opentelemetry import trace
spanledger.instrument()
worker = os.fork()
if worker == 0:
    trace.get_tracer("application").start_span("call").end()
    sys.exit(0)
print(os.waitpid(worker, 0)[1])
"""
    with silent_server() as endpoint:
        ended = run_application(script, SPANLEDGER_ENDPOINT=endpoint)
    assert ended.out == "0"
