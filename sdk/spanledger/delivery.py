"""How spans leave: OpenTelemetry's own batching and exporter, with bounds on every wait."""

from __future__ import annotations

import os
import threading
import weakref
from queue import SimpleQueue
from typing import TYPE_CHECKING, Callable

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from spanledger.harmless import warn_once

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from spanledger.destination import Destination

# How long an application's exit may wait for its last spans.
LONGEST_EXIT_SECONDS = 3.0

_Errand = tuple[Callable[[], object], threading.Event]


class Exporter(SpanExporter):
    """OTLP over HTTP to one destination; a failure is said once, and never raised."""

    def __init__(self, destination: Destination) -> None:
        self._destination = destination
        self._open()

    def _open(self) -> None:
        self._otlp = OTLPSpanExporter(
            endpoint=self._destination.url, headers=self._destination.headers
        )
        self._process = os.getpid()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send one batch, on the thread of the batching processor."""
        try:
            if self._process != os.getpid():
                self._open()  # a forked child must not write into its parent's open connection
            result = self._otlp.export(spans)
        except Exception as error:  # noqa: BLE001 - reported, and the next batch gets its chance
            warn_once(
                "export", "spans cannot be sent to %s: %s", self._destination.host,
                type(error).__name__,
            )  # fmt: skip
            return SpanExportResult.FAILURE
        if result is not SpanExportResult.SUCCESS:
            warn_once("export", "spans did not reach %s", self._destination.host)
        return result

    def shutdown(self) -> None:
        """Close the connections."""
        self._otlp.shutdown()  # type: ignore[no-untyped-call]  # OpenTelemetry gave it no types

    def force_flush(self, timeout_millis: int = 30000) -> bool:  # noqa: ARG002 - the interface's
        """Nothing is held here."""
        return True


class BoundedBatchSpanProcessor(BatchSpanProcessor):
    """OpenTelemetry's batching, except that flushing and closing end when they must.

    The SDK's own wait for the exporter, 30 s or without end by version, and however long the
    caller allowed. Here a thread of ours does what may take long, and the caller waits for it as
    long as is decent. The thread is started early because Python 3.12 and later refuse new threads
    while the interpreter exits, which is when it is needed.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        super().__init__(exporter)
        self._start_runner()
        if hasattr(os, "register_at_fork"):
            alive = weakref.ref(self)

            def in_child() -> None:
                processor = alive()
                if processor is not None:
                    processor._start_runner()  # noqa: SLF001 - itself; threads do not survive forks

            os.register_at_fork(after_in_child=in_child)

    def _start_runner(self) -> None:
        self._errands: SimpleQueue[_Errand] = SimpleQueue()
        runner = threading.Thread(
            target=_run_errands, args=(self._errands,), name="spanledger", daemon=True
        )
        runner.start()

    def _within(self, seconds: float, errand: Callable[[], object]) -> bool:
        done = threading.Event()
        self._errands.put((errand, done))
        return done.wait(seconds)

    def shutdown(self) -> None:
        """Send what is left and close, in at most LONGEST_EXIT_SECONDS."""
        if not self._within(LONGEST_EXIT_SECONDS, super().shutdown):
            warn_once("shutdown", "the last spans could not be delivered before the exit")

    def force_flush(self, timeout_millis: int | None = None) -> bool:
        """Send what is left; False where it took longer than ``timeout_millis`` (default 30 s)."""
        wait = 30000 if timeout_millis is None else timeout_millis
        return self._within(wait / 1000, super().force_flush)


def _run_errands(errands: SimpleQueue[_Errand]) -> None:
    while True:
        errand, done = errands.get()
        try:
            errand()
        except Exception as error:  # noqa: BLE001 - the thread must live for the next errand
            warn_once("errand", "spans could not be flushed: %r", error)
        finally:
            done.set()
