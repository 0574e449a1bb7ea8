"""One model call is one charge, whoever saw it: what is joined, and what must never be."""

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from observed import (
    BESIDE,
    CLI,
    CLI_LOG,
    CLIENT,
    EMBED,
    ENGINE,
    FRAMEWORK,
    GATEWAY,
    WAYS,
    all_the_way,
    totals_of,
    true_calls,
)
from sighted import GPT, NOON, sighting

from spend.calls import Emitter, Outcome, Owner, Role, Route, Sighting
from spend.twins.kin import session_kin, stream_kin
from spend.twins.twins import Settlement, settle
from spend.twins.witnesses import key_of
from spend.twins.witnesses import totals as tokens

NATIVE = Emitter("com.anthropic.sdk.python", "2.12.0", "anthropic-sdk")
LOGFIRE = Emitter("logfire.anthropic", "4.3", "logfire")
LOGFIRE_LOG = replace(LOGFIRE, signal="log")
SONNET = Route(provider="anthropic", model="claude-sonnet-4-5", operation="chat")
KIN = session_kin("search-api", "one-session")
USED = {"input": 600, "output": 50}
MOMENT = timedelta(milliseconds=1)


def amount(settlement: Settlement, sightings: list[Sighting]) -> tuple[int, int, int]:
    """Calls, tokens in, tokens out."""
    parts = {key_of(member) for joined in settlement.joined for member in joined.members}
    usages = [joined.usage for joined in settlement.joined]
    usages += [
        one.usage
        for one in {key_of(one): one for one in sightings}.values()
        if one.role is not Role.AGGREGATE and key_of(one) not in parts | settlement.held
    ]
    counts = [tokens(usage) for usage in usages]
    return len(counts), sum(count for count, _ in counts), sum(count for _, count in counts)


def settled(*sightings: Sighting) -> tuple[int, int, int]:
    return amount(settle(sightings), list(sightings))


def rules(*sightings: Sighting) -> list[str]:
    return sorted(rule for joined in settle(sightings).joined for rule in joined.rules)


def test_two_identical_real_calls_stay_two() -> None:
    assert settled(sighting(1, 1), sighting(1, 2), sighting(2, 3)) == (3, 3000, 150)


def test_two_identical_parallel_calls_that_two_saw_are_two() -> None:
    pairs = [
        [
            sighting(10 + at, 1, emitter=FRAMEWORK, start_at=NOON + at * MOMENT),
            sighting(20 + at, 1, emitter=CLIENT, start_at=NOON + at * MOMENT, duration_us=998_000),
        ]
        for at in range(2)
    ]
    assert settled(*pairs[0], *pairs[1]) == (2, 2000, 100)


def test_framework_and_client_in_two_traces_without_ids_are_one() -> None:
    wrapper = sighting(1, 1, emitter=FRAMEWORK, usage=USED)
    client = sighting(
        2, 2, emitter=CLIENT, usage=USED, start_at=NOON + 3 * MOMENT, duration_us=990_000
    )
    assert settled(wrapper, client) == (1, 600, 50)
    assert rules(wrapper, client) == ["first sighting", "one service, usage and time"]


@pytest.mark.parametrize(
    "other",
    [
        {"owner": Owner(team="search", service="another-api")},
        {"usage": {"input": 600, "output": 51}},
        {"usage": {"input": 601, "output": 50}},
        {"route": replace(GPT, model="gpt-4o-mini")},
        {"route": EMBED},
        {"start_at": NOON + timedelta(milliseconds=500)},
        {"duration_us": 5_000_000},
        {"emitter": replace(FRAMEWORK, version="0.2")},
    ],
    ids=str,
)
def test_likeness_without_ids_has_to_be_complete(other: dict[str, Any]) -> None:
    wrapper = sighting(1, 1, emitter=FRAMEWORK, usage=USED)
    assert settled(wrapper, sighting(2, 2, **{"emitter": CLIENT, "usage": USED, **other}))[0] == 2


def test_different_ids_of_answers_are_different_calls_however_alike() -> None:
    one = sighting(1, 1, emitter=FRAMEWORK, response_id="chatcmpl-000000001")
    assert settled(one, sighting(2, 2, emitter=CLIENT, response_id="chatcmpl-000000002"))[0] == 2


def test_two_clients_of_different_providers_never_see_one_call() -> None:
    by_openai = sighting(1, 1, emitter=CLIENT, route=replace(GPT, model=None, request_model=None))
    assert settled(by_openai, sighting(2, 2, emitter=NATIVE, route=SONNET))[0] == 2


