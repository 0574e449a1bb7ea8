"""What a call used, when several sightings of it tell: the best witness, gaps filled by the others.

Prompt and answer are taken from one witness each, whole: a sighting that knows of the cache counts
its input differently from one that does not, and mixing the two would count tokens twice.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from spend.calls import Outcome, Owner, Role, Route, Sighting
from spend.meters import DISJOINT, INPUTS, METER_NAMES, TIMINGS
from spend.owners import UNALLOCATED

PROMPT_METERS: Final = (*INPUTS, "input_audio", "input_image")
ANSWER_METERS: Final = ("output", "reasoning", "output_audio", "output_image")
BESIDE_TOKENS: Final = tuple(
    name for name in METER_NAMES if name not in {*PROMPT_METERS, *ANSWER_METERS}
)
"""Each stands for itself: whoever tells it, tells all of it."""

CHOICES: Final = "choices of one request"
"""The rule by which a server's several answers to one request are one call."""

AGREE: Final = 0.02
"""Two counts within 2 % tell of the same usage; further apart they conflict, and that is said."""

# How much we trust an emitter's numbers, by how its scope begins: the provider's own SDK, then
# instrumentations in the order of how few of their counts we saw go wrong (docs/dialects.md).
# The first entry that fits holds.
TRUST: Final = (
    ("com.anthropic.", 0),
    ("opentelemetry.instrumentation.genai.", 1),
    ("opentelemetry.util.genai", 1),
    ("opentelemetry.instrumentation.openai_v2", 1),
    ("opentelemetry.instrumentation.google_genai", 1),
    ("@opentelemetry/instrumentation-openai", 1),
    ("pydantic-ai", 2),
    ("gcp.vertex.agent", 2),
    ("langfuse-sdk", 2),
    ("logfire.", 2),
    ("strands.", 3),
    ("openinference.", 3),
    ("@arizeai/openinference", 3),
    ("amazon.opentelemetry.distro.", 4),
    ("gen_ai", 4),
    ("ai", 4),
    ("opentelemetry.instrumentation.", 5),
    ("@traceloop/", 5),
    ("openlit", 6),
    ("litellm", 7),
)
GATEWAYS: Final = ("litellm",)
"""How scopes of gateways begin whose spans are a client's: they ask a provider in turn."""
UNKNOWN_SCOPE: Final = 6
SERVER_SIDE: Final = 8


def trust(sighting: Sighting) -> int:
    """The rank of a sighting as a witness: lower is better."""
    return SERVER_SIDE if sighting.role is Role.SERVER else trust_in(sighting.emitter.scope)


def trust_in(scope: str) -> int:
    """The rank of an instrumentation as a witness, by the name of its scope."""
    for begins, rank in TRUST:
        if scope.startswith(begins) and (begins != "ai" or scope == "ai"):
            return rank
    return UNKNOWN_SCOPE


def has_usage(sighting: Sighting) -> bool:
    """Whether the emitter reported any count that can be billed."""
    return any(name in sighting.usage for name in DISJOINT)


def from_gateway_cache(sighting: Sighting) -> bool:
    """Whether a gateway answered out of its own cache: then no provider charges for the call."""
    return bool(sighting.details.get("cache_hit"))


def totals(usage: Mapping[str, int]) -> tuple[int, int]:
    """(tokens in, tokens out) of a call, caches and reasoning included."""
    return sum(usage.get(name, 0) for name in INPUTS), usage.get("output", 0)


def agree(one: tuple[int, int], other: tuple[int, int], within: float = AGREE) -> bool:
    """Whether two totals tell of the same usage."""
    return all(
        abs(left - right) <= within * max(left, right)
        for left, right in zip(one, other, strict=True)
    )


@dataclass(frozen=True, slots=True)
class Joined:
    """A call put together from its sightings."""

    members: tuple[Sighting, ...]
    """Best witness first."""
    rules: tuple[str, ...]
    """For each member, the evidence that it is of this call."""
    start_at: datetime
    duration_us: int | None
    ttft_us: int | None
    outcome: Outcome
    owner: Owner
    route: Route
    usage: Mapping[str, int]
    details: Mapping[str, Any]
    usage_conflict: bool

    @property
    def key(self) -> Sighting:
        """The sighting whose ids name the call: the one that began first."""
        return min(self.members, key=began)


