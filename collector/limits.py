"""How much one request may cost, and all of them together, checked before memory is spent."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Lock
from typing import Final

from google.protobuf.descriptor import Descriptor
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from collector.errors import Busy, Malformed, TooLarge
from collector.frame import counted
from collector.signals import Signal
from collector.wire import SIZED, fields

MIB = 2**20

_ITEM: Final = 0
_GROUP: Final = 1
_OTHER: Final = 2
_MANY: Final = 40
"""Fields for each item that a request may have: attributes, their values, what nobody knows."""

_DEEPEST: Final = 120
"""Messages within messages; no decoder goes so deep."""

_Level = tuple[frozenset[int], int]
"""Numbers of protobuf's fields, and what they hold."""
_FRAME: Final = ((frozenset({1}), _GROUP), (frozenset({2}), _GROUP), (frozenset({2}), _ITEM))
# Of a metric: gauge, sum, histogram, exponential histogram, summary; each has its points first.
_POINTS: Final = ((frozenset({5, 7, 9, 10, 11}), _OTHER), (frozenset({1}), _ITEM))
_LEVELS: Final[dict[Signal, tuple[_Level, ...]]] = {
    Signal.TRACES: _FRAME,
    Signal.LOGS: _FRAME,
    Signal.METRICS: (*_FRAME, *_POINTS),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of what the doors take."""

    request_bytes: int = 20 * MIB
    """Of one request, also after decompression (the OpenTelemetry Collector's default)."""
    spans: int = 50_000
    """In one request: an empty span is 2 bytes on the wire, and a hundred times that in memory.
    So many log records or data points, too."""
    json_objects: int = 2_000_000
    """Objects and lists in one JSON body: an empty one is 3 bytes there, and 60 in memory."""
    gzip_members: int = 64
    """In one body; each costs time, however empty."""
    in_flight_bytes: int = 256 * MIB
    """Of all requests that are not answered yet."""
    key_bytes: int = 64 * MIB
    """Of those that show one key, so that a sender of too much is not everybody's trouble. As long
    as no key is needed all of this machine are one sender, and may take it all."""
    header_seconds: float = 10
    """For a request's headers to arrive, from their first byte."""
    header_bytes: int = 64 * 1024
    """Of one request, before its body."""
    body_seconds: float = 30
    """For a body to arrive."""
    body_bytes_a_second: int = 4096
    """How fast, on the average, when the pauses are over."""
    body_pause_seconds: float = 5
    """That nothing of a body may come, all in all: who sends a byte at a time is cut off."""
    idle_seconds: int = 75
    """That a connection may wait for a request: longer than the pause between two exports of an
    SDK, so that each finds its connection."""
    connections: int = 2_000
    """To OTLP/HTTP, and as many to OTLP/gRPC. For one more, that which waits longest is closed."""
    answer_seconds: float = 8
    """From body to answer: SDKs give up after 10 s, and then do not hear that we are busy."""
    batch_rows: int = 5_000
    """Sightings that are enough for a transaction."""
    origins: frozenset[str] = frozenset()
    """Whose web pages may send (``collector/cors.py``)."""

    def patience(self, read: int) -> float:
        """Seconds from its begin in which more of a body has to come, of which so much is there."""
        return min(self.body_seconds, self.body_pause_seconds + read / self.body_bytes_a_second)


class Share:
    """What one request holds of the memory of all."""

    def __init__(self, in_flight: "InFlight", key: str | None = None) -> None:
        self._in_flight = in_flight
        self._key = key
        self.held = 0

    def take(self, count: int) -> None:
        """Hold ``count`` bytes more; raises Busy when all requests together hold too much."""
        self._in_flight.change(count, self._key)
        self.held += count


class InFlight:
    """The bytes of all requests that are not answered yet. Used by many threads."""

    def __init__(self, limit: int, of_one_key: int | None = None) -> None:
        self.limit = limit
        self.held = 0
        self.requests = 0
        """From where their bodies begin to come to their answers."""
        self._of_one_key = limit if of_one_key is None else of_one_key
        # By hash, so that a dump of our memory holds no key.
        self._held_by: dict[int, int] = {}
        self._lock = Lock()
        self._most = 0

    def change(self, count: int, key: str | None = None) -> None:
        """Take bytes (or give them back, negative); raises Busy beyond a limit."""
        with self._lock:
            if count > 0 and self.held + count > self.limit:
                raise Busy("too many requests are waiting for their answer")
            if key is not None:
                self._change_of(hash(key), count)
            self.held += count
            self._most = max(self._most, self.held)

    def most(self) -> int:
        """The most that was held at one time since this was asked last."""
        with self._lock:
            most, self._most = self._most, self.held
        return most

    def _change_of(self, name: int, count: int) -> None:
        held = self._held_by.get(name, 0) + count
        if count > 0 and held > self._of_one_key:
            raise Busy("too many requests of this key are waiting for their answer")
        if held:
            self._held_by[name] = held
        else:
            self._held_by.pop(name, None)

    @contextmanager
    def share(self, key: str | None = None) -> Iterator[Share]:
        """One request's share, given back at the end of the block. ``key``: that it shows."""
        share = Share(self, key)
        with self._lock:
            self.requests += 1
        try:
            yield share
        finally:
            self.change(-share.held, key)
            with self._lock:
                self.requests -= 1


def check_objects(body: bytes, most: int) -> None:
    """Raise TooLarge if a JSON body holds more than ``most`` objects and lists.

    Counts brackets, also those inside of strings: prompts full of code stay far below.
    """
    if body.count(b"{") + body.count(b"[") > most:
        raise TooLarge(f"more than {most:,} objects and lists in one request")


def check_items(request: bytes, most: int, signal: Signal) -> int:
    """How many spans, records or points a serialised request holds; TooLarge above ``most``.

    Walks lengths only and keeps nothing. What is no protobuf is left to the decoder to refuse.
    """
    count = counted(request) if signal is not Signal.METRICS else None
    if count and count.items <= most and count.groups <= 2 * most and count.beside <= _MANY * most:
        return count.items  # in a fifth of the time; what else stands there has a byte at least
    if signal is Signal.METRICS and len(request) > _MANY * most:
        _check_values(request, _MANY * most)
    kinds = (signal.items, f"groups of {signal.items}", f"values beside {signal.items}")
    bounds = (most, 2 * most, _MANY * most)
    counts = [0, 0, 0]
    for kind in _walked(request, signal):
        counts[kind] += 1
        if counts[kind] > bounds[kind]:
            raise TooLarge(f"more than {bounds[kind]:,} {kinds[kind]} in one request")
    return counts[_ITEM]


def _walked(request: bytes, signal: Signal) -> Iterator[int]:
    """What each field is that holds items or stands beside them, up to where the frame breaks."""
    waiting = [(0, len(request), _LEVELS[signal])]
    while waiting:
        at, end, levels = waiting.pop()
        (numbers, what), inner = levels[0], levels[1:]
        with suppress(Malformed):
            for number, kind, begin, after in fields(request, at, end):
                if kind != SIZED or number not in numbers:
                    yield _OTHER
                    continue
                yield what
                if inner:
                    waiting.append((begin, after, inner))


def _check_values(request: bytes, most: int) -> None:
    """Raise TooLarge if a request of metrics holds more than ``most`` fields of any kind.

    Its decoder makes an object of each message, fifty times the size of an empty one on the wire.
    """
    count = 0
    open_messages = [_nested(request, 0, len(request), ExportMetricsServiceRequest.DESCRIPTOR)]
    while open_messages:
        for begin, end, described in open_messages[-1]:
            count += 1
            if count > most:
                raise TooLarge(f"more than {most:,} values in one request")
            if described is not None and len(open_messages) < _DEEPEST:
                open_messages.append(_nested(request, begin, end, described))
                break
        else:
            open_messages.pop()


def _nested(
    request: bytes, at: int, end: int, described: Descriptor
) -> Iterator[tuple[int, int, Descriptor | None]]:
    """The fields of a message, up to where its frame breaks, and what the messages in them are."""
    with suppress(Malformed):
        for number, kind, begin, after in fields(request, at, end):
            field = described.fields_by_number.get(number) if kind == SIZED else None
            yield begin, after, field.message_type if field is not None else None
