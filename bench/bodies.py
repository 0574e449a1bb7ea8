"""The requests that are sent: 512 spans each, as an SDK's batch processor makes them.

Made once and, each time they are sent, given ids and times of their own by overwriting the bytes
where those stand: that costs the sender next to nothing, and a load of minutes fits in memory.
"""

import csv
import os
import random
import secrets
import struct
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

SPANS: Final = 512
TEAMS: Final = 20
TEMPLATES: Final = 40
"""Different requests, two of each team."""

MADE_UP: Final = [(2047, 311), (4808, 10), (110, 27), (7433, 14), (512, 900)]
"""(tokens in, tokens out) of calls, where no trace is given."""

_CALL: Final[Mapping[str, str | int]] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-5",
    "gen_ai.response.model": "gpt-5-2026-08-07",
    "server.address": "api.openai.com",
    "server.port": 443,
    "gen_ai.request.max_tokens": 4096,
    "spanledger.feature": "rerank",
    "spanledger.customer": "acme",
    "gen_ai.conversation.id": "conv_5j66UpCpwteGg4YSxUnt7lPY",
}
"""With three counts of tokens and a response id they are fourteen."""

_SERVED: Final[Mapping[str, str | int]] = {
    "http.request.method": "POST",
    "http.route": "/v1/search/{index}",
    "http.response.status_code": 200,
    "url.path": "/v1/search/articles",
    "url.scheme": "https",
    "server.address": "search.example.com",
    "server.port": 443,
    "client.address": "192.0.2.17",
    "network.protocol.version": "1.1",
    "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
}
_QUERIED: Final[Mapping[str, str | int]] = {
    "db.system.name": "postgresql",
    "db.namespace": "search",
    "db.collection.name": "articles",
    "db.operation.name": "SELECT",
    "db.query.text": "SELECT id, title, body FROM articles WHERE id = ANY($1) ORDER BY score DESC",
    "db.response.status_code": "00000",
    "server.address": "db.example.com",
    "server.port": 5432,
    "network.peer.address": "192.0.2.80",
    "thread.id": 139_872,
}

_RESPONSE: Final = "chatcmpl-"
_WORD: Final = 8
"""Bytes that are overwritten at once."""
_MILLISECOND: Final = 10**6


@dataclass(frozen=True, slots=True)
class Template:
    """A serialised request, and where in it stands what is new each time it is sent.

    All places are of eight bytes, one for each span.
    """

    whole: bytes
    traces_at: NDArray[np.intp]
    """Of the first halves of trace ids."""
    spans_at: NDArray[np.intp]
    responses_at: NDArray[np.intp]
    """Of the first letters of response ids; empty where spans have none."""
    starts_at: NDArray[np.intp]
    ends_at: NDArray[np.intp]
    durations: NDArray[np.uint64]
    """Nanoseconds."""


class Request:
    """A template's bytes, which one connection sends again and again, each time made new."""

    def __init__(self, template: Template) -> None:
        self.spans = len(template.traces_at)
        self.body = bytearray(template.whole)
        self._template = template
        # The eight bytes at every place, as numbers: most are not aligned, which numpy bears.
        places = len(self.body) - _WORD + 1
        self._words: NDArray[np.uint64] = np.ndarray(
            (places,), "<u8", buffer=self.body, strides=(1,)
        )
        self._before = np.arange(self.spans, dtype=np.uint64)[::-1] * np.uint64(_MILLISECOND)

    def renew(self, number: int) -> bytearray:
        """The body, with ids that no other has, of spans that have ended just now.

        ``number`` tells this request from all others; of it 32 bits are used.
        """
        there, words = self._template, self._words
        # Random numbers stay random, and different, when all are changed in the same bits.
        words[there.traces_at] ^= np.uint64(secrets.randbits(64))
        words[there.spans_at] ^= np.uint64(secrets.randbits(64))
        letters = f"{number & 0xFFFFFFFF:08x}".encode()
        words[there.responses_at] = np.frombuffer(letters, "<u8")
        ends = np.uint64(time.time_ns()) - self._before
        words[there.ends_at] = ends
        words[there.starts_at] = ends - there.durations
        return self.body


