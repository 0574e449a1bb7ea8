"""What was said in calls, for a tenant that keeps it: taken out of requests once more, redacted.

Only where somebody switched it on: the requests are read a second time then, as what is heard of
calls leaves all of it unread. Nothing leaves this module that was not redacted, so neither the
spool nor Postgres ever sees it otherwise.
"""

import json
from collections import defaultdict
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, Final

import numpy as np
from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValueList

from collector.dialects.contents import EVENTS, KEYS, MEMBERS, TOOLS
from collector.understanding.identity import Ids, ids_of
from collector.understanding.otlp import (
    Attributes,
    Ints,
    Spans,
    attributes_of,
    handler_of,
    items_of,
)
from collector.understanding.owners import owner_from, resource_claims
from collector.understanding.parents import signed
from spend.calls import Owner
from spend.contents.contents import LARGEST_PART, Content, ContentTerms
from spend.contents.redaction import Redaction, redacted
from spend.ids import id_of
from store.contents.linear_patterns import rules_of, without_secrets
from store.intake.intake import Heard

_BEYOND: Final = 4096
"""Characters that are looked at behind those that fit: what is found there may begin before."""
_MOST_PIECES: Final = 2_000
"""Of one part."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = np.uint64(2**62)
"""Nanoseconds: what is beyond is no time."""
_OF_SIGHTING: Final = ("trace_id", "span_id", "start_at", "owner_id")
_SPANS: Final = handler_of("Request")
_RECORDS: Final = handler_of("LogsRequest")
_NAMED: Final = range(1, 100)
"""Bytes of a body that may be the name of an event."""
_NAMES: Final = (b"event.name", b"event_name")


@dataclass(frozen=True, slots=True)
class Keeping:
    """On which terms a tenant's content is kept, ready to be used."""

    terms: ContentTerms
    redaction: Redaction

    @classmethod
    def on(cls, terms: ContentTerms) -> "Keeping":
        """By terms that are on."""
        own = rules_of(terms.patterns)
        return cls(terms, Redaction(ips=terms.ips, own=own, secrets=without_secrets))


@dataclass(frozen=True, slots=True)
class Whose:
    """Where a span's or a record's content belongs."""

    trace_id: str
    span_id: int
    at: datetime
    owner: Owner
    is_call: bool
    """Whether it is a sighting; of other spans only what tools were given and gave is kept."""
    of_span: bool
    """Whether it is a span's own, of which there is one; a span may have many records."""


@dataclass(slots=True)
class _Part:
    """What is being put together."""

    told: list[tuple[str, str]] = field(default_factory=list)
    size: int = 0
    cut: bool = False

    def add(self, name: str, text: str, redaction: Redaction) -> None:
        """A piece, redacted, as far as there is room."""
        room = LARGEST_PART - self.size
        if room <= 0 or len(self.told) >= _MOST_PIECES:
            self.cut = True
            return
        kept = redacted(text[: room + _BEYOND], redaction)
        if len(text) > room + _BEYOND:
            # The last of it may be a half of something that nobody would know any more.
            kept = kept[: max(0, len(kept) - _BEYOND)]
            self.cut = True
        whole = kept.encode("utf-8", "replace")
        if len(whole) > room:
            whole = whole[:room]
            self.cut = True
        name = redacted(name[:200], redaction)
        self.told.append((name, whole.decode("utf-8", "ignore")))
        self.size += len(whole) + len(name)


@lru_cache(maxsize=4096)
def kind_of(key: str) -> str | None:
    """The kind of content that an attribute holds; None: none."""
    return next((kind for pattern, kind in KEYS if fnmatchcase(key, pattern)), None)


@lru_cache(maxsize=1024)
def _kind_of_event(name: str) -> str | None:
    return next((kind for pattern, kind in EVENTS.items() if fnmatchcase(name, pattern)), None)


