"""What counts of token metrics, as rules: spend/readings.py."""

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from spend.meters import DISJOINT
from spend.readings import (
    ANYONE,
    NO_SESSION,
    Metered,
    Reading,
    Tellers,
    TokenCounter,
    Told,
    counting,
    disjoint,
    hour_of,
    meter,
    model_kin,
    plain_model,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

COUNTER = TokenCounter(
    service=1,
    session=NO_SESSION,
    family="vendor",
    rank=1,
    teller="vendor",
    trust=1,
    model="gpt-5",
    embeddings=False,
    beside_cache=False,
    reasoning_apart=False,
    serves=False,
    owner_id=1,
    route_id=1,
    emitter_id=1,
)


def reading(
    value: int,
    at: timedelta,
    *,
    since: timedelta = timedelta(0),
    cumulative: bool = True,
    count: str = "input",
    counter: int = 1,
    calls: int | None = None,
) -> Reading:
    return Reading(
        counter=counter,
        series=hash((counter, count)),
        count=count,
        started_at=NOON + since,
        read_at=NOON + at,
        last_read_at=NOON + at,
        cumulative=cumulative,
        value=value,
        calls=calls,
    )


def used(readings: Iterable[Reading], counter: TokenCounter = COUNTER) -> Counter[str]:
    total: Counter[str] = Counter()
    for one in meter({1: counter}, readings):
        total.update(one.usage)
        total["calls"] += one.calls or 0
    return +total


def test_a_cumulative_counter_counts_what_it_grew_by() -> None:
    exports = [reading(value, MINUTE * at) for at, value in enumerate((10, 30, 30, 60), 1)]
    assert used(exports) == {"input": 60}


def test_a_counter_that_starts_anew_starts_from_nothing() -> None:
    first = [reading(value, MINUTE * at) for at, value in enumerate((10, 30), 1)]
    after = [reading(value, MINUTE * at, since=MINUTE * 3) for at, value in ((4, 5), (5, 25))]
    assert used([*first, *after]) == {"input": 55}
    # Also where its start does not say so.
    fallen = [reading(value, MINUTE * at) for at, value in ((4, 5), (5, 25))]
    assert used([*first, *fallen]) == {"input": 55}


def test_a_counter_that_does_not_know_its_start_counts_from_its_first_reading() -> None:
    baseline = reading(1000, MINUTE, since=MINUTE)
    assert used([baseline, reading(1010, MINUTE * 2, since=MINUTE)]) == {"input": 10}


def test_a_counter_that_ran_for_long_before_it_was_heard_counts_from_then_on() -> None:
    late = [reading(1000, HOUR * 3), reading(1010, HOUR * 3 + MINUTE)]
    assert used(late) == {"input": 10}
    # What comes late may tell that it was heard before.
    assert used([*late, reading(5, MINUTE)]) == {"input": 1010}


def test_a_lost_export_loses_nothing_of_a_cumulative_counter() -> None:
    exports = [reading(value, MINUTE * at) for at, value in enumerate((10, 30, 60), 1)]
    assert used([exports[0], exports[2]]) == {"input": 60}


def test_one_moment_told_twice_counts_once() -> None:
    delta = reading(10, MINUTE, cumulative=False)
    assert used([delta, replace(delta, value=25)]) == {"input": 25}
    cumulative = reading(10, MINUTE)
    assert used([cumulative, replace(cumulative, value=25)]) == {"input": 25}


def test_the_cache_is_a_part_of_input_unless_its_counter_says_not() -> None:
    counts = {"input": 1000, "cache_read": 400, "cache_write": 100, "output": 50, "reasoning": 20}
    inclusive = disjoint(counts, beside_cache=False, reasoning_apart=False)
    assert inclusive == {
        "input": 500,
        "cache_read": 400,
        "cache_write": 100,
        "output": 50,
        "reasoning": 20,
    }
    exclusive = disjoint(counts, beside_cache=True, reasoning_apart=True)
    assert exclusive == {
        "input": 1000,
        "cache_read": 400,
        "cache_write": 100,
        "output": 70,
        "reasoning": 20,
    }


def test_audio_and_what_tools_say_are_input_too() -> None:
    counts = {"input": 100, "input_audio": 7, "input_extra": 30, "cache_read": 50}
    usage = disjoint(counts, beside_cache=False, reasoning_apart=False)
    assert usage == {"input": 87, "cache_read": 50, "input_audio": 7}


def test_calls_are_those_of_one_kind_of_token() -> None:
    told = [reading(1000, MINUTE, calls=4), reading(50, MINUTE, calls=3, count="output")]
    assert used(told) == {"input": 1000, "output": 50, "calls": 4}


def test_models_are_the_same_whoever_names_them() -> None:
    names = ("openai/gpt-4o-mini", "gpt-4o-mini-2026-01-01", "GPT-4o-mini", "gpt-4o-mini-latest")
    assert {plain_model(name) for name in names} == {"gpt-4o-mini"}


def metered(counter: int, at: timedelta, since: timedelta | None = None) -> Metered:
    begins = at - MINUTE if since is None else since
    return Metered(counter, NOON + begins, NOON + at, {"input": 10}, None)


def counted(
    counters: dict[int, TokenCounter],
    metered: list[Metered],
    told: dict[datetime, set[Told]] | None = None,
) -> set[int]:
    return {counter for counter, _ in counting(counters, metered, Tellers(told or {}))}


def test_tokens_count_in_hours_in_which_their_source_told_no_call() -> None:
    one = {1: COUNTER}
    assert counted(one, [metered(1, MINUTE * 5)]) == {1}
    assert counted(one, [metered(1, MINUTE * 5)], {NOON: {(1, NO_SESSION)}}) == set()
    assert counted(one, [metered(1, MINUTE * 5)], {NOON: {(2, NO_SESSION)}}) == {1}
    assert counted(one, [metered(1, MINUTE * 5)], {NOON - HOUR: {(1, NO_SESSION)}}) == {1}
    # What was read over several hours may hold the calls of any of them.
    long = [metered(1, MINUTE * 5, since=-HOUR * 3)]
    assert counted(one, long, {NOON - HOUR * 2: {(1, NO_SESSION)}}) == set()
    # An hour's last moment is of that hour.
    assert counted(one, [metered(1, timedelta(0))], {NOON: {(1, NO_SESSION)}}) == {1}


def test_where_calls_were_told_without_usage_their_tokens_count_and_not_their_calls() -> None:
    one, told = {1: COUNTER}, [metered(1, MINUTE * 5), metered(1, HOUR + MINUTE * 5)]
    called = Tellers(calls={NOON: {(1, NO_SESSION)}})
    counts = counting(one, told, called)
    assert counts == {(1, NOON + MINUTE * 5): False, (1, NOON + HOUR + MINUTE * 5): True}


def test_sessions_are_sources_of_their_own_as_long_as_everybody_names_them() -> None:
    mine = {1: replace(COUNTER, session=7)}
    assert counted(mine, [metered(1, MINUTE)], {NOON: {(1, 8)}}) == {1}
    assert counted(mine, [metered(1, MINUTE)], {NOON: {(1, 7)}}) == set()
    assert counted(mine, [metered(1, MINUTE)], {NOON: {(1, NO_SESSION)}}) == set()
    nobody = {1: COUNTER}
    assert counted(nobody, [metered(1, MINUTE)], {NOON: {(1, 8)}}) == set()


def test_a_gateway_counts_where_nobody_told_calls_of_its_model() -> None:
    gateway = {1: replace(COUNTER, serves=True)}
    mine, other = (ANYONE, model_kin("gpt-5")), (ANYONE, model_kin("gpt-4o"))
    assert counted(gateway, [metered(1, MINUTE)], {NOON: {other, (2, NO_SESSION)}}) == {1}
    assert counted(gateway, [metered(1, MINUTE)], {NOON: {mine, (2, NO_SESSION)}}) == set()
    assert counted({1: COUNTER}, [metered(1, MINUTE)], {NOON: {mine}}) == {1}


def test_of_two_families_the_one_that_tells_more_counts() -> None:
    plain = replace(COUNTER, family="plain", rank=3)
    both = {1: COUNTER, 2: plain, 3: replace(plain, service=2), 4: replace(plain, embeddings=True)}
    told = [metered(number, MINUTE * 5) for number in both]
    assert counted(both, told) == {1, 3, 4}
    # An hour later only one speaks.
    assert counted(both, [metered(1, MINUTE), metered(2, HOUR + MINUTE)]) == {1, 2}


def test_of_two_instrumentations_on_one_client_the_better_one_counts() -> None:
    other = replace(COUNTER, teller="litellm", trust=7)
    both = {1: COUNTER, 2: other, 3: replace(other, model="claude-opus-5")}
    assert counted(both, [metered(number, MINUTE) for number in both]) == {1, 3}
    # One of the same suite does not see the other's calls.
    alike = {1: COUNTER, 2: replace(COUNTER, emitter_id=2)}
    assert counted(alike, [metered(1, MINUTE), metered(2, MINUTE)]) == {1, 2}


SERIES = st.lists(st.integers(0, 1000), min_size=1, max_size=12)


@given(SERIES, st.randoms(use_true_random=False), st.booleans())
def test_neither_order_nor_repetition_changes_what_was_used(
    grown: list[int], chance: random.Random, cumulative: bool
) -> None:
    total, told = 0, []
    for at, more in enumerate(grown, 1):
        total += more
        told.append(
            reading(total, MINUTE * at)
            if cumulative
            else reading(more, MINUTE * at, since=MINUTE * (at - 1), cumulative=False)
        )
    again = [*told, *chance.choices(told, k=3)]
    chance.shuffle(again)
    stored = list({one.id: one for one in sorted(again, key=lambda one: one.read_at)}.values())
    assert used(stored) == (Counter(input=total) if total else Counter())


COUNTS = st.dictionaries(
    st.sampled_from(["input", "cache_read", "cache_write", "output", "reasoning", "input_audio"]),
    st.integers(0, 10**9),
)


@given(COUNTS, st.booleans())
def test_parts_never_add_tokens(counts: dict[str, int], apart: bool) -> None:
    usage = disjoint(counts, beside_cache=False, reasoning_apart=apart)
    prompt = sum(usage.get(name, 0) for name in DISJOINT if name != "output")
    assert prompt == counts.get("input", 0) + counts.get("input_audio", 0)
    thought = counts.get("reasoning", 0) if apart else 0
    assert usage.get("output", 0) == counts.get("output", 0) + thought
    assert all(count >= 0 for count in usage.values())


@st.composite
def sources(draw: st.DrawFn) -> tuple[dict[int, TokenCounter], list[Metered], set[datetime]]:
    """A service's calls, told by several counters each, and hours in which spans told them."""
    counters = {
        number: replace(
            COUNTER,
            session=draw(st.sampled_from([NO_SESSION, 5])),
            family=(family := draw(st.sampled_from(["a", "b", "c"]))),
            rank=ord(family),
            teller=(teller := draw(st.sampled_from(["x", "y"]))),
            trust=ord(teller),
        )
        for number in range(draw(st.integers(1, 5)))
    }
    told = [
        metered(draw(st.sampled_from(sorted(counters))), MINUTE * draw(st.integers(1, 240)))
        for _ in range(draw(st.integers(0, 12)))
    ]
    hours = draw(st.sets(st.sampled_from([NOON + HOUR * number for number in range(4)])))
    return counters, told, hours


@given(sources())
def test_no_hour_counts_more_than_one_of_those_who_tell_of_it(
    given_: tuple[dict[int, TokenCounter], list[Metered], set[datetime]],
) -> None:
    counters, told, hours = given_
    count = counting(counters, told, Tellers({hour: {(1, NO_SESSION)} for hour in hours}))
    voices: dict[datetime, set[tuple[str, str]]] = {}
    for one in told:
        if (one.counter, one.read_at) in count:
            first, last = one.hours
            assert not hours & {first, last}
            for hour in (first, last):
                voice = counters[one.counter].family, counters[one.counter].teller
                voices.setdefault(hour_of(hour), set()).add(voice)
    sessions = {counter.session for counter in counters.values()}
    if len(sessions) == 1:
        assert all(len(heard) == 1 for heard in voices.values())
