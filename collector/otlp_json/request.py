"""A request's body, from JSON text to protobuf."""

import re
from collections.abc import Callable
from typing import Any, Final

import orjson
from google.protobuf.message import Message

from collector.errors import Malformed
from collector.otlp_json.logs import logs_request
from collector.otlp_json.metrics import metrics_request
from collector.otlp_json.spans import trace_request
from collector.signals import Signal

_REQUESTS: Final[dict[Signal, Callable[[dict[str, Any]], Message]]] = {
    Signal.TRACES: trace_request,
    Signal.LOGS: logs_request,
    Signal.METRICS: metrics_request,
}

# Every escape in order, so that "\\\\ud800" (a backslash and letters) is not taken for one.
_ESCAPE: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<alone>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def to_protobuf(body: bytes, signal: Signal) -> bytes:
    """The signal's serialised request that a JSON body stands for.

    Raises ``Malformed``, naming the place, for what is no JSON or has another shape.
    """
    try:
        content = _parsed(body)
    except RecursionError:  # orjson refuses depth; this is for our own descent
        raise Malformed("JSON: nested too deep") from None
    return _REQUESTS[signal](content).SerializeToString()


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as strict:
        # JavaScript writes half an emoji, where a text was cut inside one, as a lone surrogate.
        mended = _ESCAPE.sub(lambda escape: rb"\ufffd" if escape["alone"] else escape[0], body)
        try:
            content = orjson.loads(mended)
        except orjson.JSONDecodeError:
            raise Malformed(f"JSON: {strict}") from None
    if not isinstance(content, dict):
        raise Malformed("JSON: an object is expected")
    return content