def began(sighting: Sighting) -> tuple[datetime, str, int]:
    """The order in which sightings are looked at: the same whatever order they came in."""
    return sighting.start_at, sighting.trace_id.hex, sighting.span_id


def join(
    members: Iterable[Sighting],
    rules: Mapping[tuple[str, int, date], str],
    around: Route | None = None,
) -> Joined:
    """The call behind these sightings; ``rules`` says by ``key_of`` why each is of it.

    ``around`` is the route of a wrapper, where no sighting names the model.
    """
    ranked = sorted(members, key=lambda one: (not has_usage(one), trust(one), *began(one)))
    why = tuple(rules.get(key_of(one), "first sighting") for one in ranked)
    usage, conflict = _usage(ranked, part_of_it=CHOICES in why)
    start_at, duration_us = _times(ranked)
    details: dict[str, Any] = {}
    for sighting in reversed(ranked):
        details.update(sighting.details)
    return Joined(
        members=tuple(ranked),
        rules=why,
        start_at=start_at,
        duration_us=duration_us,
        ttft_us=next((one.ttft_us for one in ranked if one.ttft_us is not None), None),
        outcome=_outcome(ranked),
        owner=_owner(ranked),
        route=_route(_from_the_provider(ranked) + ([around] if around else [])),
        usage=usage,
        details=details,
        usage_conflict=conflict,
    )


def key_of(sighting: Sighting) -> tuple[str, int, date]:
    """(trace id in hex, span id, day in UTC).

    With the day, as a program that seeds its random numbers gives every night's run the same ids.
    """
    day = sighting.start_at.astimezone(UTC).date()
    return sighting.trace_id.hex, sighting.span_id, day


def _usage(ranked: Sequence[Sighting], *, part_of_it: bool) -> tuple[dict[str, int], bool]:
    """The counts of the prompt's and of the answer's witness, and whether another contradicts.

    ``part_of_it``: a server told of one of several answers only.
    """
    for one in ranked:
        if from_gateway_cache(one):
            return dict(one.usage), False
    prompt = _prompt(ranked)
    answer = _answer(ranked)
    usage = {**prompt, **answer, **_beside_tokens(ranked, part_of_it=part_of_it)}
    told = [one for one in ranked if has_usage(one)]
    others = [one for one in told[1:] if not (part_of_it and one.role is Role.SERVER)]
    return usage, any(_contradicts(told[0], other) for other in others)


def _contradicts(one: Sighting, other: Sighting) -> bool:
    first, second = totals(one.usage), totals(other.usage)
    if agree(first, second):
        return False
    # One of them leaves reasoning out of the answer: that is known, and no contradiction.
    prompts = agree((first[0], 0), (second[0], 0))
    return not (
        prompts and (_leaves_out_reasoning(one, other) or _leaves_out_reasoning(other, one))
    )


def _leaves_out_reasoning(one: Sighting, other: Sighting) -> bool:
    """Whether one's answer is the other's without its reasoning."""
    reasoning = other.usage.get("reasoning", 0)
    return reasoning > 0 and one.usage.get("output") == other.usage.get("output", 0) - reasoning


def _prompt(ranked: Sequence[Sighting]) -> dict[str, int]:
    """The prompt's usage: from the best witness, or one that agrees and tells more of it."""
    best = _best(ranked, PROMPT_METERS, INPUTS)
    return {name: best.usage[name] for name in PROMPT_METERS if best and name in best.usage}


def _answer(ranked: Sequence[Sighting]) -> dict[str, int]:
    """The answer's usage, likewise; from one that knows of reasoning, if the best leaves it out."""
    best = _best(ranked, ANSWER_METERS, ("output",))
    if best is None:
        return {}
    fuller = (one for one in ranked if _leaves_out_reasoning(best, one))
    usage = next(fuller, best).usage
    return {name: usage[name] for name in ANSWER_METERS if name in usage}