def test_a_retry_after_a_billed_failure_stays() -> None:
    """The gateway asked twice: the first attempt broke off and was billed, the second went well."""
    theirs: dict[str, Any] = {"emitter": GATEWAY, "role": Role.SERVER, "parent_span_id": 1}
    client = sighting(1, 1, emitter=CLIENT, usage=USED, duration_us=5_000_000)
    broke_off = sighting(1, 2, usage={"input": 600, "output": 7}, outcome=Outcome.ERROR, **theirs)
    went_well = sighting(1, 3, usage=USED, start_at=NOON + timedelta(seconds=2), **theirs)
    assert settled(client, broke_off, went_well) == (2, 1200, 57)


@pytest.mark.parametrize("parent", [1, 99])
def test_a_gateways_failed_attempt_that_nobody_billed_is_no_second_call(parent: int) -> None:
    theirs: dict[str, Any] = {
        "emitter": GATEWAY, "role": Role.SERVER, "parent_span_id": parent,
        "owner": Owner(team="platform", service="gateway"),
    }  # fmt: skip
    client = sighting(1, 1, emitter=CLIENT, usage=USED, duration_us=5_000_000)
    failed = sighting(1, 2, usage={}, outcome=Outcome.SERVER_ERROR, **theirs)
    later = NOON + timedelta(seconds=2)
    went_well = sighting(1, 3, usage=USED, start_at=later, duration_us=3_000_000, **theirs)
    assert settled(client, failed, went_well) == (1, 600, 50)


def test_attempts_that_a_clients_library_tells_of_are_calls() -> None:
    """One failed and was told of: it is an error that people want to see, though not a charge."""
    failed = sighting(1, 2, usage={}, outcome=Outcome.SERVER_ERROR, duration_us=1000)
    went_well = sighting(1, 3, usage=USED, start_at=NOON + timedelta(seconds=2))
    agent = sighting(1, 1, role=Role.AGGREGATE, usage=USED, duration_us=9_000_000, emitter=BESIDE)
    assert settled(agent, failed, went_well) == (2, 600, 50)


@pytest.mark.parametrize("number", range(5))
def test_sdk_framework_gateway_and_engine_are_one_call_with_all_four_linked(number: int) -> None:
    call = true_calls(random.Random(number), 1)[0]
    sightings = all_the_way(call)
    (joined,) = settle(sightings).joined
    assert len(joined.members) == 4
    assert settled(*sightings) == totals_of([call])


def test_a_gateway_with_its_clients_instrumentation_saw_the_same_call() -> None:
    """One id of an answer, in a trace or out of it; without it the two are apart."""
    answer: dict[str, Any] = {"usage": USED, "response_id": "chatcmpl-000000001"}
    theirs: dict[str, Any] = {
        "start_at": NOON + 5 * MOMENT, "duration_us": 900_000,
        "owner": Owner(team="platform", service="gateway"),
    }  # fmt: skip
    client = sighting(1, 1, **answer)
    assert settled(client, sighting(1, 2, parent_span_id=77, **answer, **theirs))[0] == 1
    assert settled(client, sighting(2, 2, **answer, **theirs))[0] == 1
    theirs["start_at"] = NOON + timedelta(seconds=9)
    assert settled(client, sighting(2, 2, **answer, **theirs))[0] == 2


def test_a_log_event_beside_its_span_is_the_same_call() -> None:
    span = sighting(1, 1, usage=USED)
    log = sighting(
        1, 2, emitter=replace(span.emitter, signal="log"), usage=USED, parent_span_id=1,
        start_at=NOON + timedelta(seconds=1), duration_us=None,
    )  # fmt: skip
    assert settled(span, log) == (1, 600, 50)


def test_a_log_of_a_session_is_its_nearest_spans() -> None:
    first = sighting(1, 1, emitter=CLI, kin_id=KIN, usage=USED)
    second = sighting(
        2, 2, emitter=CLI, kin_id=KIN, usage=USED, start_at=NOON + timedelta(seconds=1)
    )
    log = sighting(
        3, 3, emitter=CLI_LOG, kin_id=KIN, usage=USED, duration_us=None,
        start_at=NOON + timedelta(seconds=2, milliseconds=20),
    )  # fmt: skip
    assert settled(first, second, log) == (2, 1200, 100)
    (joined,) = settle([first, second, log]).joined
    assert {member.span_id for member in joined.members} == {2, 3}


def test_a_span_that_leaves_out_reasoning_is_the_call_of_the_log_that_tells_it() -> None:
    """Gemini CLI's span tells the candidates' tokens, its log the thoughts as well."""
    span = sighting(1, 1, emitter=CLI, kin_id=KIN, usage={"input": 1000, "output": 30})
    log = sighting(
        2, 2, emitter=CLI_LOG, kin_id=KIN,
        usage={"input": 600, "cache_read": 400, "output": 50, "reasoning": 20},
    )  # fmt: skip
    (joined,) = settle([span, log]).joined
    assert joined.usage == {"input": 600, "cache_read": 400, "output": 50, "reasoning": 20}
    assert not joined.usage_conflict


