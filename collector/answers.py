"""What a sender is answered, as the OTLP specification has it, in protobuf and in JSON.

Full success is an empty message; where items were refused, or their usage was, ``partial_success``
says how many and why. Every error carries a ``google.rpc.Status``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import orjson
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped]  # ships none
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # ships none
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from collector.errors import Busy, Denied, Malformed, TooLarge
from collector.signals import Signal
from spend.secret_shapes import without_secrets
from store.intake.intake import Account

RETRY_SECONDS: Final = 3
"""SDKs give up once the next attempt would come later than 10 s after the first: three seconds
leave them four attempts, the last after nine."""
MOST_REASONS: Final = 20
LONGEST_MESSAGE: Final = 4096
"""Bytes, of which an answer may have four million in all."""
LONGEST_ERROR: Final = 1024
"""Bytes: gRPC tells an error in its trailers, twice and escaped; senders take 8 KiB of these."""
_REJECTED: Final = {
    Signal.TRACES: "rejectedSpans",
    Signal.LOGS: "rejectedLogRecords",
    Signal.METRICS: "rejectedDataPoints",
}


class Code(IntEnum):
    """The codes of google.rpc that we answer."""

    INVALID_ARGUMENT = 3
    NOT_FOUND = 5
    RESOURCE_EXHAUSTED = 8
    UNIMPLEMENTED = 12
    UNAVAILABLE = 14
    UNAUTHENTICATED = 16


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error, as both doors tell it."""

    http: int
    code: Code
    message: str
    """Without what looks like a secret in what was sent: senders log what they are told."""

    def status(self) -> Status:
        """As google.rpc.Status, with the time to wait where sending again makes sense."""
        status = Status(code=self.code, message=self.message)
        if self.code is Code.UNAVAILABLE:
            detail = AnyMessage()
            detail.Pack(retry_info())
            status.details.append(detail)
        return status

    def body(self, *, as_json: bool) -> bytes:
        """The body of an HTTP answer."""
        if as_json:
            return orjson.dumps({"code": int(self.code), "message": self.message})
        return bytes(self.status().SerializeToString())


def refusal_of(error: Exception) -> Refusal:
    """How an error is told. One that we did not foresee is our trouble, so: busy."""
    message = _cut(without_secrets(str(error)), LONGEST_ERROR)
    match error:
        case TooLarge():
            return Refusal(413, Code.RESOURCE_EXHAUSTED, message)
        case Malformed():
            return Refusal(400, Code.INVALID_ARGUMENT, message)
        case Denied():
            return Refusal(401, Code.UNAUTHENTICATED, message)
        case Busy():
            return Refusal(503, Code.UNAVAILABLE, message)
        case _:
            return Refusal(503, Code.UNAVAILABLE, "something went wrong here; it is in our log")


def retry_info() -> RetryInfo:
    """When to send again."""
    return RetryInfo(retry_delay=Duration(seconds=RETRY_SECONDS))


def success(account: Account, signal: Signal) -> bytes:
    """The signal's response message."""
    message = explain(account, signal)
    # Empty where all is well: so is the message.
    return _response(signal, sum(account.refused.values()), message) if message else b""


def _response(signal: Signal, rejected: int, message: str) -> bytes:
    match signal:
        case Signal.TRACES:
            traces = ExportTracePartialSuccess(rejected_spans=rejected, error_message=message)
            return ExportTraceServiceResponse(partial_success=traces).SerializeToString()
        case Signal.LOGS:
            logs = ExportLogsPartialSuccess(rejected_log_records=rejected, error_message=message)
            return ExportLogsServiceResponse(partial_success=logs).SerializeToString()
        case Signal.METRICS:
            points = ExportMetricsPartialSuccess(
                rejected_data_points=rejected, error_message=message
            )
            return ExportMetricsServiceResponse(partial_success=points).SerializeToString()


def success_as_json(account: Account, signal: Signal) -> bytes:
    """The same in OTLP's JSON, where 64-bit integers are strings."""
    message = explain(account, signal)
    if not message:
        return b"{}"
    rejected = str(sum(account.refused.values()))
    return orjson.dumps({"partialSuccess": {_REJECTED[signal]: rejected, "errorMessage": message}})


def explain(account: Account, signal: Signal) -> str:
    """Why items, or the usage of calls, were refused; empty where all is well."""
    parts = []
    if account.refused:
        parts.append(f"{signal.items} refused: {_reasons(account.refused)}")
    if account.usage_refused:
        parts.append(f"calls kept without usage: {_reasons(account.usage_refused)}")
    return _cut("; ".join(parts), LONGEST_MESSAGE)


def _cut(text: str, most: int) -> str:
    """By bytes, as limits on an answer's size count them, but never inside a character."""
    return text.encode("utf-8", "replace")[:most].decode("utf-8", "ignore")


def _reasons(counts: Mapping[str, int]) -> str:
    by_count = sorted(counts.items(), key=lambda reason: (-reason[1], reason[0]))
    told = ", ".join(f"{reason} ({count})" for reason, count in by_count[:MOST_REASONS])
    more = len(by_count) - MOST_REASONS
    return f"{told} and {more} more reasons" if more > 0 else told
