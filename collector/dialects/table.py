"""The form of a dialect: what an instrumentation's attributes mean, as data.

A dialect is a value of ``Dialect``. It says which attributes hold which *column*, which mark a
span as a call or as something around calls, and what its token counts include. Nothing else in
the collector knows an attribute's name. Adding a dialect is adding a file like its neighbours
and a line in ``collector/dialects/__init__.py``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final


class Verdict(IntEnum):
    """What a mark says of a span. ``UNSAID`` lets the next mark speak."""

    UNSAID = 0
    CALL = 1
    """One request to one model; the server's side of it, if the span's kind is SERVER."""
    AGGREGATE = 2
    """Something around calls, that may repeat their usage."""
    OTHER = 3
    """Nothing to count, whatever its attributes."""
    NAMING = 4
    """As ``AGGREGATE``; and kept without usage, as it names the model that calls beneath do not."""


TEXTS: Final[Mapping[str, str]] = {
    "provider": "Who serves the call, in the emitter's words.",
    "request_model": "The model that was asked for.",
    "response_model": "The model that answered.",
    "alias": "What a gateway calls the model, to its callers.",
    "operation": "What sort of work it is: chat, embeddings, …",
    "server": "The host that was called, or its URL.",
    "service_tier": "Such as batch or flex.",
    "response_id": "The provider's id of its answer.",
    "request_id": "The provider's id of the request.",
    "error_type": "Why it failed, as a word.",
    "error_message": "Only read for the status that it mentions.",
    "finish_reason": "Why the answer ended.",
    "user": "Whom it was for.",
    "session": "Which conversation it is of.",
    "prompt": "What a person asked for, with as many calls as it took.",
    "team": "The emitter's own; ours are in `spend/owners.py`.",
    "project": "Likewise.",
}
"""Column -> what it holds: texts."""
COUNTS: Final[Mapping[str, str]] = {
    "input": ("Tokens of the prompt, with or without its cache parts: a flag of the dialect says."),
    "input_beside_cache": "The same, certainly without them.",
    "input_extra": "Billed as input, and in neither of the two.",
    "output": "Tokens of the answer, with or without reasoning: a flag of the dialect says.",
    "output_beside_reasoning": "The same, certainly without.",
    "output_extra": "Billed as output, and in neither of the two.",
    "total": "Tokens of the call.",
    "cache_read": "Read from the provider's cache.",
    "cache_write": "Written to it, for a time that is not told.",
    "cache_write_5m": "Written to it for five minutes.",
    "cache_write_1h": "Written to it for an hour.",
    "reasoning": "Tokens of reasoning.",
    "input_audio": "Tokens of audio in the prompt.",
    "output_audio": "Tokens of audio in the answer.",
    "input_image": "Tokens of images in the prompt.",
    "output_image": "Tokens of images in the answer.",
    "tool_calls": "Requests to the provider's own tools, that it bills.",
    "images": "Images that were made.",
}
"""Column -> what it holds: counts."""
BESIDE_TOKENS: Final = frozenset({"tool_calls", "images"})
"""Of the counts, those that are not of tokens."""
NUMBERS: Final[Mapping[str, str]] = {
    "server_port": "The port that was called.",
    "http_status": "Of the answer.",
    "ttft_s": "Time to the first token, in seconds.",
    "ttft_ms": "The same, in milliseconds.",
    "duration_s": "How long it took, in seconds, where the record has no end of its own.",
    "duration_ms": "The same, in milliseconds.",
    "audio_s": "How long the audio was that was transcribed or spoken, in seconds.",
    "prefill_s": "How long a model server read the prompt, in seconds.",
    "decode_s": "How long it wrote the answer, in seconds.",
    "attempt": "Which attempt it was, from 1.",
    "resend_count": "Attempts after the first one.",
    "cost_given": "What the emitter says that it cost. Kept, and never charged.",
}
"""Column -> what it holds: numbers."""
MOMENTS: Final[Mapping[str, str]] = {
    "first_token_at": (
        "When the first token came: ISO 8601 (UTC where it names no zone), or a number "
        "since 1970, whose size tells the unit."
    ),
}
"""Column -> what it holds: moments."""
FLAGS: Final[Mapping[str, str]] = {
    "streaming": "Whether the answer streamed.",
    "failed": "Whether it failed, beside the span's own status, which some leave open.",
    "after_stream": "Written when a stream had been read, for a span that ended before.",
    "cache_hit": "A gateway answered out of its own cache: no provider was asked.",
}
"""Column -> what it holds: yes or no."""
COLUMNS: Final = {**TEXTS, **COUNTS, **NUMBERS, **MOMENTS, **FLAGS}

SPAN_NAME: Final = "(the span's name)"
"""What a mark looks at, instead of an attribute; only with a ``scope``."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What values of an attribute say that a span is.

    ``says`` maps patterns (``*`` and ``?``, letter case ignored) to verdicts; the first that
    matches speaks. An attribute that is no text matches ``*`` only.
    """

    attribute: str
    says: Mapping[str, Verdict]
    kinds: frozenset[int] | None = None
    """Holds only for spans of these OTLP kinds (1 internal, 2 server, 3 client)."""
    scope: str = "*"
    """Holds only within scopes whose name matches this pattern."""


@dataclass(frozen=True, slots=True)
class Event:
    """What log records of a name are. Those that no event speaks of are no calls.

    Of several that fit, the most particular dialect's first one speaks.
    """

    name: str
    """In whichever place it stands: the attributes ``event.name`` and ``event_name``, the record's
    own name, or its body."""
    scope: str = "*"
    """Speaks only within scopes whose name matches this pattern."""
    says: Verdict = Verdict.CALL
    asks_marks: bool = False
    """What the marks say of its attributes goes before: it can be of other work, too."""
    needs: frozenset[str] = frozenset()
    """Speaks only of records that have one of these attributes."""
    where: Mapping[str, str] = field(default_factory=dict)
    """Speaks only of records in which these attributes have these texts."""
    fails: bool = False
    """The call failed."""


class Kin(IntEnum):
    """What the sightings of an emitter have in common that gives one call no common ids."""

    SESSION = 1
    """Service and session, which spans, logs and metrics name alike."""
    SERVICE = 2
    """The service alone: not all its signals name the session."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """For which emitters a flag of the dialect holds."""

    scope: str = "*"
    """Scopes whose name matches this pattern."""
    before: tuple[int, ...] = ()
    """Versions below this one; none for all."""
    since: tuple[int, ...] = ()
    """Versions from this one on; none for all."""
    providers: frozenset[str] | None = None
    """Provider ids of ``spend/providers.py``; None for all."""
    unless: str = ""
    """Not for spans that have this attribute."""
    given: str = ""
    """Only for spans that have this attribute."""
    where: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Only for spans on which these attributes have one of these texts."""
    streaming: bool | None = None
    """Only for calls that say that they streamed, or that they did not."""