def content_in(
    requests: Sequence[bytes], keeping: Keeping, whose: dict[int, Whose], *, logs: bool
) -> dict[int, list[Content]]:
    """By row of the requests' spans or log records: their content, of those in ``whose``."""
    batch = (_RECORDS if logs else _SPANS).list_to_record_batch(list(requests))
    groups, _request = items_of(batch.column(0))
    scopes, _resource = items_of(groups.field("scope_logs" if logs else "scope_spans"))
    rows, _scope = items_of(scopes.field("records" if logs else "spans"))
    pieces = _of_records(rows, whose) if logs else _of_spans(rows, whose)
    parts: dict[tuple[int, str], _Part] = defaultdict(_Part)
    for row, kind, name, text in pieces:
        wanted = kind in keeping.terms.kinds and (whose[row].is_call or kind == TOOLS or logs)
        if wanted and text:
            parts[row, kind].add(name, text, keeping.redaction)
    found: dict[int, list[Content]] = defaultdict(list)
    for (row, kind), part in parts.items():
        found[row].append(_content(whose[row], kind, part, keeping.terms.redacted_by))
    return found


def _content(of: Whose, kind: str, part: _Part, by: int) -> Content:
    body = json.dumps(part.told, ensure_ascii=False, separators=(",", ":"))
    part_id = 0 if of.of_span else id_of(of.at.isoformat(), kind, body)
    return Content(of.trace_id, of.span_id, of.at, kind, part_id, body, part.cut, by)


Piece = tuple[int, str, str, str]
"""Row, kind, what it is called, text."""


def _of_spans(spans: Any, whose: dict[int, Whose]) -> Iterator[Piece]:
    attributes = attributes_of(spans.field("attributes"))
    for row, key, place in _known(attributes, whose):
        kind = kind_of(key)
        if kind:
            yield row, kind, key, _text(attributes, place)
    events, span = items_of(spans.field("events"))
    if not len(events):
        return
    names = events.field("name").to_pylist()
    held = attributes_of(events.field("attributes"))
    of_event: dict[int, dict[str, int]] = defaultdict(dict)
    for number, place in zip(held.holder.tolist(), held.said.tolist(), strict=True):
        of_event[number][_name(held.key[place].as_py())] = place
    for number, row in enumerate(span.tolist()):
        if row in whose:
            yield from _of_event(row, _name(names[number]), held, of_event.get(number, {}), None)


def _of_records(records: Any, whose: dict[int, Whose]) -> Iterator[Piece]:
    attributes = attributes_of(records.field("attributes"))
    of_record: dict[int, dict[str, int]] = defaultdict(dict)
    for row, key, place in _known(attributes, whose):
        of_record[row][key] = place
    body = records.field("body")
    bodies = dict(zip([kind.name for kind in body.type], body.flatten(), strict=True))
    events = records.field("event_name").to_pylist()
    for row in sorted(whose):
        said = of_record.get(row, {})
        told = {
            name: values[row].as_py() for name, values in bodies.items() if values[row].is_valid
        }
        named = [_name(events[row] or b"")]
        named += [_text(attributes, said[key.decode()]) for key in _NAMES if key.decode() in said]
        named += [_name(told["text"])] if len(told.get("text", b"")) in _NAMED else []
        name = next((each for each in named if _kind_of_event(each)), named[0])
        yield from _of_event(row, name, attributes, said, _told(told))


def _of_event(
    row: int, event: str, attributes: Attributes, said: dict[str, int], body: Any
) -> Iterator[Piece]:
    """What an event of a span, or a log record, says by its name and by its attributes."""
    for key, place in said.items():
        kind = kind_of(key)
        if kind:
            yield row, kind, key, _text(attributes, place)
    kind = _kind_of_event(event)
    if kind is None:
        return
    members = {key: _value(attributes, place) for key, place in said.items() if key in MEMBERS}
    if isinstance(body, dict):
        members |= body
    elif body is not None and body != event:
        members["body"] = body
    if members:
        yield row, kind, event, json.dumps(members, ensure_ascii=False)