def _beside_tokens(ranked: Sequence[Sighting], *, part_of_it: bool) -> dict[str, int]:
    """Meters that are not of tokens: from the best witness that tells them, each on its own.

    A server that tells of each of several answers spent its time on all of them.
    """
    usage = {}
    for name in BESIDE_TOKENS:
        told = [one.usage[name] for one in ranked if name in one.usage]
        if told:
            usage[name] = sum(told) if part_of_it and name in TIMINGS else told[0]
    return usage


def _best(
    ranked: Sequence[Sighting], meters: tuple[str, ...], summed: tuple[str, ...]
) -> Sighting | None:
    tell = [one for one in ranked if any(name in one.usage for name in summed)]
    if not tell:
        return None

    def total(sighting: Sighting) -> int:
        return sum(sighting.usage.get(name, 0) for name in summed)

    return max(
        (one for one in tell if total(one) == total(tell[0])),
        # On a tie max keeps the first, which is the better witness.
        key=lambda one: sum(name in one.usage for name in meters),
    )


def _times(ranked: Sequence[Sighting]) -> tuple[datetime, int | None]:
    """Start (UTC) and duration (microseconds) as the client saw them; else as the server did."""
    seen = [one for one in ranked if one.role is not Role.SERVER] or list(ranked)
    start = min(one.start_at for one in seen)
    ends = [
        one.start_at + timedelta(microseconds=one.duration_us)
        for one in seen
        if one.duration_us is not None
    ]
    return start, (max(ends) - start) // timedelta(microseconds=1) if ends else None


def _outcome(ranked: Sequence[Sighting]) -> Outcome:
    """It failed only if every client-side sighting failed; then as the most precise one says."""
    seen = [one for one in ranked if one.role is not Role.SERVER] or list(ranked)
    outcomes = [one.outcome for one in seen]
    if Outcome.OK in outcomes:
        return Outcome.OK
    return next((one for one in outcomes if one is not Outcome.ERROR), Outcome.ERROR)


def _owner(ranked: Sequence[Sighting]) -> Owner:
    """The owner that a sighting claimed, with what it left open told by the others."""
    claimed = [one.owner for one in ranked if one.owner.team != UNALLOCATED]
    first = (claimed or [ranked[0].owner])[0]
    gaps = {
        name: next((getattr(one.owner, name) for one in ranked if getattr(one.owner, name)), None)
        for name in ("project", "service", "environment", "feature", "customer")
        if getattr(first, name) is None
    }
    return replace(first, **gaps)  # type: ignore[arg-type]  # all five may be None


def _from_the_provider(ranked: Sequence[Sighting]) -> list[Route]:
    """What was called, as each told it: the best witness first, unless that asked a gateway.

    A gateway's client knows the gateway's address and its name for the model; who was asked in
    the end, and for which model, the gateway knows.
    """
    first = ranked[0]
    further = [one for one in ranked[1:] if _asked_further(one, first)]
    return [one.route for one in (*further[:1], *ranked)]


def _asked_further(one: Sighting, client: Sighting) -> bool:
    """Whether one is a gateway's sighting, and the client another process that asked it."""
    if one.role is not Role.SERVER and not one.emitter.scope.startswith(GATEWAYS):
        return False
    places = {one.route.server, client.route.server} - {None}
    services = {one.owner.service, client.owner.service} - {None}
    knows = one.route.provider is not None and one.route.model is not None
    return knows and (len(places) > 1 or len(services) > 1)


def _route(told: Sequence[Route]) -> Route:
    """The route that the best witness told, with what it left open told by the others."""
    first = told[0]
    gaps = {
        name: next((getattr(one, name) for one in told if getattr(one, name)), None)
        for name in Route.__slots__
        if getattr(first, name) is None
    }
    if first.model is None or first.provider is None:
        # Deployment follows from provider and model: it comes from the sighting that knew both.
        knew = next((one for one in told if one.provider and one.model), None)
        if knew is not None:
            gaps["deployment"] = knew.deployment
    if first.model is not None and first.request_model in {None, first.model}:
        # It tells what was asked for; another may know what answered.
        answered = {
            one.model
            for one in told
            if one.request_model == first.model
            or (one.request_model is None and (one.model or "").startswith(first.model))
        }
        answered -= {None, first.model}
        if len(answered) == 1:
            gaps |= {"model": answered.pop(), "request_model": first.model}
    return replace(first, **gaps)
