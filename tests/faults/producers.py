"""Who sends: a raw client that retries as SDKs do, and real exporters of the OpenTelemetry SDK."""

import http.client
import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from faults.bodies import SCOPE, UNREFUSED, Kind, Mix, attributes_of, body, resource_of, trace_of
from faults.oracle import Oracle, Sender, Sent
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator

TIMEOUT = 10.0
RETRYABLE = {429, 502, 503, 504}
RECENT = 64


@dataclass(frozen=True)
class Kept:
    """A request that may be sent again, or several in one: protobuf's messages are joined so."""

    parts: tuple[Sent, ...]
    body: bytes


class RawClient(threading.Thread):
    """Sends one request after the other, each until it is acknowledged.

    It waits between attempts as SDKs do (1, 2, 4 s, ± 20 %, or what Retry-After says) but never
    gives up, so that at the end everything it ever sent was acknowledged. ``repeats`` of its
    requests are sent twice.
    """

    def __init__(
        self,
        oracle: Oracle,
        address: Callable[[], str],
        chance: random.Random,
        *,
        sizes: Sequence[int],
        mix: Mix,
        pause: float = 0.05,
        repeats: float = 0.05,
    ) -> None:
        super().__init__(daemon=True)
        self.oracle = oracle
        self.sender = oracle.sender(mix)
        self.recent: deque[Kept] = deque(maxlen=RECENT)
        self.enough = threading.Event()
        """Nothing new; what is under way is brought to its end."""
        self._address = address
        self._chance = chance
        self._sizes = sizes
        self._pause = pause
        self._repeats = repeats
        self._connection: http.client.HTTPConnection | None = None

    def run(self) -> None:
        while not self.enough.is_set():
            kept = self.make(self._chance.choice(self._sizes))
            self.deliver(kept)
            self.recent.append(kept)
            if self._chance.random() < self._repeats:
                self.deliver(self._chance.choice(self.recent))
            self.enough.wait(self._chance.uniform(0, 2 * self._pause))
        self.close()

    def make(self, size: int, *, start: int | None = None) -> Kept:
        sender = self.sender
        sent = self.oracle.issue(sender, size)
        request = body(self.oracle.run, sender.number, sent.numbers, sender.mix, start=start)
        return Kept((sent,), request)

    def deliver(self, kept: Kept) -> None:
        """Until it is acknowledged."""
        attempt = 0
        while (again_in := self._try(kept, attempt)) is not None:
            attempt += 1
            # As long as SDKs wait between two attempts: that is what is tried.
            time.sleep(again_in)

    def once(self, kept: Kept) -> bool:
        """One attempt; whether it was acknowledged."""
        return self._try(kept, 0) is None

    def _try(self, kept: Kept, attempt: int) -> float | None:
        """None when it is done with, else the seconds to wait."""
        self.oracle.trying(*kept.parts, again=attempt > 0)
        backoff = min(2.0**attempt, 4.0) * self._chance.uniform(0.8, 1.2)
        try:
            answer, said = self._exchange(kept.body)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            self.oracle.refused(type(error).__name__)
            return backoff
        if answer.status == 200:
            rejected = ExportTraceServiceResponse.FromString(said).partial_success.rejected_spans
            self.oracle.acknowledged(*kept.parts, rejected=rejected)
            return None
        reason = Status.FromString(said).message
        self.oracle.refused(f"{answer.status} {reason}")
        if answer.status not in RETRYABLE:
            self.oracle.is_broken(f"a good request was answered {answer.status} {reason}")
            return None
        hint = answer.getheader("retry-after")
        return float(hint) if hint else backoff

    def _exchange(self, request: bytes) -> tuple[http.client.HTTPResponse, bytes]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self._address(), timeout=TIMEOUT)
        self._connection.request(
            "POST", "/v1/traces", request, {"content-type": "application/x-protobuf"}
        )
        answer = self._connection.getresponse()
        return answer, answer.read()

    def close(self) -> None:
        if self._connection:
            with suppress(OSError):
                self._connection.close()
            self._connection = None


class Numbered(IdGenerator):
    """Trace ids that number their spans."""

    def __init__(self, oracle: Oracle, sender: Sender) -> None:
        self._oracle = oracle
        self._sender = sender
        self._number = -1

    def generate_trace_id(self) -> int:
        self._number += 1
        return int.from_bytes(trace_of(self._oracle.run, self._sender.number, self._number), "big")

    def generate_span_id(self) -> int:
        # The SDK asks for the trace first when a span has no parent.
        return self._number + 1


class Recorded(SpanExporter):
    """Tells the oracle what a real exporter is about to send, and what it said in the end."""

    def __init__(self, oracle: Oracle, sender: Sender, exporter: SpanExporter) -> None:
        self._oracle = oracle
        self._sender = sender
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        numbers = [span.get_span_context().span_id - 1 for span in spans]
        sent = self._oracle.issue(self._sender, len(numbers))
        if numbers != list(sent.numbers):
            self._oracle.is_broken("the SDK's queue ran over: its numbers are not those it made")
        self._oracle.trying(sent)
        began = self._oracle.now
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            self._oracle.acknowledged(sent, rejected=None)
        else:
            self._oracle.gave_up(len(numbers), began)
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


class Retries(logging.Handler):
    """Counts what exporters say of their attempts."""

    def __init__(self, oracle: Oracle) -> None:
        super().__init__()
        self._oracle = oracle

    def emit(self, record: logging.LogRecord) -> None:
        said = record.getMessage()
        if "retrying" in said:
            self._oracle.exporter_retries(said.partition(" encountered")[0])
        elif "Failed" in said:
            self._oracle.refused(said)


class SdkApplication(threading.Thread):
    """An application with the real SDK and its default retries: spans at a steady pace."""

    def __init__(self, oracle: Oracle, address: str, chance: random.Random, *, grpc: bool) -> None:
        super().__init__(daemon=True)
        self.sender = oracle.sender(UNREFUSED)
        self.enough = threading.Event()
        self._chance = chance
        exporter = (
            GrpcExporter(endpoint=f"http://{address}", insecure=True)
            if grpc
            else HttpExporter(endpoint=f"http://{address}/v1/traces")
        )
        self._provider = TracerProvider(
            resource=Resource(resource_of(oracle.run)), id_generator=Numbered(oracle, self.sender)
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(Recorded(oracle, self.sender, exporter), schedule_delay_millis=500)
        )

    def run(self) -> None:
        tracer = self._provider.get_tracer(SCOPE)
        made = 0
        while not self.enough.is_set():
            if self.sender.kind(made) is Kind.CALL:
                tracer.start_span("chat gpt-5", attributes=attributes_of(made)).end()
            else:
                tracer.start_span("GET /").end()
            made += 1
            self.enough.wait(self._chance.uniform(0, 0.04))
        self._provider.force_flush(30_000)
        self._provider.shutdown()


def finish(producers: Sequence[RawClient | SdkApplication], seconds: float) -> int:
    """Ask all to come to their end; how many did not within that time."""
    for producer in producers:
        producer.enough.set()
    deadline = time.monotonic() + seconds
    for producer in producers:
        producer.join(max(0.0, deadline - time.monotonic()))
    return sum(producer.is_alive() for producer in producers)