MEANINGS: Final = (
    "beside_cache",
    "reasoning_apart",
    "rest_is_reasoning",
    "cache_read_twice",
    "reasoning_twice",
)
"""The flags of a dialect that say what its counts mean."""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """An attribute that holds values within its value, and what is taken out of it.

    What is taken counts as if it were attributes. The value may be JSON, a dict as Python prints
    it, or a list or map of OTLP; a text within it may again hold one.
    """

    attribute: str
    takes: Mapping[str, str | tuple[str, ...]]
    """Path to a value -> the names under which ``columns`` know it.

    A path is keys and indexes joined by dots, and empty for the value itself. Of a list, ``*``
    goes on in each item and ``key=value`` in those that have it (``inner/key=value``: in a map
    within; ``one=value|other=value``: one or the other); the numbers found are added, and where
    such a path ends, the items are counted.
    So are those of a map's keys where a step names several: ``input+input_audio+input_text_*``.
    Where two paths find a value for one name, the first counts.
    """
    own: bool = False
    """Only on spans of the dialect: for names without a prefix."""
    at: str = ""
    """Path to the map that all this is about."""
    given: frozenset[str] = frozenset()
    """Only where the map has one of these keys."""
    unless: frozenset[str] = frozenset()
    """Not where the map has one of these."""
    otherwise: "Unpacked | None" = None
    """What speaks where this does not fit; its ``attribute``, ``at`` and ``own`` are not read."""


