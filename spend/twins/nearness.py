"""How near in time, and how alike, two sightings are: what evidence without ids is made of."""

import re
from datetime import datetime, timedelta
from typing import Final

from spend.calls import Role, Sighting
from spend.twins.kin import service_kin
from spend.twins.witnesses import from_gateway_cache, has_usage, totals

SAME_TIME: Final = timedelta(milliseconds=2)
"""How far clocks of one process may disagree about what lies within what."""

OVERLAP: Final = timedelta(seconds=2)
"""How far clocks of different processes may disagree, or a log of a call come after its end."""

KIN_REACH: Final = timedelta(minutes=10)
"""How far apart two sightings of one call may begin, if they are kin: a log may begin when the
call ends."""

ALIKE_REACH: Final = timedelta(seconds=10)
"""How far apart they may begin, if nothing but their likeness joins them."""

_WRAPPING: Final = timedelta(seconds=1)
"""What a framework does around its client takes less than this, or than a tenth of the call."""

NESTED_AGREE: Final = 0.1
"""A wrapper's count may be off by a tenth (a stream's first count added twice) and still repeat."""

_KINDS: Final = {
    "chat": "text",
    "text_completion": "text",
    "embeddings": "embeddings",
    "rerank": "rerank",
    "image": "image",
    "audio": "audio",
}
"""Operation -> kind of work. Others, and what is not told, may be any of them."""

_VERSION: Final = re.compile(r"|[-@](\d.*|latest)")
"""What may follow a model's name, and it is the same model."""

_CLIENTS: Final = frozenset(
    {
        "anthropic",
        "bedrock",
        "cohere",
        "google_genai",
        "google_generativeai",
        "groq",
        "mistralai",
        "ollama",
        "openai",
        "openai_v2",
        "vertexai",
    }
)
"""Last part of a scope's name, where it names a provider's client: not two of them make a call."""
_NATIVE: Final = "com.anthropic.sdk."


def end_of(sighting: Sighting) -> datetime:
    """When it ended (UTC); when it began, if that is not known."""
    return sighting.start_at + timedelta(microseconds=sighting.duration_us or 0)


def overlap(one: Sighting, other: Sighting, apart: timedelta) -> bool:
    """Whether both ran at some moment, or ``apart`` at most lay between."""
    return one.start_at <= end_of(other) + apart and other.start_at <= end_of(one) + apart


def within(inner: Sighting, outer: Sighting, slack: timedelta = SAME_TIME) -> bool:
    """Whether one ran while the other did."""
    return outer.start_at - slack <= inner.start_at and end_of(inner) <= end_of(outer) + slack


def wraps_closely(one: Sighting, other: Sighting) -> bool:
    """Whether one lies within the other, and takes about as long."""
    if not (within(one, other) or within(other, one)):
        return False
    first, second = one.duration_us or 0, other.duration_us or 0
    slack = max(_WRAPPING // timedelta(microseconds=1), max(first, second) // 10)
    return abs(first - second) <= slack


def distance(one: Sighting, other: Sighting) -> timedelta:
    """How far apart two are: their ends, and then their starts."""
    return abs(end_of(one) - end_of(other)) + abs(one.start_at - other.start_at) / 1000


def same_work(one: Sighting, other: Sighting) -> bool:
    """Whether two could be one call by what they did: a chat may hold embeddings, and is none."""
    kinds = {_KINDS.get(each.route.operation or "") for each in (one, other)} - {None}
    return len(kinds) < 2  # noqa: PLR2004  # two kinds of work


def same_model(one: Sighting, other: Sighting) -> bool:
    """Whether the models that two told of can be one: asked for, or answered, or not told."""
    names = models(one), models(other)
    if not all(names):
        return True
    return any(_one_model(first, second) for first in names[0] for second in names[1])


def _one_model(first: str, second: str) -> bool:
    short, long = sorted((first, second), key=len)
    # "gpt-4o" and "gpt-4o-2024-08-06", but not "gpt-4o-mini".
    return long.startswith(short) and _VERSION.fullmatch(long[len(short) :]) is not None


def models(one: Sighting) -> set[str]:
    """The models that it told of, as answered and as asked for."""
    told = {one.route.model, one.route.request_model} - {None}
    # Gateways and routers write "openai/gpt-5", emitters of the client "gpt-5".
    return {name.lower().rpartition("/")[2] for name in told if name is not None}


def conflicting_ids(one: Sighting, other: Sighting) -> bool:
    """Whether two carry different ids of answers: then they are never one call."""
    return bool(one.response_id and other.response_id and one.response_id != other.response_id)


def of_different_sessions(one: Sighting, other: Sighting) -> bool:
    """Whether an agent told two sessions: two developers' calls are never one, however alike."""
    told = one.emitter.dialect == other.emitter.dialect and one.kin_id != other.kin_id
    return told and _tells_session(one) and _tells_session(other)


def _tells_session(one: Sighting) -> bool:
    return one.kin_id is not None and one.kin_id != service_kin(one.owner.service)


def of_different_clients(one: Sighting, other: Sighting) -> bool:
    """Whether two instrumentations look at different providers' clients: never at one call."""
    first, second = _client(one), _client(other)
    return bool(first and second and first != second)


def _client(one: Sighting) -> str | None:
    scope = one.emitter.scope
    if scope.startswith(_NATIVE):
        return "anthropic"
    last = scope.rpartition(".")[2]
    return last.removesuffix("_v2") if last in _CLIENTS else None


def same_prompt(one: Sighting, other: Sighting) -> bool:
    """Whether both told of usage, and of as long a prompt, whatever they know of its parts."""
    return has_usage(one) and has_usage(other) and used(one)[0] == used(other)[0]


def tells_prompt(one: Sighting) -> bool:
    """Whether it told of any part of the prompt."""
    return used(one)[0] > 0


def same_answer(one: Sighting, other: Sighting) -> bool:
    """Whether two told of as long an answer, or one of them left out its reasoning."""
    first, second = used(one)[1], used(other)[1]
    return (
        abs(first - second) <= NESTED_AGREE * max(first, second)
        or first - one.usage.get("reasoning", 0) == second
        or second - other.usage.get("reasoning", 0) == first
    )


def used(one: Sighting) -> tuple[int, int]:
    """(tokens in, tokens out) of a call as it was answered, by the provider or from a cache."""
    if from_gateway_cache(one):
        return int(one.details.get("saved_input", 0)), int(one.details.get("saved_output", 0))
    return totals(one.usage)


def is_server(one: Sighting) -> bool:
    """Whether it was seen by a model server or a gateway."""
    return one.role is Role.SERVER