def test_a_span_that_tells_no_usage_is_the_call_of_the_log_within_it() -> None:
    span = sighting(1, 1, emitter=CLI, kin_id=KIN, usage={})
    within = {"start_at": NOON + timedelta(milliseconds=2), "duration_us": 990_000}
    log = sighting(2, 2, emitter=CLI_LOG, kin_id=KIN, usage=USED, **within)
    assert settled(span, log) == (1, 600, 50)
    # Another call's: it had not begun, or this one had failed.
    later = sighting(
        2, 2, emitter=CLI_LOG, kin_id=KIN, usage=USED, start_at=NOON + timedelta(seconds=1)
    )
    assert settled(span, later)[0] == 2
    failed = sighting(1, 1, emitter=CLI, kin_id=KIN, usage={}, outcome=Outcome.ERROR)
    assert settled(failed, log)[0] == 2


def test_another_session_or_prompt_is_another_call() -> None:
    span = sighting(1, 1, emitter=CLI, kin_id=KIN, usage=USED, owner=Owner("a", service="codex"))
    log: dict[str, Any] = {"emitter": CLI_LOG, "usage": USED, "owner": Owner("b", service="codex2")}
    other = session_kin("search-api", "another-session")
    assert settled(span, sighting(2, 2, kin_id=other, **log))[0] == 2
    log["usage"] = {"input": 601, "output": 50}
    assert settled(span, sighting(2, 2, kin_id=KIN, **log))[0] == 2


def test_a_stream_told_in_two_halves_is_one_call_with_the_native_span_beneath() -> None:
    kin = stream_kin("search-api", "logfire.anthropic", "claude-sonnet-4-5")
    headers = 200_000
    asked = sighting(1, 1, emitter=LOGFIRE, kin_id=kin, usage={}, route=SONNET, duration_us=headers)
    native = sighting(1, 2, emitter=NATIVE, parent_span_id=1, usage=USED, route=SONNET)
    answered = sighting(
        2, 3, emitter=LOGFIRE_LOG, kin_id=kin, usage=USED, route=SONNET,
        start_at=NOON + timedelta(microseconds=headers + 900),
    )  # fmt: skip
    assert settled(asked, answered) == (1, 600, 50)
    assert settled(asked, native, answered) == (1, 600, 50)
    again = [
        replace(one, trace_id=sighting(9).trace_id, start_at=one.start_at + timedelta(seconds=30))
        for one in (asked, native)
    ]
    assert settled(asked, native, answered, *again) == (2, 1200, 100)


def test_the_model_of_a_call_is_told_by_the_tightest_wrapper_around_it() -> None:
    nameless = replace(GPT, model=None, request_model=None, provider=None, deployment=None)
    call = sighting(1, 1, emitter=CLI, route=nameless, parent_span_id=50, duration_us=1000)
    around: dict[str, Any] = {"role": Role.AGGREGATE, "emitter": CLI, "usage": {}}
    turn = sighting(1, 2, duration_us=9_000_000, route=replace(GPT, model="gpt-5"), **around)
    request = sighting(
        1, 3, duration_us=2_000_000, route=replace(GPT, model="gpt-5-mini"), **around
    )
    (joined,) = settle([call, turn, request]).joined
    assert (joined.route.model, joined.route.provider) == ("gpt-5-mini", "openai")
    assert settled(call, turn, request) == (1, 1000, 50)


def test_choices_of_an_engine_tell_the_prompt_once() -> None:
    """n = 3: the engine has a span for each answer, and each tells the whole prompt."""
    client = sighting(1, 1, usage={"input": 900, "output": 60})
    answers = [
        sighting(
            1, 2 + at, emitter=ENGINE, role=Role.SERVER, parent_span_id=parent,
            usage={"input": 900, "output": 20}, start_at=NOON + MOMENT, duration_us=900_000,
        )
        for at, parent in enumerate((1, 1, 1))
    ]  # fmt: skip
    assert settled(client, *answers) == (1, 900, 60)
    (joined,) = settle([client, *answers]).joined
    assert not joined.usage_conflict
    unlinked = [replace(one, parent_span_id=99) for one in answers]
    assert settled(client, *unlinked) == (1, 900, 60)


def test_what_a_gateways_cache_answered_is_not_charged() -> None:
    client = sighting(1, 1, usage=USED, response_id="chatcmpl-000000001")
    gateway = sighting(
        1, 2, emitter=GATEWAY, parent_span_id=1, usage={"input": 0, "output": 0},
        response_id="chatcmpl-000000001", details={"cache_hit": True},
    )  # fmt: skip
    (joined,) = settle([client, gateway]).joined
    assert joined.usage == {"input": 0, "output": 0}
    assert joined.details["cache_hit"]
    assert not joined.usage_conflict


