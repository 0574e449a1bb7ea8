"""Whose a data point is: what it counts of which call, who pays, and who tells it."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final

from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from collector.dialects import DIALECTS
from collector.dialects.table import Dialect, Kin, TokenMetric, Verdict
from collector.understanding.attributes import MARKS
from collector.understanding.marks import scope_dialect, verdict_of
from collector.understanding.owners import RESOURCE_KEYS, SPAN_KEYS, owner_from
from collector.understanding.routes import route_to
from collector.understanding.scrub import scrub
from spend.calls import Emitter, Owner, Route
from spend.ids import content_id
from spend.readings import NO_SESSION, TokenCounter, plain_model
from spend.twins.kin import service_kin, session_kin
from spend.twins.witnesses import trust_in

_METRICS: Final[Mapping[str, tuple[TokenMetric, int]]] = {
    metric.name: (metric, number)
    for number, dialect in enumerate(DIALECTS)
    for metric in dialect.metrics
}
_UNKNOWN: Final = -1
Written = tuple[bytes, ...]
"""Attributes as they can be remembered."""

_MOST_REMEMBERED: Final = 4096
"""Bytes of one point's attributes, or of one resource's."""
_READ: Final = 1000
"""Letters of a scope's name that are looked at."""

_HIT: Final = frozenset({"true", "hit"})
_HIGHEST_PORT: Final = 65_535


@dataclass(frozen=True, slots=True, eq=False)
class Spoken:
    """A metric that counts tokens, as some scope speaks it."""

    metric: TokenMetric
    dialect: int
    """Of the scope, else the one that the metric is of: its place in DIALECTS."""
    teller: str
    """Who sees a call once: a suite of instrumentations, or a scope that we do not know."""
    scope: str
    version: str


@dataclass(frozen=True, slots=True)
class Source:
    """What a point is of."""

    counter_id: int
    series: int
    count: str
    """One of ``spend.readings.COUNTS``."""
    counter: TokenCounter
    owner: Owner
    route: Route
    emitter: Emitter


def spoken(metric: str, scope: str, version: str) -> Spoken | None:
    """The metric by that name, if it is one that counts tokens."""
    return _spoken(metric, scope[:_READ], version[:_READ]) if metric in _METRICS else None


@lru_cache(maxsize=4096)
def _spoken(metric: str, scope: str, version: str) -> Spoken:
    known = _METRICS[metric]
    of_scope = scope_dialect(scope)
    scope, version = scrub(scope), scrub(version)
    teller = DIALECTS[of_scope].name if of_scope != _UNKNOWN else scope
    return Spoken(known[0], known[1] if of_scope == _UNKNOWN else of_scope, teller, scope, version)


class Sources:
    """The sources of one resource's points; made by ``sources_of``."""

    def __init__(
        self, resource: Sequence[KeyValue], key_team: str | None, *, remember: bool
    ) -> None:
        self._remember = remember
        self._resource = plain_texts(resource)
        self._identity = _digest(b"".join(_sorted(resource)))
        self._key_team = key_team

    def of(self, words: Spoken, attributes: Sequence[KeyValue]) -> Source | None:
        """What a point with these attributes is of; None where it is of no call's tokens."""
        written = _written(attributes)
        if self._remember and _is_small(written):
            return _source(self, words, written)
        return self.look_up(words, attributes)

    def look_up(self, words: Spoken, attributes: Sequence[KeyValue]) -> Source | None:
        """As ``of``, which remembers: a series comes again and again."""
        said = plain_texts(attributes)
        count = _count(words.metric, said)
        if count is None or _is_no_call(words, said):
            return None
        metric = words.metric
        apart = {metric.type, metric.modality} - {""}
        scope = (words.scope, words.version)
        counter_id = _id(self._identity, metric.family, *scope, *_sorted(attributes, apart))
        series = _id(self._identity, metric.name, *scope, *_sorted(attributes))
        owner = self._owner(words.dialect, said)
        route = _route(words, said)
        dialect = DIALECTS[words.dialect].name
        emitter = Emitter(words.scope, words.version or None, dialect, "metric")
        counter = TokenCounter(
            service=service_kin(owner.service),
            session=self._session(words, said, owner.service),
            family=metric.family,
            rank=metric.rank,
            teller=words.teller,
            trust=trust_in(words.scope),
            model=plain_model(route.model),
            embeddings=metric.embeddings or route.operation == "embeddings",
            beside_cache=metric.beside_cache,
            reasoning_apart=metric.reasoning_apart,
            serves=DIALECTS[words.dialect].serves,
            owner_id=content_id(owner),
            route_id=content_id(route),
            emitter_id=content_id(emitter),
        )
        return Source(counter_id, series, count, counter, owner, route, emitter)

    def _owner(self, dialect: int, said: Mapping[str, str]) -> Owner:
        team = _held("team", DIALECTS[dialect], said)
        project = _held("project", DIALECTS[dialect], said)
        _, owner = owner_from(
            tuple((key, said[key]) for key in SPAN_KEYS if key in said),
            tuple(
                sorted(
                    (key, value) for key, value in self._resource.items() if key in RESOURCE_KEYS
                )
            ),
            (f"span attribute {team[0]}", team[1]) if team else None,
            project[1] if project else None,
            self._key_team,
        )
        return owner

    def _session(self, words: Spoken, said: Mapping[str, str], service: str | None) -> int:
        if DIALECTS[words.dialect].kin is not Kin.SESSION:
            return NO_SESSION
        for told in (said, self._resource):
            session = _held("session", DIALECTS[words.dialect], told)
            if session:
                return session_kin(service, session[1])
        return NO_SESSION


