"""Notices what was sent to another signal's address, which protobuf would read without a word.

The requests of the three signals have their lists in fields of the same numbers, so log records
sent as traces are read as so many spans of which nothing is known, and are no calls. What tells
them apart is the first item's frame: which fields it has, and of which wire types.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import Final

from collector.errors import Malformed
from collector.signals import Signal
from collector.wire import SIZED, fields, messages

_VARINT: Final = 0
_FIXED64: Final = 1
_FIXED32: Final = 5

# Field -> wire type of Span, LogRecord and Metric (opentelemetry-proto 1.11).
_FRAMES: Final[Mapping[Signal, Mapping[int, int]]] = {
    Signal.TRACES: {
        **dict.fromkeys((1, 2, 3, 4, 5, 9, 11, 13, 15), SIZED),
        **dict.fromkeys((6, 10, 12, 14), _VARINT),
        **dict.fromkeys((7, 8), _FIXED64),
        16: _FIXED32,
    },
    Signal.LOGS: {
        **dict.fromkeys((3, 5, 6, 9, 10, 12), SIZED),
        **dict.fromkeys((2, 7), _VARINT),
        **dict.fromkeys((1, 11), _FIXED64),
        8: _FIXED32,
    },
    Signal.METRICS: dict.fromkeys((1, 2, 3, 5, 7, 9, 10, 11, 12), SIZED),
}
_TRACE_ID: Final = 1
_BEGINS: Final = 7
_ID_BYTES: Final = 16
_GROUPS: Final = frozenset({1})
_INNER: Final = frozenset({2})
_ASKED: Final = 3
"""Items that must say so: one that is broken must not speak for the others."""

_Item = Mapping[int, tuple[int, int]]
"""Field -> wire type and length."""


def check_signal(request: bytes, signal: Signal) -> None:
    """Raise ``Malformed`` where a serialised request's items are plainly another signal's."""
    others = [_other(item, signal) for item in _first_items(request, signal)]
    other = others[0] if others else None
    if other and set(others) == {other}:
        raise Malformed(
            f"not an {signal.request}: these are {other.items}, send them to {other.path}"
        )


def _first_items(request: bytes, signal: Signal) -> Iterator[_Item]:
    """The first item, and a few more where it is not one of ``signal``."""
    with suppress(Malformed):
        for begin, end in islice(_items(request), _ASKED):
            item = {
                number: (kind, last - first)
                for number, kind, first, last in fields(request, begin, end)
            }
            yield item
            if _other(item, signal) is None:
                return


def _items(request: bytes) -> Iterator[tuple[int, int]]:
    for _, group, group_end in messages(request, 0, len(request), _GROUPS):
        for _, scope, scope_end in messages(request, group, group_end, _INNER):
            for _, item, item_end in messages(request, scope, scope_end, _INNER):
                yield item, item_end


def _other(item: _Item, signal: Signal) -> Signal | None:
    """The signal that an item is of, where it cannot be of ``signal``."""
    if not item or _may_be(item, signal):
        return None
    for other in Signal:
        # To be told so it must be just that: fields which nobody knows prove nothing.
        if _may_be(item, other) and item.keys() <= _FRAMES[other].keys():
            return other
    return None


def _may_be(item: _Item, signal: Signal) -> bool:
    frame = _FRAMES[signal]
    agrees = all(frame.get(number, kind) == kind for number, (kind, _) in item.items())
    return agrees and (signal is not Signal.TRACES or _begins_or_has_id(item))


def _begins_or_has_id(item: _Item) -> bool:
    """What every span does: the frame of a gauge or a histogram contradicts none of a span's."""
    return _BEGINS in item or item.get(_TRACE_ID) == (SIZED, _ID_BYTES)
