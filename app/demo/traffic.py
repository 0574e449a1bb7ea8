"""When the company calls which model, and how much each call uses: a plan made by a seed.

The plan of an hour depends on nothing but the seed, the hour and the scale, so that the same
history comes out whenever it is asked for: sending it again is a repetition, not more traffic.
A larger scale adds exchanges and changes none.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TypeVar

from app.demo.chance import chance_of
from app.demo.company import WORKLOADS, Workload
from app.demo.models import Model

SECOND = 1_000_000_000
HOUR = timedelta(hours=1)
Thing = TypeVar("Thing")


class Fault(Enum):
    """How a call fails: HTTP status (None: no answer), and what the vendors' libraries raise."""

    RATE_LIMITED = (429, "RateLimitError")
    OVERLOADED = (503, "InternalServerError")
    BROKEN = (500, "InternalServerError")
    TIMEOUT = (None, "APITimeoutError")


FAULTS = ((Fault.RATE_LIMITED, 5), (Fault.OVERLOADED, 3), (Fault.BROKEN, 1), (Fault.TIMEOUT, 2))
BAD_DAYS = 9
"""About one day in so many, a provider has a bad afternoon."""
AFTERNOON = (13, 14, 15)
WEEKEND = (5, 6)
SHORTEST_CACHED = 1024
"""Tokens: shorter prompts are not cached."""
COLD = 0.25
"""Share of calls that find nothing in the cache."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request to one model. Times are nanoseconds of the Unix epoch; tokens are disjoint."""

    model: Model
    start_ns: int
    end_ns: int
    first_token_ns: int | None
    """When the first token was made; None where the call failed."""
    streams: bool
    """Whether the client saw it then, and not with the rest."""
    input: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int
    output: int
    reasoning: int
    """A part of ``output``."""
    fault: Fault | None
    response_id: str

    @property
    def prompt(self) -> int:
        """The whole prompt, as most instrumentations report it."""
        return self.input + self.cache_read + self.cache_write_5m + self.cache_write_1h


@dataclass(frozen=True, slots=True)
class Exchange:
    """What belongs to one trace: a single call, or the calls of an agent's run."""

    key: str
    """The same in every plan with the same seed; trace and span ids are made from it."""
    workload: Workload
    feature: str | None
    customer: str | None
    calls: tuple[Call, ...]

    @property
    def start_ns(self) -> int:
        """When its first call began."""
        return self.calls[0].start_ns

    @property
    def end_ns(self) -> int:
        """When its last call ended."""
        return self.calls[-1].end_ns


def plan_of_hour(hour: datetime, *, seed: int, scale: float) -> list[Exchange]:
    """What begins in an hour (UTC), in order of its beginning."""
    exchanges = [
        _exchange(workload, hour, f"{seed}/{workload.service}/{hour:%Y-%m-%dT%H}/{number}")
        for workload in WORKLOADS
        for number in range(_how_many(workload, hour, seed=seed, scale=scale))
    ]
    return sorted(exchanges, key=lambda exchange: exchange.start_ns)


def plan_between(
    first: datetime, last: datetime, *, seed: int, scale: float
) -> Iterator[tuple[datetime, list[Exchange]]]:
    """The plan hour by hour, from ``first`` (a full hour, UTC) to before ``last``."""
    hour = first
    while hour < last:
        yield hour, plan_of_hour(hour, seed=seed, scale=scale)
        hour += HOUR


def _how_many(workload: Workload, hour: datetime, *, seed: int, scale: float) -> int:
    weights, weekend = workload.rhythm.value
    share = weights[hour.hour] / sum(weights) * (weekend if hour.weekday() in WEEKEND else 1)
    luck = chance_of(f"{seed}/{workload.service}/{hour:%Y-%m-%dT%H}/how many").random()
    return int(workload.per_working_day * share * scale + luck)