def test_what_a_cache_repeats_later_takes_nothing_from_the_call_it_repeats() -> None:
    first = sighting(1, 1, usage=USED, response_id="chatcmpl-000000001")
    later = sighting(
        2, 2, emitter=GATEWAY, usage={"input": 0, "output": 0}, details={"cache_hit": True},
        response_id="chatcmpl-000000001", start_at=NOON + timedelta(minutes=9),
    )  # fmt: skip
    assert settled(first, later) == (2, 600, 50)


def test_a_gateways_cache_is_told_from_the_client_by_what_was_saved() -> None:
    client = sighting(1, 1, usage=USED)
    gateway = sighting(
        1, 2, emitter=GATEWAY, parent_span_id=77, role=Role.SERVER,
        usage={"input": 0, "output": 0},
        details={"cache_hit": True, "saved_input": 600, "saved_output": 50},
    )  # fmt: skip
    assert settled(client, gateway) == (1, 0, 0)


def test_an_agents_totals_change_nothing_where_its_calls_are_known() -> None:
    calls = [
        sighting(1, at, parent_span_id=9, start_at=NOON + timedelta(seconds=at)) for at in (1, 2)
    ]
    alone = settled(*calls)
    for usage in (USED, {"input": 99_999, "output": 9999}):  # the latter for all its life
        agent = sighting(
            1, 9, role=Role.AGGREGATE, emitter=BESIDE, usage=usage, duration_us=9_000_000
        )
        assert settled(agent, *calls) == alone


def test_a_wrapper_around_what_two_instrumentations_saw_is_that_call() -> None:
    outer = sighting(1, 1, emitter=FRAMEWORK, usage={}, duration_us=1_100_000)
    twins = [
        sighting(1, 2 + at, emitter=emitter, parent_span_id=1, usage=USED, start_at=NOON + MOMENT)
        for at, emitter in enumerate((CLIENT, BESIDE))
    ]
    assert settled(outer, *twins) == (1, 600, 50)
    assert len(settle([outer, *twins]).joined[0].members) == 3


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**9), way=st.sampled_from(WAYS), count=st.integers(1, 12),
    alike=st.booleans(),
)  # fmt: skip
def test_calls_are_counted_as_they_were_whoever_saw_them(
    seed: int, way: Any, count: int, alike: bool
) -> None:
    """All that a service's instrumentations report of some calls amounts to these calls."""
    chance = random.Random(seed)
    calls = true_calls(chance, count, alike=alike)
    sightings = [one for call in calls for one in way(call)]
    assert settled(*sightings) == totals_of(calls)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**9), way=st.sampled_from(WAYS), count=st.integers(1, 12))
def test_what_is_lost_of_some_calls_makes_no_others(seed: int, way: Any, count: int) -> None:
    """Each call is reported by one emitter at least; calls that differ are never confused."""
    chance = random.Random(seed)
    calls = true_calls(chance, count)
    sightings = []
    for call in calls:
        of_it = way(call)
        sightings += chance.sample(of_it, chance.randint(1, len(of_it)))
    found = settled(*sightings)
    assert found[1:] == totals_of(calls)[1:]
    answered = [call for call in calls if call.usage]
    assert len(answered) <= found[0] <= len(calls)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**9), count=st.integers(1, 10))
def test_order_and_repetition_never_change_what_a_set_amounts_to(seed: int, count: int) -> None:
    """Also where nearly all is alike, in time and usage, and anything may be missing."""
    chance = random.Random(seed)
    sightings = [
        one
        for call in true_calls(chance, count, alike=True)
        for one in chance.choice(WAYS)(call)
        if chance.random() < 0.8
    ]
    expected = settle(sightings)
    again = [*sightings, *chance.sample(sightings, len(sightings) // 2)]
    chance.shuffle(again)
    assert settle(again) == expected
    assert amount(expected, sightings)[0] <= len(sightings)


def test_a_bulk_job_of_equal_calls_that_two_saw_is_settled_in_seconds() -> None:
    route: dict[str, Any] = {"route": EMBED, "usage": {"input": 512}}
    both = [
        sighting(
            1000 * side + at, 1, emitter=emitter, start_at=NOON + at * 10 * MOMENT,
            duration_us=200_000 - 1000 * side, **route,
        )
        for at in range(1, 900)
        for side, emitter in ((1, FRAMEWORK), (2, CLIENT))
    ]  # fmt: skip
    assert settled(*both)[0] == 899