def _known(attributes: Attributes, whose: dict[int, Whose]) -> Iterator[tuple[int, str, int]]:
    """Row, name and place of the attributes of some rows."""
    keys = [_name(key) for key in attributes.key.to_pylist()]
    for row, place in zip(attributes.holder.tolist(), attributes.said.tolist(), strict=True):
        if row in whose:
            yield row, keys[place], place


def _name(key: bytes) -> str:
    return key[:1000].decode("utf-8", "replace")


def _text(attributes: Attributes, place: int) -> str:
    value = _value(attributes, place)
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)


def _value(attributes: Attributes, place: int) -> Any:
    return _told(
        {
            kind: values[place].as_py()
            for kind, values in attributes.values.items()
            if values[place].is_valid
        }
    )


def _told(value: dict[str, Any]) -> Any:
    """A value as JSON has it; None where it cannot be read."""
    for kind, said in value.items():
        try:
            match kind:
                case "text" | "raw":
                    return said.decode("utf-8", "replace")
                case "array":
                    return [_plain(each) for each in ArrayValue.FromString(said).values]
                case "pairs":
                    return {
                        each.key: _plain(each.value)
                        for each in KeyValueList.FromString(said).values
                    }
                case _:
                    return said
        except (DecodeError, RecursionError):
            return None
    return None


def _plain(value: AnyValue) -> Any:
    match value.WhichOneof("value"):
        case None:
            return None
        case "array_value":
            return [_plain(each) for each in value.array_value.values]
        case "kvlist_value":
            return {each.key: _plain(each.value) for each in value.kvlist_value.values}
        case "bytes_value":
            return value.bytes_value.decode("utf-8", "replace")
        case kind:
            return getattr(value, kind)


def with_contents(
    heard: Heard,
    requests: Sequence[bytes],
    spans: Spans,
    sighted: Ints,
    keeping: Keeping,
    *,
    key_team: str | None,
    logs: bool,
) -> Heard:
    """What was heard, with the content of its parts. ``sighted``: the row of each sighting."""
    whose = _sightings_whose(heard, sighted, of_span=not logs)
    whose |= _others_whose(spans, set(whose), key_team, logs=logs)
    kept = {row: of for row, of in whose.items() if keeping.terms.keeps(of.owner)}
    found = content_in(requests, keeping, kept, logs=logs) if kept else {}
    by_part: dict[int, list[Content]] = defaultdict(list)
    for row, told in found.items():
        by_part[int(spans.request[row])] += told
    parts = [replace(part, contents=by_part.get(n, ())) for n, part in enumerate(heard.parts)]
    return replace(heard, parts=parts)


def _sightings_whose(heard: Heard, sighted: Ints, *, of_span: bool) -> dict[int, Whose]:
    columns = [heard.sightings.column(name).to_pylist() for name in _OF_SIGHTING]
    return {
        row: Whose(trace.hex(), span, at, heard.owners[owner], is_call=True, of_span=of_span)
        for row, trace, span, at, owner in zip(sighted.tolist(), *columns, strict=True)
    }


def _others_whose(
    spans: Spans, sighted: Container[int], key_team: str | None, *, logs: bool
) -> dict[int, Whose]:
    """Of spans and records that are no sightings: what records say belongs to their span."""
    ids = ids_of(spans)
    span = ids.parent if logs else ids.span
    good = ids.good_trace & (span != 0) & (spans.start < _LATEST)
    owners = [
        owner_from((), claims, None, None, key_team)[1]
        for claims in resource_claims(spans.resource_attributes, spans.resources)
    ]
    span_ids = signed(span).tolist()
    return {
        row: Whose(
            trace_id=_hex(ids, row),
            span_id=span_ids[row],
            at=_EPOCH + timedelta(microseconds=int(spans.start[row]) // 1000),
            owner=owners[int(spans.resource[row])],
            is_call=False,
            of_span=not logs,
        )
        for row in np.flatnonzero(good).tolist()
        if row not in sighted
    }


def _hex(ids: Ids, row: int) -> str:
    return "".join(f"{int(word):016x}" for word in ids.trace[row])