def _exchange(workload: Workload, hour: datetime, key: str) -> Exchange:
    chance = chance_of(key)
    model = _pick(chance, workload.models)
    start = int((hour.timestamp() + chance.random() * 3600) * 1000) * (SECOND // 1000)
    feature = chance.choice(workload.features) if workload.features else None
    customer = _customer(chance, workload.customers)
    faults = _bad_afternoon(model, hour) or workload.faults
    calls: tuple[Call, ...]
    if workload.agent is None:
        prompt = _around(chance, workload.prompt_tokens, 0.6)
        cached = _cached(chance, workload, model, prompt)
        calls = (_call(chance, workload, model, start, prompt, cached, faults),)
    else:
        calls = tuple(_agent_run(chance, workload, model, start, faults))
    return Exchange(key, workload, feature, customer, calls)


def _agent_run(
    chance: random.Random, workload: Workload, model: Model, start: int, faults: float
) -> Iterator[Call]:
    """Steps one after the other: each prompt repeats the last one (cached) and adds to it."""
    prompt, cached = _around(chance, workload.prompt_tokens // 2, 0.4), 0
    for _ in range(chance.choice((2, 3, 3, 4, 5, 7))):
        call = _call(chance, workload, model, start, prompt, cached, faults)
        yield call
        if call.fault:
            return
        cached = prompt if model.caches else 0
        prompt += call.output + _around(chance, workload.prompt_tokens // 4, 0.9)
        start = call.end_ns + int(chance.uniform(0.2, 4) * SECOND)


def _call(
    chance: random.Random,
    workload: Workload,
    model: Model,
    start: int,
    prompt: int,
    cached: int,
    faults: float,
) -> Call:
    response_id = _response_id(chance, model)
    fault = _pick(chance, FAULTS) if chance.random() < faults else None
    if fault:
        lasted = 60.0 if fault is Fault.TIMEOUT else chance.uniform(0.05, 1.5)
        end = start + int(lasted * SECOND)
        return Call(model, start, end, None, workload.streams, 0, 0, 0, 0, 0, 0, fault, response_id)
    output = 0 if workload.embeds else _around(chance, workload.output_tokens, 0.7)
    reasoning = int(output * min(0.9, model.reasoning_share * chance.uniform(0.5, 1.5)))
    waited = model.first_token_s * chance.lognormvariate(0, 0.35) + prompt * 4e-6
    lasted = waited + output / model.tokens_per_s * chance.uniform(0.85, 1.3)
    fresh = prompt - cached
    written = int(fresh * 0.8) if model.writes_cache and fresh >= SHORTEST_CACHED else 0
    hour_long = written if workload.agent else 0
    return Call(
        model=model,
        start_ns=start,
        end_ns=start + int(lasted * SECOND),
        first_token_ns=start + int(waited * SECOND),
        streams=workload.streams,
        input=fresh - written,
        cache_read=cached,
        cache_write_5m=written - hour_long,
        cache_write_1h=hour_long,
        output=output,
        reasoning=reasoning,
        fault=None,
        response_id=response_id,
    )


def _around(chance: random.Random, median: int, spread: float) -> int:
    return max(1, int(median * chance.lognormvariate(0, spread)))


def _cached(chance: random.Random, workload: Workload, model: Model, prompt: int) -> int:
    if not model.caches or prompt < SHORTEST_CACHED or chance.random() < COLD:
        return 0
    share = min(0.95, workload.cached_share * chance.uniform(0.8, 1.4))
    return int(prompt * share) // 128 * 128


def _customer(chance: random.Random, customers: tuple[str, ...]) -> str | None:
    if not customers:
        return None
    return _pick(chance, tuple((name, 1 / (place + 1)) for place, name in enumerate(customers)))


def _bad_afternoon(model: Model, hour: datetime) -> float | None:
    """The share of failures while a provider is in trouble; None while it is not."""
    if hour.hour not in AFTERNOON:
        return None
    day = chance_of(f"{model.provider}/{hour:%Y-%m-%d}")
    return 0.25 if day.randrange(BAD_DAYS) == 0 else None


def _response_id(chance: random.Random, model: Model) -> str:
    text = f"{chance.getrandbits(96):024x}"
    match model.provider:
        case "anthropic":
            return f"msg_01{text}"
        case "mistral" | "google":
            return text
        case _:
            return f"chatcmpl-{text}"


def _pick(chance: random.Random, weighted: tuple[tuple[Thing, float], ...]) -> Thing:
    things = [thing for thing, _ in weighted]
    return chance.choices(things, [weight for _, weight in weighted])[0]
