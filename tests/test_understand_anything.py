"""No attribute bag breaks the collector: every item is a sighting, no call, or refused."""

from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from records import Record, logs
from spans import START, Told, Understood, heard, request, sightings

from collector.signals import Signal
from collector.understanding.attributes import EVENTS, KEYS
from spend.calls import Role
from spend.meters import METER_NAMES, METERS

ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.integers(0, 2000)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["1000", "-1", "1e5", "{", '{"id": "x"}', "LLM", "chat", "", "[" * 50])
    | st.binary(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
COUNT = st.integers(-5, 3000) | st.sampled_from([0, 10**9, 10**9 + 1, 2**62]) | ANY
MARKED = st.sampled_from(
    [
        {"gen_ai.operation.name": "chat"},
        {"gen_ai.operation.name": "invoke_agent"},
        {"openinference.span.kind": "LLM"},
        {"llm.request.type": "chat"},
        {"ai.operationId": "ai.generateText.doGenerate"},
        {"mlflow.spanType": '"LLM"'},
        {},
    ]
)
USAGE_KEYS = [key for key in KEYS if "usage" in key.lower() or "token" in key]
BAGS = st.builds(
    lambda mark, known, counts: {**mark, **known, **counts},
    MARKED,
    st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=10), ANY, max_size=8),
    st.dictionaries(st.sampled_from(USAGE_KEYS), COUNT, max_size=6),
)
SCOPES = st.sampled_from(
    [
        "opentelemetry.instrumentation.genai.openai",
        "openlit.instrumentation.anthropic",
        "ai",
        "x",
        "com.anthropic.claude_code.tracing",
        "openinference.instrumentation.bedrock",
        "",
        "\x00\n",
    ]
)
TIMES = st.sampled_from([0, 1, START, START + 5, 2**64 - 1]) | st.integers(0, 2**64 - 1)
GOOD_START = st.integers(START, START + 10**12)


def mostly(usual: st.SearchStrategy[Any], rarely: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(usual, usual, usual, usual, rarely)


SPANS = st.builds(
    Told,
    attributes=BAGS,
    name=st.text(max_size=10),
    kind=st.integers(-1, 7),
    trace_id=mostly(st.just(b"\x01" * 16), st.binary(max_size=17)),
    span_id=mostly(st.integers(1, 4).map(lambda n: bytes([n] * 8)), st.binary(max_size=9)),
    parent_span_id=mostly(st.integers(1, 4).map(lambda n: bytes([n] * 8)), st.binary(max_size=9)),
    start=mostly(GOOD_START, TIMES),
    end=TIMES,
    status=st.integers(-1, 4),
    message=st.text(max_size=10),
    scope=SCOPES,
    version=st.text(max_size=6),
    events=st.lists(
        st.tuples(
            TIMES,
            st.sampled_from(["exception", "First Token Stream Event", "x"]),
            st.dictionaries(st.sampled_from(["exception.type", "y"]), ANY, max_size=2),
        ),
        max_size=2,
    ),
)


EVENT_NAMES = st.sampled_from(sorted({event.name for event, _ in EVENTS}))

RECORDS = st.builds(
    Record,
    attributes=st.builds(
        lambda bag, named: {**bag, **named},
        BAGS,
        mostly(
            st.fixed_dictionaries({"event.name": EVENT_NAMES}),
            st.dictionaries(st.sampled_from(["event.name", "event_name", "duration_ms"]), ANY),
        ),
    ),
    scope=st.sampled_from(["com.anthropic.claude_code.events", "codex_exec", "gemini-cli", "x"]),
    version=st.text(max_size=6),
    time=mostly(GOOD_START, TIMES),
    observed=TIMES,
    severity=st.integers(-1, 30),
    event_name=mostly(EVENT_NAMES, st.text(max_size=10)),
    body=mostly(EVENT_NAMES, ANY),
    trace_id=st.just(b"\x01" * 16) | st.binary(max_size=17),
    span_id=st.just(b"\x02" * 8) | st.binary(max_size=9),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(SPANS, max_size=4), BAGS)
def test_whatever_comes_is_counted_once_and_never_negative(
    told: list[Told], resource: Mapping[str, object]
) -> None:
    understood = heard(request(*told, resource=resource))
    assert understood.heard == len(told)
    check(understood)


@settings(max_examples=100, deadline=None)
@given(st.lists(RECORDS, max_size=4), BAGS)
def test_whatever_is_logged_is_counted_once_and_never_negative(
    told: list[Record], resource: Mapping[str, object]
) -> None:
    body = logs(*told, resource=resource)
    understood = heard(body, signal=Signal.LOGS)
    assert understood.heard == len(told)
    check(understood)
    again = heard(body, signal=Signal.LOGS)
    assert again.sightings.equals(understood.sightings)


def check(understood: Understood) -> None:
    understood.sightings.validate(full=True)
    assert understood.heard == (
        understood.sightings.num_rows + understood.not_a_call + sum(understood.refused.values())
    )
    for row in understood.sightings.to_pylist():
        assert all(row[name] is None or 0 <= row[name] <= 3 * 10**9 for name in METER_NAMES)
        for meter in METERS:
            part, whole = row[meter.name], row[meter.of_which] if meter.of_which else None
            assert part is None or whole is None or part <= whole
        # Postgres takes neither in JSON.
        assert "\x00" not in (row["details"] or "")
        assert "\\u0000" not in (row["details"] or "")
    for one in sightings(understood):
        assert one.duration_us is None or one.duration_us >= 0
        assert one.ttft_us is None or one.ttft_us >= 0
        assert one.usage or one.role is not Role.AGGREGATE or one.details["usage_refused"]


@settings(max_examples=40, deadline=None)
@given(st.lists(SPANS, max_size=5))
def test_neither_order_nor_company_changes_what_a_span_says(told: list[Told]) -> None:
    def alone(one: Told) -> list[str]:
        return [said(found) for found in sightings(heard(request(one)))]

    shuffled = sorted(told, key=lambda one: repr(one.attributes))
    apart = sorted(text for one in told for text in alone(one))
    together = sorted(said(found) for found in sightings(heard(request(*shuffled))))
    assert together == apart


def said(found: object) -> str:
    # Company may show a nearer parent: that alone may differ.
    return repr(found).replace(f"parent_span_id={getattr(found, 'parent_span_id', None)}", "")