@lru_cache(maxsize=512)
def _sources(resource: Written, key_team: str | None) -> Sources:
    return Sources(_read(resource), key_team, remember=True)


def sources_of(resource: Sequence[KeyValue], key_team: str | None) -> Sources:
    """The sources of the points of a resource with these attributes."""
    written = _written(resource)
    if _is_small(written):
        return _sources(written, key_team)
    return Sources(resource, key_team, remember=False)


@lru_cache(maxsize=8192)
def _source(sources: Sources, words: Spoken, attributes: Written) -> Source | None:
    return sources.look_up(words, _read(attributes))


def _written(attributes: Iterable[KeyValue]) -> Written:
    return tuple(each.SerializeToString(deterministic=True) for each in attributes)


def _is_small(attributes: Written) -> bool:
    """Whether they may be remembered: thousands of them take memory."""
    return sum(map(len, attributes)) <= _MOST_REMEMBERED


def _read(attributes: Written) -> list[KeyValue]:
    return [KeyValue.FromString(each) for each in attributes]


def _held(column: str, dialect: Dialect, said: Mapping[str, str]) -> tuple[str, str] | None:
    """The attribute that holds a column, and what it says: the dialect's own words first."""
    for words in (dialect.own, *(each.columns for each in DIALECTS)):
        for key in words.get(column, ()):
            if said.get(key):
                return key, said[key]
    return None


def _count(metric: TokenMetric, said: Mapping[str, str]) -> str | None:
    counts = metric.counts
    count = counts if isinstance(counts, str) else counts.get(said.get(metric.type, "").lower())
    if count in ("input", "output") and said.get(metric.modality, "").lower() == "audio":
        return f"{count}_audio"
    return count


def _is_no_call(words: Spoken, said: Mapping[str, str]) -> bool:
    """Whether it is of something around calls, of none, or out of a gateway's own cache."""
    cached = _held("cache_hit", DIALECTS[words.dialect], said)
    if cached and cached[1].lower() in _HIT:
        return True
    for number, (mark, _) in enumerate(MARKS):
        if mark.attribute in said and mark.kinds is None and fnmatchcase(words.scope, mark.scope):
            verdict = verdict_of(number, said[mark.attribute][:200])
            if verdict != Verdict.UNSAID:
                return verdict != Verdict.CALL
    return False


def _route(words: Spoken, said: Mapping[str, str]) -> Route:
    dialect = DIALECTS[words.dialect]

    def told(column: str) -> str | None:
        held = _held(column, dialect, said)
        return held[1] if held else None

    asked, answered = told("request_model"), told("response_model")
    if asked is None and answered is None:
        asked = said.get(words.metric.model) or None
    port = told("server_port") or ""
    number = int(port) if port.isascii() and port.isdecimal() and len(port) < 6 else 0  # noqa: PLR2004  # digits of a port
    _, route = route_to(
        told("provider"),
        asked,
        answered,
        told("operation") or ("embeddings" if words.metric.embeddings else None),
        told("server"),
        told("service_tier"),
        number if number <= _HIGHEST_PORT else 0,
        dialect.engine,
    )
    return route


def plain_texts(attributes: Iterable[KeyValue]) -> dict[str, str]:
    """Plain values as text that may be kept; of a key that comes twice, the last."""
    texts = {}
    for attribute in attributes:
        kind = attribute.value.WhichOneof("value")
        if kind in ("string_value", "int_value", "double_value", "bool_value"):
            texts[attribute.key] = scrub(str(getattr(attribute.value, kind)))
    return texts


def _sorted(
    attributes: Iterable[KeyValue], but: frozenset[str] | set[str] = frozenset()
) -> list[bytes]:
    """What attributes say, in whatever order they come."""
    return sorted(
        attribute.SerializeToString(deterministic=True)
        for attribute in attributes
        if attribute.key not in but
    )


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


def _id(*parts: bytes | str) -> int:
    """A signed 64-bit integer that stands for some parts, never 0."""
    hashed = hashlib.blake2b(digest_size=8)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        hashed.update(len(data).to_bytes(4, "big") + data)
    return int.from_bytes(hashed.digest(), "big", signed=True) or 1