def tokens_of(trace: Path | None) -> list[tuple[int, int]]:
    """(tokens in, tokens out) of each request of a trace, or made up.

    A trace is a CSV of TIMESTAMP,ContextTokens,GeneratedTokens: the Azure LLM inference traces of
    2023, published by Microsoft under CC-BY.
    """
    if trace is None:
        return MADE_UP
    with trace.open(newline="") as file:
        return [
            (int(row["ContextTokens"]), int(row["GeneratedTokens"])) for row in csv.DictReader(file)
        ]


def calls(tokens: list[tuple[int, int]], count: int = TEMPLATES) -> list[Template]:
    """Requests of calls to a model, each span with fourteen attributes."""
    counts = cycle(tokens)
    return [_template(_calls_of(islice(counts, SPANS)), n % TEAMS) for n in range(count)]


def ordinary(count: int = TEMPLATES) -> list[Template]:
    """Requests of spans that are no calls: served requests and queries, ten attributes each."""
    return [_template(_others(), n % TEAMS) for n in range(count)]


def _calls_of(tokens: Iterator[tuple[int, int]]) -> Iterator[Span]:
    for tokens_in, tokens_out in tokens:
        span = Span(name="chat gpt-5", kind=Span.SPAN_KIND_CLIENT)
        usage: dict[str, str | int] = {
            "gen_ai.usage.input_tokens": tokens_in,
            "gen_ai.usage.cache_read.input_tokens": tokens_in // 2,
            "gen_ai.usage.output_tokens": tokens_out,
            "gen_ai.response.id": _RESPONSE + os.urandom(15).hex(),
        }
        span.attributes.extend(_attributes({**_CALL, **usage}))
        yield span


def _others() -> Iterator[Span]:
    for _ in range(SPANS // 2):
        served = Span(name="POST /v1/search/{index}", kind=Span.SPAN_KIND_SERVER)
        served.attributes.extend(_attributes(_SERVED))
        queried = Span(name="SELECT articles", kind=Span.SPAN_KIND_CLIENT)
        queried.attributes.extend(_attributes(_QUERIED))
        queried.parent_span_id = os.urandom(8)
        yield from (served, queried)


def _attributes(values: Mapping[str, str | int]) -> Iterator[KeyValue]:
    for key, value in values.items():
        told = AnyValue(string_value=value) if isinstance(value, str) else AnyValue(int_value=value)
        yield KeyValue(key=key, value=told)


def _template(spans: Iterator[Span], team: int) -> Template:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    owner = {"service.name": "search-api", "team": f"team-{team}"}
    group.resource.attributes.extend(_attributes(owner))
    scope = group.scope_spans.add()
    scope.scope.name = "opentelemetry.instrumentation.openai_v2"
    durations = []
    for n, span in enumerate(spans):
        span.trace_id, span.span_id = os.urandom(16), os.urandom(8)
        # Told apart, so that each can be found again.
        span.start_time_unix_nano, span.end_time_unix_nano = 2 * n + 2**60, 2 * n + 1 + 2**60
        durations.append(int(random.lognormvariate(0.3, 0.8) * 10**9))
        scope.spans.append(span)
    whole = request.SerializeToString()
    places: dict[str, list[int]] = {"trace": [], "span": [], "start": [], "end": [], "response": []}
    since = 0
    for span in scope.spans:
        # In the order in which they stand in the bytes.
        since = whole.index(span.trace_id, since)
        parts = {
            "trace": span.trace_id,
            "span": span.span_id,
            "start": struct.pack("<Q", span.start_time_unix_nano),
            "end": struct.pack("<Q", span.end_time_unix_nano),
        }
        for attribute in span.attributes:
            if attribute.key == "gen_ai.response.id":
                parts["response"] = attribute.value.string_value.encode()
        for name, part in parts.items():
            places[name].append(whole.index(part, since))
    at = {name: np.array(each, np.intp) for name, each in places.items()}
    return Template(
        whole=whole,
        traces_at=at["trace"],
        spans_at=at["span"],
        responses_at=at["response"] + len(_RESPONSE),
        starts_at=at["start"],
        ends_at=at["end"],
        durations=np.array(durations, np.uint64),
    )