@dataclass(frozen=True, slots=True)
class TokenMetric:
    """A metric that counts tokens: a sum or a histogram, delta or cumulative."""

    name: str
    """Of the metric."""
    family: str
    """Of one source, one family counts: the others tell of the same tokens."""
    rank: int
    """Of the families: the lowest that a source speaks counts, as it tells most."""
    counts: str | Mapping[str, str]
    """One of ``spend.readings.COUNTS``; or value of ``type`` (in lower case) -> one of them. Other
    values (totals) are not read."""
    type: str = ""
    """The attribute that says which tokens."""
    model: str = ""
    """The attribute that names the model, where no column does."""
    modality: str = ""
    """The attribute that says whether they are text, audio, ...: parts that add up."""
    calls: bool = False
    """Each measurement in its histogram is of one call."""
    embeddings: bool = False
    """It is of embeddings only."""
    beside_cache: bool = False
    """``input`` leaves out the cache's parts."""
    reasoning_apart: bool = False
    """``output`` leaves out reasoning."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """An instrumentation, or a family of them."""

    name: str
    who: str = ""
    """Who speaks it."""
    to_know: str = ""
    """Which versions were heard, and what they do not tell."""
    scopes: tuple[str, ...] = ()
    """Patterns of the names of scopes that speak it."""
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Column -> attributes, the first present one counts; on anybody's spans, since emitters
    borrow each other's words."""
    own: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Column -> attributes that hold it on this dialect's spans alone, and before those of any
    ``columns``; there they mean nothing else. For names without a prefix ("model", which may be
    anything elsewhere), and for shared names that mean something else here."""
    layers: Mapping[str, str] = field(default_factory=dict)
    """Attribute -> whose spans have it, where a framework's handler and the wrapper around its
    client share a scope: they are two instrumentations, and each sees a call once."""
    marks: tuple[Mark, ...] = ()
    events: tuple[Event, ...] = ()
    kin: Kin | None = None
    """For those who tell of one call on several signals, without ids that meet (coding agents)."""
    unpacks: tuple[Unpacked, ...] = ()
    first_token_events: tuple[str, ...] = ()
    """Names of the events that tell when the first token came."""
    first_token_events_late: bool = False
    """It adds them when the stream has ended: they tell that it streamed, and not since when."""
    serves: bool = False
    """It is a gateway or a model server: what it sees is the server's side of a call, whatever
    kind its spans are."""
    names: tuple[str, ...] = ()
    """What the whole of a span's name tells where no attribute does: regular expressions with
    groups called ``operation`` and ``request_model``."""
    scopes_end_in_provider: str = ""
    """What the names of its scopes begin with, where they end in the provider's; it is read where
    a span names no model, as failed ones do."""
    exceptions_fail: bool = False
    """A recorded exception means failure, whatever the span's status says."""
    engine: str | None = None
    """The model server, or the seller, that emits it, where it names no provider."""
    beside_cache: tuple[Meaning, ...] = ()
    """Where ``input`` leaves out what was read from or written to the provider's cache."""
    reasoning_apart: tuple[Meaning, ...] = ()
    """Where ``output`` leaves out reasoning."""
    cache_read_twice: tuple[Meaning, ...] = ()
    """Where ``input`` counts what was read from the cache a second time."""
    reasoning_twice: tuple[Meaning, ...] = ()
    """Where ``output`` counts reasoning a second time."""
    rest_is_reasoning: tuple[Meaning, ...] = ()
    """Where reasoning is not told, and is what ``total`` has beyond input and output."""
    metrics: tuple[TokenMetric, ...] = ()
    wrapped_ids: Mapping[str, str] = field(default_factory=dict)
    """How an answer's id begins in which a gateway wrapped the provider's own (base64 behind the
    first ``_``) -> what stands before that, inside. Its callers see the wrapped id, too."""
    yes: tuple[str, ...] = ()
    """Patterns of texts that mean yes where a flag is expected, lower case, beside true, 1, yes."""
    ttft_only_streaming: bool = False
    """Its time to first token is the latency, where the call did not stream."""
