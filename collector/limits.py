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
from collector.signals import Signal
from collector.wire import SIZED, fields, messages

MIB = 2**20

# Numbers of protobuf's fields, alike in the requests of all signals.
_GROUPS: Final = frozenset({1})
_SCOPES: Final = frozenset({2})
_ITEMS: Final = frozenset({2})
# Of a metric: gauge, sum, histogram, exponential histogram, summary; each has its points first.
_DATA: Final = frozenset({5, 7, 9, 10, 11})
_POINTS: Final = frozenset({1})
_MANY_PARTS: Final = 20
"""Messages within an item of metrics: attributes and their values."""


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
        self._of_one_key = limit if of_one_key is None else of_one_key
        # By hash, so that a dump of our memory holds no key.
        self._held_by: dict[int, int] = {}
        self._lock = Lock()

    def change(self, count: int, key: str | None = None) -> None:
        """Take bytes (or give them back, negative); raises Busy beyond a limit."""
        with self._lock:
            if count > 0 and self.held + count > self.limit:
                raise Busy("too many requests are waiting for their answer")
            if key is not None:
                self._change_of(hash(key), count)
            self.held += count

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
        try:
            yield share
        finally:
            self.change(-share.held, key)


def check_objects(body: bytes, most: int) -> None:
    """Raise TooLarge if a JSON body holds more than ``most`` objects and lists.

    Counts brackets, also those inside of strings: prompts full of code stay far below.
    """
    if body.count(b"{") + body.count(b"[") > most:
        raise TooLarge(f"more than {most:,} objects and lists in one request")


def check_items(request: bytes, most: int, signal: Signal) -> None:
    """Raise TooLarge if a serialised request holds more than ``most`` spans, records or points.

    Walks lengths only and keeps nothing. What is no protobuf is left to the decoder to refuse.
    """
    if len(request) <= 2 * most:
        return  # an item, or a group of them, has two bytes at least
    walked = items = 0
    for is_item in _walked(request, signal):
        items += is_item
        walked += not is_item
        if items > most:
            raise TooLarge(f"more than {most:,} {signal.items} in one request")
        if walked > 2 * most:
            raise TooLarge(f"more than {2 * most:,} groups of {signal.items} in one request")
    if signal is Signal.METRICS and len(request) > _MANY_PARTS * most:
        _check_parts(request, _MANY_PARTS * most)


def _walked(request: bytes, signal: Signal) -> Iterator[bool]:
    """For each item True, for each group of them False, up to where the frame breaks."""
    with suppress(Malformed):
        for _, group, group_end in messages(request, 0, len(request), _GROUPS):
            for _, scope, scope_end in messages(request, group, group_end, _SCOPES):
                for _, item, item_end in messages(request, scope, scope_end, _ITEMS):
                    yield True
                    if signal is Signal.METRICS:
                        yield from _points(request, item, item_end)
                yield False
            yield False


def _points(request: bytes, begin: int, end: int) -> Iterator[bool]:
    """The data points of a metric, as items."""
    with suppress(Malformed):
        for _, data, data_end in messages(request, begin, end, _DATA):
            for _ in messages(request, data, data_end, _POINTS):
                yield True


def _check_parts(request: bytes, most: int) -> None:
    """Raise TooLarge if a request of metrics holds more than ``most`` messages of any kind.

    Its decoder makes an object of each, fifty times the size of an empty one on the wire.
    """
    count = 0
    waiting = [(0, len(request), ExportMetricsServiceRequest.DESCRIPTOR)]
    while waiting:
        for part in _nested(request, *waiting.pop()):
            waiting.append(part)
            count += 1
            if count > most:
                raise TooLarge(f"more than {most:,} values in one request")


def _nested(
    request: bytes, at: int, end: int, described: Descriptor
) -> Iterator[tuple[int, int, Descriptor]]:
    """The messages within a message, up to where its frame breaks."""
    with suppress(Malformed):
        for number, kind, begin, after in fields(request, at, end):
            field = described.fields_by_number.get(number)
            if kind == SIZED and field is not None and field.message_type is not None:
                yield begin, after, field.message_type
