"""What was said in calls: off by default, redacted before it is written, and gone in time."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from records import Record, logs
from spans import RECEIVED, START, call, request
from sqlalchemy import select, text

from collector.signals import Signal
from collector.spool.codec import decode, encode
from collector.understanding.by_signal import understand_signal
from collector.understanding.content import Keeping
from jobs.context import JobContext
from jobs.keeping import forget_contents
from spend.checked_fields import TermsRefused
from spend.contents.contents import LARGEST_PART, OFF, Content, ContentTerms, content_terms
from store.contents.content_policies import policy_of, set_policy
from store.contents.contents import contents_of, held
from store.contents.linear_patterns import check_patterns
from store.dictionaries import Known
from store.intake import retention
from store.intake.intake import Batch, Heard, put_down
from store.postgres.sessions import Database
from store.tables.contents import contents
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

ON = ContentTerms(on=True)
TRACE, SPAN = UUID(bytes=b"\x01" * 16), int.from_bytes(b"\x02" * 8, "big")
ASKED = {"gen_ai.input.messages": json.dumps([{"role": "user", "content": "write to ann@x.org"}])}


def heard(
    *requests: bytes, terms: ContentTerms | None = ON, signal: Signal = Signal.TRACES
) -> Heard:
    return understand_signal(
        signal,
        requests,
        tenant=TENANT,
        received_at=RECEIVED,
        keeping=Keeping.on(terms) if terms else None,
    )


def told(*requests: bytes, **how: Any) -> list[Content]:
    return [each for part in heard(*requests, **how).parts for each in part.contents]


def switch(database: Database, terms: ContentTerms) -> None:
    with database.write() as session:
        set_policy(session, TENANT, terms, now=RECEIVED)


def put(database: Database, what: Heard) -> None:
    with database.write() as session:
        put_down(session, Batch(TENANT, RECEIVED, [what]), Known())


def kept(database: Database) -> list[Content]:
    with database.read() as session:
        spans = [(row.trace_id, row.span_id) for row in session.execute(select(contents))]
        return contents_of(session, TENANT, spans)


def forget(database: Database, days: float = 0) -> None:
    forget_contents.run(JobContext(database, RECEIVED + timedelta(days=days)))


def test_nothing_of_a_call_is_content_unless_somebody_said_so() -> None:
    assert told(request(call(attributes=ASKED)), terms=None) == []


def test_a_prompt_is_redacted_where_it_is_understood() -> None:
    (one,) = told(request(call(attributes=ASKED)))
    assert (one.trace_id, one.span_id, one.kind) == (TRACE.hex, SPAN, "input")
    ((name, said),) = json.loads(one.body)
    assert name == "gen_ai.input.messages"
    assert json.loads(said) == [{"role": "user", "content": "write to [email]"}]


def test_each_kind_is_a_part_of_its_own() -> None:
    attributes = {
        **ASKED,
        "gen_ai.system_instructions": "be kind",
        "gen_ai.completion.0.content": "so it is",
        "gen_ai.tool.definitions": ["a", {"b": 1}],
    }
    parts = told(request(call(attributes=attributes)))
    assert sorted(each.kind for each in parts) == ["input", "output", "system", "tools"]
    only_output = told(
        request(call(attributes=attributes)), terms=ContentTerms(True, kinds=("output",))
    )
    assert [each.kind for each in only_output] == ["output"]


def test_events_of_a_span_are_content_of_it() -> None:
    events = [
        (START, "gen_ai.user.message", {"content": "hello", "role": "user"}),
        (START, "gen_ai.choice", {"message": {"content": "hi"}, "index": 0}),
        (START, "exception", {"exception.message": "boom"}),
    ]
    parts = told(request(call(events=events)))
    assert [(each.kind, "boom" in each.body) for each in parts] == [
        ("input", False),
        ("output", False),
    ]


def test_a_log_record_is_content_of_the_span_that_it_was_written_in() -> None:
    record = Record(
        attributes={},
        event_name="gen_ai.user.message",
        body={"content": "hello"},
        trace_id=TRACE.bytes,
        span_id=b"\x02" * 8,
    )
    once, again = told(logs(record, record), signal=Signal.LOGS)
    assert (once.trace_id, once.span_id, once.kind) == (TRACE.hex, SPAN, "input")
    assert once.part_id == again.part_id != 0


def test_of_other_spans_only_what_tools_were_given_is_kept() -> None:
    attributes = {"gen_ai.tool.call.arguments": '{"to": "ann@x.org"}', "input.value": "long story"}
    (one,) = told(request(call(attributes=attributes | {"gen_ai.operation.name": "execute_tool"})))
    assert one.kind == "tools"
    assert "[email]" in one.body


def test_a_long_prompt_is_cut_and_says_so() -> None:
    (one,) = told(request(call(attributes={"gen_ai.prompt": "ab " * 100_000})))
    assert one.cut
    assert len(one.body) < LARGEST_PART + 100
    # What lies on the edge is gone, not halved.
    edge = "x" * (LARGEST_PART - 5) + " 4111 1111 1111 1111 " + "y " * 5_000
    (one,) = told(request(call(attributes={"gen_ai.prompt": edge})))
    assert "4111" not in one.body


def test_content_is_of_the_teams_and_services_that_were_named() -> None:
    span = request(call(attributes={**ASKED, "team": "search"}), resource={"service.name": "api"})
    assert told(span, terms=ContentTerms(True, teams=("search",)))
    assert not told(span, terms=ContentTerms(True, teams=("shop",)))
    assert told(span, terms=ContentTerms(True, services=("api",)))
    assert not told(span, terms=ContentTerms(True, services=("web",)))


def test_own_patterns_are_taken_out() -> None:
    (one,) = told(
        request(call(attributes={"gen_ai.prompt": "case ACME-12345 of today"})),
        terms=ContentTerms(True, patterns=(r"ACME-\d+",)),
    )
    assert json.loads(one.body) == [["gen_ai.prompt", "case [redacted] of today"]]


def test_content_goes_through_the_spool() -> None:
    what = heard(request(call(attributes=ASKED)), request(call(span_id=b"\x03" * 8)))
    again = decode(encode(what, RECEIVED)).heard
    assert [list(part.contents) for part in again.parts] == [
        list(part.contents) for part in what.parts
    ]


def test_content_sent_twice_is_kept_once(database: Database) -> None:
    switch(database, ON)
    put(database, heard(request(call(attributes=ASKED))))
    put(database, heard(request(call(attributes=ASKED))))
    (one,) = kept(database)
    assert "[email]" in one.body


def test_what_is_on_its_way_when_it_is_switched_off_is_not_kept(database: Database) -> None:
    switch(database, ON)
    on_its_way = heard(request(call(attributes=ASKED)))
    switch(database, OFF)
    put(database, on_its_way)
    assert kept(database) == []


@pytest.mark.parametrize(
    ("stricter", "left"),
    [({"teams": ("a",)}, 0), ({"patterns": ("wri",)}, 0), ({"ips": True}, 0), ({"days": 3}, 1)],
)
def test_what_waited_in_the_spool_is_not_kept_by_terms_that_are_over(
    database: Database, stricter: dict[str, Any], left: int
) -> None:
    switch(database, ON)
    spooled = encode(heard(request(call(attributes=ASKED))), RECEIVED)
    switch(database, replace(ON, **stricter))
    put(database, decode(spooled).heard)
    assert len(kept(database)) == left


def test_nothing_is_kept_of_what_was_said_in_a_call_that_is_refused(database: Database) -> None:
    switch(database, ON)
    with database.write() as session:
        retention.take_from(session, TENANT, RECEIVED.date() + timedelta(days=1))
    put(database, heard(request(call(attributes=ASKED))))
    assert kept(database) == []


def test_content_is_gone_when_its_days_are_over(database: Database) -> None:
    switch(database, ContentTerms(on=True, days=2))
    put(database, heard(request(call(attributes=ASKED))))
    forget(database)
    assert len(kept(database)) == 1  # of yesterday: the second day
    forget(database, days=1)
    assert kept(database) == []


def test_switching_it_off_forgets_what_there_is(database: Database) -> None:
    switch(database, ON)
    put(database, heard(request(call(attributes=ASKED))))
    with database.read() as session:
        assert held(session, TENANT).parts == 1
    switch(database, OFF)
    forget(database)
    assert kept(database) == []


def test_of_a_day_long_over_the_partition_is_dropped(database: Database) -> None:
    switch(database, ContentTerms(on=True, days=30))
    put(database, heard(request(call(attributes=ASKED))))
    with database.write() as session:
        session.execute(text("CREATE TABLE contents_2026_10_01 (LIKE contents INCLUDING ALL)"))
        session.execute(
            text(
                "ALTER TABLE contents ATTACH PARTITION contents_2026_10_01"
                " FOR VALUES FROM ('2026-10-01') TO ('2026-10-02')"
            )
        )
    forget(database)
    with database.read() as session:
        assert session.scalar(text("SELECT to_regclass('contents_2026_10_01')")) is None
    assert len(kept(database)) == 1


def test_content_that_postgres_cannot_hold_costs_no_call(database: Database) -> None:
    switch(database, ON)
    what = heard(request(call(attributes=ASKED)))
    (part,) = what.parts
    (one,) = part.contents
    object.__setattr__(one, "body", "a\0b")
    put(database, what)
    with database.read() as session:
        assert session.scalar(text("SELECT count(*) FROM sightings")) == 1
    assert kept(database) == []


def test_terms_stay_as_they_were_said(database: Database) -> None:
    terms = content_terms(on=True, days=3, kinds=["output"], patterns=["x+y"], teams=["search"])
    switch(database, terms)
    with database.read() as session:
        assert policy_of(session, TENANT).terms == terms


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"days": 0}, "days"),
        ({"days": 31}, "days"),
        ({"kinds": ["prompts"]}, "kinds"),
        ({"patterns": ["x" * 201]}, "patterns"),
        ({"patterns": ["("]}, "patterns"),
        ({"patterns": [r"(a)\1"]}, "patterns"),
        ({"patterns": ["a*"]}, "patterns"),
        ({"patterns": ["(a{1000}){1000}"]}, "patterns"),
        ({"teams": ["\u200b"]}, "teams"),
    ],
)
def test_terms_that_make_no_sense_are_refused(said: dict[str, Any], field: str) -> None:
    with pytest.raises(TermsRefused) as refused:
        check_patterns(content_terms(on=True, **said).patterns)
    assert refused.value.field == field
