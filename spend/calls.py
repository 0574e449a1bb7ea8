"""Sightings and calls: what an emitter reported, and the request to a model behind it.

A *call* is one request to one model. An emitter does not report a call, it reports what it saw
of one: a *sighting*. Several sightings can be of the same call (``spend/twins/twins.py``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID

NO_DETAILS: Mapping[str, Any] = MappingProxyType({})


class Role(IntEnum):
    """What a sighting is of. Stored as its number: never renumber."""

    CALL = 1
    """One request to one model, seen by the client's side."""
    SERVER = 2
    """The same, seen by the model server or a gateway."""
    AGGREGATE = 3
    """A wrapper (agent, chain, workflow) that repeats the usage of the calls beneath it."""


class Outcome(IntEnum):
    """How a call ended, as a closed list, so that it can be a dimension. Never renumber."""

    OK = 0
    ERROR = 1
    """Failed, for a reason that the emitter did not say or that is not below."""
    RATE_LIMITED = 2
    """HTTP 429."""
    OVERLOADED = 3
    """HTTP 503 and 529."""
    SERVER_ERROR = 4
    """Other HTTP 5xx."""
    BAD_REQUEST = 5
    """Other HTTP 4xx."""
    DENIED = 6
    """HTTP 401 and 403."""
    TIMEOUT = 7
    CANCELLED = 8
    UNREACHABLE = 9
    """The connection failed before an answer."""


class Standing(IntEnum):
    """Whether a stored sighting counts. Never renumber."""

    COUNTS = 0
    """It is a call by itself."""
    MERGED = 1
    """It is one of several sightings of a call that stands in ``joined_calls``."""
    HELD = 2
    """It repeats others and does not count (aggregates with calls beneath)."""


@dataclass(frozen=True, slots=True)
class Emitter:
    """Who reported a sighting: an instrumentation at a version, speaking a dialect."""

    scope: str
    version: str | None
    dialect: str
    signal: str = "span"
    """On what it came: ``span``, ``log`` or ``metric``."""

    @property
    def instrumentation(self) -> tuple[str, str]:
        """What sees a call once: a scope's span and its log event can be of one call."""
        return self.scope, self.signal


@dataclass(frozen=True, slots=True)
class Owner:
    """Who pays for a call, with the rule that chose the team."""

    team: str
    project: str | None = None
    service: str | None = None
    environment: str | None = None
    feature: str | None = None
    customer: str | None = None
    rule: str = "nobody claimed it"


@dataclass(frozen=True, slots=True)
class Route:
    """What was called, where: everything of a call that a price or a pool can depend on."""

    provider: str | None = None
    """Who bills: an id of ``spend/providers.py``."""
    model: str | None = None
    """The model that answered, else the one asked for."""
    request_model: str | None = None
    operation: str | None = None
    """chat, text_completion, embeddings, rerank, image, audio, other."""
    deployment: str | None = None
    """api, hosted-open or self-hosted."""
    region: str | None = None
    server: str | None = None
    """Host (and port, unless 443 or 80) that was called."""
    service_tier: str | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one emitter reported of a call. Times are UTC, durations microseconds.

    ``usage`` holds a count for each meter that was reported: a meter that is absent is unknown,
    not zero.
    """

    trace_id: UUID
    span_id: int
    parent_span_id: int | None
    """The nearest ancestor that is itself a sighting, where known; else the span's parent."""
    start_at: datetime
    duration_us: int | None
    ttft_us: int | None
    role: Role
    outcome: Outcome
    owner: Owner
    route: Route
    emitter: Emitter
    response_id: str | None
    """The provider's id of its answer, validated; never an id that a library made up. Of one that
    was stored, what stands for it: the ids of two are equal or not, no more."""
    usage: Mapping[str, int]
    details: Mapping[str, Any] = field(default_factory=lambda: NO_DETAILS)
    kin_id: int | None = None
    """What sightings have in common whose ids do not meet (``spend/twins/kin.py``)."""
