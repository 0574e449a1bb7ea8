"""What each sighting called, and who reported it: one look-up for each distinct combination."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from collector.dialects import DIALECTS
from collector.understanding.columns import ABSENT, Columns
from collector.understanding.counts import Flags
from collector.understanding.distinct import distinct
from collector.understanding.otlp import Ints, Spans
from collector.understanding.span_names import fill_in, names_tell
from spend.calls import Emitter, Route
from spend.hosts import host_of
from spend.ids import content_id
from spend.models import prefix_of
from spend.providers import place_of_call, provider_named

_PARTS: Final = (
    "provider",
    "request_model",
    "response_model",
    "operation",
    "server",
    "service_tier",
)
_PLAIN_TIERS: Final = frozenset({"default", "standard", "auto", "normal", "on_demand", "on-demand"})
"""Tiers that cost what the list says."""

# Word of a dialect -> operation. Tried whole, then without what stands before its last dot.
_OPERATIONS: Final = {
    "chat": "chat",
    "generate_content": "chat",
    "generate": "chat",
    "llm_call": "chat",
    "llm": "chat",
    "chat_model": "chat",
    "generation": "chat",
    "messages": "chat",
    "responses": "chat",
    "dogenerate": "chat",
    "dostream": "chat",
    "text_completion": "text_completion",
    "completion": "text_completion",
    "completions": "text_completion",
    "embeddings": "embeddings",
    "embedding": "embeddings",
    "embed": "embeddings",
    "doembed": "embeddings",
    "rerank": "rerank",
    "reranker": "rerank",
    "dorerank": "rerank",
    "image_generation": "image",
    "image": "image",
    "audio": "audio",
    "speech": "audio",
    "transcription": "audio",
    # LiteLLM's asynchronous kin, and its own.
    "acompletion": "chat",
    "aresponses": "chat",
    "anthropic_messages": "chat",
    "aanthropic_messages": "chat",
    "generate_content_stream": "chat",
    "agenerate_content": "chat",
    "agenerate_content_stream": "chat",
    "atext_completion": "text_completion",
    "aembedding": "embeddings",
    "arerank": "rerank",
    "aimage_generation": "image",
    "aimage_edit": "image",
    "aspeech": "audio",
    "atranscription": "audio",
    # Semantic Kernel's.
    "chat.completions": "chat",
    "text.completions": "text_completion",
    "text_completions": "text_completion",
}


def operation_named(word: str | None) -> str | None:
    """The operation that a dialect's word means; ``other`` for words that we do not know."""
    if not word:
        return None
    name = word.lower()
    for part in (name, name.rsplit(".", 1)[-1], name.split("_", 1)[0]):
        if part in _OPERATIONS:
            return _OPERATIONS[part]
    return "other"


def _without_seller(model: str | None, provider: str | None) -> str | None:
    """LiteLLM writes whom it asked before the model: groq/llama-3.3 at groq is llama-3.3."""
    prefix = prefix_of(model)
    if model is None or prefix is None or provider_named(prefix) != provider or provider is None:
        return model
    return model.partition("/")[2] or model


@lru_cache(maxsize=16384)
def route_to(
    provider: str | None,
    request_model: str | None,
    response_model: str | None,
    operation: str | None,
    server: str | None,
    service_tier: str | None,
    port: int,
    engine: str | None,
) -> tuple[int, Route]:
    """What was called, and its id, from a dialect's words; ``port`` is 0 where none is told."""
    host = host_of(server, port)
    model = response_model or request_model
    place = place_of_call(told=provider or engine, model=model, host=host)
    tier = (service_tier or "").lower()
    route = Route(
        provider=place.provider,
        model=_without_seller(model, place.provider),
        request_model=_without_seller(request_model, place.provider),
        operation=operation_named(operation),
        deployment=place.deployment,
        region=place.region,
        server=host,
        service_tier=None if not tier or tier in _PLAIN_TIERS else tier,
    )
    return content_id(route), route


@dataclass(frozen=True, slots=True)
class Routed:
    """What some spans called."""

    ids: Ints
    """Each span's route id."""
    group: Ints
    """Each span's place in ``listed``."""
    listed: Sequence[Route]
    routes: Mapping[int, Route]
    """By id."""


def routes_of(
    columns: Columns, dialect: Ints, spans: Spans, scopes: Sequence[str], rows: Ints
) -> Routed:
    """What each span called; ``dialect`` is its index in DIALECTS, or -1.

    ``rows`` are the places of the columns' spans in ``spans``, ``scopes`` the names of its scopes.
    """
    texts_at = {part: columns.text(part) for part in _PARTS}
    # A gateway answers in its own name for the model: that is nobody's model.
    called = columns.text("alias")
    answered = texts_at["response_model"]
    texts_at["response_model"] = np.where(answered == called, ABSENT, answered)
    parts = list(texts_at.values())
    all_texts = columns.texts
    nameless = np.flatnonzero((parts[1] == ABSENT) & (parts[2] == ABSENT))
    told = names_tell(spans, scopes, rows, dialect, nameless)
    if told:
        all_texts = list(all_texts)
        for part, index in zip(_PARTS, parts, strict=True):
            fill_in(told, part, index, all_texts)
    ports = columns.number("server_port")
    port = np.where((ports > 0) & (ports < 1 << 16), np.nan_to_num(ports), 0).astype(np.int64)
    firsts, groups = distinct([*parts, port, dialect], len(columns))
    ids = np.zeros(len(firsts), dtype=np.int64)
    routes: list[Route] = []
    for group, row in enumerate(firsts.tolist()):
        texts = [all_texts[part[row]] if part[row] != ABSENT else None for part in parts]
        engine = DIALECTS[dialect[row]].engine if dialect[row] != ABSENT else None
        ids[group], route = route_to(*texts, int(port[row]), engine)
        routes.append(route)
    return Routed(ids[groups], groups, routes, dict(zip(ids.tolist(), routes, strict=True)))


_LAYERS: Final = [
    (number, attribute, layer)
    for number, dialect in enumerate(DIALECTS)
    for attribute, layer in dialect.layers.items()
]


@lru_cache(maxsize=4096)
def _emitter(
    scope: str, version: str, dialect: int, signal: str, layer: int
) -> tuple[int, Emitter]:
    if layer != ABSENT:
        scope = f"{scope}/{_LAYERS[layer][2]}"
    name = DIALECTS[dialect].name if dialect != ABSENT else "unknown"
    emitter = Emitter(scope=scope, version=version or None, dialect=name, signal=signal)
    return content_id(emitter), emitter


def emitters_of(
    columns: Columns,
    scope: Ints,
    dialect: Ints,
    *,
    names: list[str],
    versions: list[str],
    as_log: Flags,
) -> tuple[Ints, Mapping[int, Emitter]]:
    """Each span's emitter id, and the emitters; a span of ``as_log`` stands for a log record."""
    layer = np.full(len(scope), ABSENT, dtype=np.int64)
    for number, (whose, attribute, _) in enumerate(_LAYERS):
        layer[(dialect == whose) & columns.present(attribute)] = number
    firsts, groups = distinct([scope, dialect, as_log.astype(np.int64), layer], len(scope))
    found = [
        _emitter(
            names[scope[row]],
            versions[scope[row]],
            int(dialect[row]),
            "log" if as_log[row] else "span",
            int(layer[row]),
        )
        for row in firsts.tolist()
    ]
    ids = np.array([its_id for its_id, _ in found], dtype=np.int64)
    return ids[groups], dict(found)
