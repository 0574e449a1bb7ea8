"""Makes up true calls, and what a service's instrumentations report of them."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sighted import NOON, sighting

from spend.calls import Emitter, Outcome, Owner, Role, Route, Sighting
from spend.twins.kin import session_kin

CLIENT = Emitter("opentelemetry.instrumentation.openai", "0.62.4", "traceloop")
FRAMEWORK = Emitter("openinference.instrumentation.langchain", "0.1.80", "openinference")
BESIDE = Emitter("openinference.instrumentation.openai", "0.1.66", "openinference")
GATEWAY = Emitter("litellm", "1.80", "litellm")
ENGINE = Emitter("vllm.llm_engine", "0.11", "vllm")
CLI = Emitter("codex_exec", "0.169.0", "codex")
CLI_LOG = Emitter("codex_exec", "0.169.0", "codex", "log")
EMBED = Route(provider="openai", model="text-embedding-3-small", operation="embeddings")


@dataclass(frozen=True, slots=True)
class TrueCall:
    """One request to one model, as it was."""

    number: int
    start_at: datetime
    took_us: int
    usage: dict[str, int]
    answer_id: str | None
    outcome: Outcome = Outcome.OK


def true_calls(chance: random.Random, count: int, *, alike: bool = False) -> list[TrueCall]:
    """Calls one after another and at once; with ``alike`` many of the same usage."""
    calls = []
    at = NOON
    for number in range(count):
        if chance.random() < 0.6:
            at += timedelta(milliseconds=chance.randint(1, 9000))
        usage = {"input": chance.randint(1, 2 if alike else 5000), "output": chance.randint(1, 900)}
        if alike:
            usage["output"] = chance.randint(1, 2)
        failed = chance.random() < 0.15
        calls.append(
            TrueCall(
                number=number,
                start_at=at,
                took_us=chance.randint(50_000, 4_000_000),
                usage={} if failed else usage,
                answer_id=None if failed else f"chatcmpl-{number:012d}",
                outcome=Outcome.RATE_LIMITED if failed else Outcome.OK,
            )
        )
    return calls


def seen(call: TrueCall, emitter: Emitter, span: int, around: int = 0, **changes: Any) -> Sighting:
    """What an emitter says that takes ``around`` milliseconds more than the call, half before it.

    In a trace of its own, without the id of the answer, unless ``changes`` says otherwise.
    """
    values: dict[str, Any] = {
        "emitter": emitter,
        "start_at": call.start_at - timedelta(milliseconds=around / 2),
        "duration_us": call.took_us + around * 1000,
        "usage": call.usage,
        "outcome": call.outcome,
        **changes,
    }
    return sighting(10_000 * span + call.number + 1, span, **values)


def in_two_traces(call: TrueCall) -> list[Sighting]:
    """A framework and its client, each in a trace of its own, outputs hidden."""
    return [seen(call, FRAMEWORK, 1, 8), seen(call, CLIENT, 2)]


def one_with_an_id(call: TrueCall) -> list[Sighting]:
    """Two patches of one client, of which one tells the answer's id."""
    return [seen(call, BESIDE, 1, 3), seen(call, CLIENT, 2, response_id=call.answer_id)]


def all_the_way(call: TrueCall) -> list[Sighting]:
    """Framework, client, gateway and engine in one trace, with spans between that are not kept."""
    trace = seen(call, FRAMEWORK, 1).trace_id
    theirs = Owner(team="platform", service="gateway")
    engine = {name: call.usage[name] for name in call.usage if name != "reasoning"}
    return [
        seen(call, FRAMEWORK, 1, 40),
        replace(seen(call, CLIENT, 2, 20, parent_span_id=77), trace_id=trace),
        replace(seen(call, GATEWAY, 3, 10, owner=theirs, parent_span_id=78), trace_id=trace),
        replace(
            seen(
                call, ENGINE, 4, owner=theirs, parent_span_id=79, role=Role.SERVER, usage=engine,
                response_id=call.answer_id,
            ),
            trace_id=trace,
        ),
    ]  # fmt: skip


def on_two_signals(call: TrueCall) -> list[Sighting]:
    """A coding agent's span, and its log, which begins when the call ends."""
    kin = session_kin("search-api", "one-session")
    ended = call.start_at + timedelta(microseconds=call.took_us)
    log = seen(call, CLI_LOG, 2, kin_id=kin, start_at=ended, duration_us=None)
    return [seen(call, CLI, 1, kin_id=kin), log]


WAYS = (in_two_traces, one_with_an_id, all_the_way, on_two_signals)


def totals_of(calls: Sequence[TrueCall]) -> tuple[int, int, int]:
    """Calls, tokens in, tokens out."""
    prompt = sum(call.usage.get("input", 0) for call in calls)
    return len(calls), prompt, sum(call.usage.get("output", 0) for call in calls)
