"""How long understanding takes, for a span of each dialect.

A batch is 512 spans or log records: the dialect's captured requests (``tests/vectors``) again and
again, each time with ids of its own, also where an id stands inside a long text. Trust the ratios:
all dialects take turns in one process, and the medians of many turns are compared.
"""

import os
import re
import statistics
import time
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bench.table import Row
from collector.signals import Signal
from collector.understanding.by_signal import understand_signal

VECTORS: Final = Path(__file__).parent.parent / "tests" / "vectors"
MEASURE: Final = "otel-genai"
"""The dialect that the others are compared with."""
BATCH: Final = 512
TURNS: Final = 15
HEARD: Final = datetime(2026, 11, 23, tzinfo=UTC)

_ID: Final = re.compile(r"\b(chatcmpl-|cmpl-|resp_|msg_|embd-)\w+")
_LISTS: Final[dict[Signal, tuple[Callable[[], Any], str, str, str]]] = {
    Signal.TRACES: (ExportTraceServiceRequest, "resource_spans", "scope_spans", "spans"),
    Signal.LOGS: (ExportLogsServiceRequest, "resource_logs", "scope_logs", "log_records"),
}


def measure() -> list[Row]:
    """One row for each dialect, the fastest first."""
    took = _measured()
    return [
        Row(
            f"dialect_{name}",
            f"understanding {name}",
            each,
            "µs",
            f"{each / took[MEASURE]:.2f} of {MEASURE}",
        )
        for name, each in sorted(took.items(), key=lambda it: it[1])
    ]


def _measured() -> dict[str, float]:
    """Dialect -> microseconds of CPU time a span, median of the turns."""
    found = {name: batch_of(name) for name in sorted(dialects())}
    batches = {name: batch for name, batch in found.items() if batch}
    for signal, body in batches.values():
        _understood(signal, body)
    took: dict[str, list[float]] = {name: [] for name in batches}
    for _ in range(TURNS):
        for name, (signal, body) in batches.items():
            took[name].append(_understood(signal, body) / BATCH * 1e6)
    return {name: statistics.median(times) for name, times in took.items()}


def _understood(signal: Signal, body: bytes) -> float:
    began = time.process_time()
    understand_signal(signal, [body], tenant=1, received_at=HEARD)
    return time.process_time() - began


def dialects() -> set[str]:
    """Those that were captured."""
    truths = (tomllib.loads(file.read_text()) for file in VECTORS.glob("*/truth.toml"))
    return {str(truth["dialect"]) for truth in truths if "dialect" in truth}


def batch_of(dialect: str) -> tuple[Signal, bytes] | None:
    """512 items of a dialect: spans, or log records where it was never captured as spans."""
    for signal in _LISTS:
        bodies = [
            file.read_bytes()
            for truth in sorted(VECTORS.glob("*/truth.toml"))
            if tomllib.loads(truth.read_text()).get("dialect") == dialect
            for file in sorted(truth.parent.glob(f"*-{signal}-*.pb"))
        ]
        if bodies:
            return signal, _repeated(bodies, signal)
    return None


def _repeated(bodies: list[bytes], signal: Signal) -> bytes:
    request, by_resource, by_scope, items = _LISTS[signal]
    whole: Any = request()
    left = BATCH
    for copy in count():
        for body in bodies:
            again: Any = request()
            again.ParseFromString(body)
            for resource in getattr(again, by_resource):
                for scope in getattr(resource, by_scope):
                    there = getattr(scope, items)
                    del there[left:]
                    left -= len(there)
                    for item in there:
                        _renew(item, f"{copy:08x}")
            whole.MergeFrom(again)
            if not left:
                serialized: bytes = whole.SerializeToString()
                return serialized
    raise AssertionError  # count() has no end


def _renew(item: Any, mark: str) -> None:
    """Ids as no other copy has them."""
    item.span_id = os.urandom(8)
    for attribute in item.attributes:
        if attribute.value.HasField("string_value"):
            text = attribute.value.string_value
            attribute.value.string_value = _ID.sub(rf"\g<0>{mark}", text)
