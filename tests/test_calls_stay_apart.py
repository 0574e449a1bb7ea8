"""The guards that keep real calls apart, each where nothing else would: ids, seers, tenants."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from observed import BESIDE, CLI, CLI_LOG, CLIENT, FRAMEWORK, GATEWAY
from sighted import NOON, hear, sighting

from spend.calls import Outcome, Owner, Role, Sighting
from spend.twins.twins import settle
from store.intake.batches import days_of
from store.postgres.sessions import Database
from store.twins import suspects, twins

USED = {"input": 600, "output": 50}
MOMENT = timedelta(milliseconds=1)


def members(*sightings: Sighting) -> list[set[int]]:
    calls = settle(sightings).joined
    return sorted(({one.span_id for one in call.members} for call in calls), key=min)


def test_what_is_like_both_does_not_make_one_call_of_two_answers() -> None:
    one = sighting(1, 1, emitter=FRAMEWORK, usage=USED, response_id="chatcmpl-000000001")
    bridge = sighting(2, 2, emitter=BESIDE, usage=USED)
    other = sighting(3, 3, emitter=CLIENT, usage=USED, response_id="chatcmpl-000000002")
    assert len(members(one, bridge, other)) == 1
    assert len(members(one, bridge, other)[0]) == 2


def test_two_calls_that_one_saw_are_not_one_through_what_others_saw() -> None:
    """Each is seen by one more, and these two are alike."""
    short: dict[str, Any] = {"start_at": NOON + MOMENT, "duration_us": 990_000}
    long = {**short, "duration_us": 1_090_000}
    assert members(
        sighting(1, 1, emitter=FRAMEWORK, usage=USED),
        sighting(2, 2, emitter=FRAMEWORK, usage=USED, duration_us=1_100_000),
        sighting(3, 3, emitter=CLIENT, usage=USED, **short),
        sighting(4, 4, emitter=BESIDE, usage=USED, **long),
    ) == [{1, 3}, {2, 4}]


def test_a_failure_that_was_billed_as_much_as_its_retry_is_the_call_that_failed() -> None:
    wrapper = sighting(1, 1, emitter=FRAMEWORK, usage=USED, duration_us=5_000_000)
    beneath: dict[str, Any] = {"emitter": CLIENT, "parent_span_id": 1, "usage": USED}
    broke = sighting(1, 2, outcome=Outcome.ERROR, **beneath)
    again = sighting(1, 3, start_at=NOON + timedelta(seconds=2), **beneath)
    assert members(wrapper, broke, again) == [{1, 3}]


def test_a_failure_of_a_gateway_that_was_not_seen_to_ask_again_is_a_failure() -> None:
    wrapper = sighting(1, 1, emitter=FRAMEWORK, usage=USED)
    client = sighting(1, 2, emitter=CLIENT, parent_span_id=1, usage=USED)
    failed = sighting(
        1, 3, emitter=GATEWAY, role=Role.SERVER, parent_span_id=77, usage={},
        outcome=Outcome.SERVER_ERROR, owner=Owner("platform", service="gateway"),
    )  # fmt: skip
    settlement = settle([wrapper, client, failed])
    assert not settlement.held
    assert members(wrapper, client, failed) == [{1, 2}]


FAILED: dict[str, Any] = {"usage": {}, "outcome": Outcome.RATE_LIMITED}
LINKS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "one id": ({"response_id": "chatcmpl-000000001"}, {"response_id": "chatcmpl-000000001"}),
    "one trace": ({"parent_span_id": 2}, {}),
    "alike": ({"emitter": FRAMEWORK}, {"emitter": CLIENT}),
    "kin": ({"emitter": CLI, "kin_id": 7}, {"emitter": CLI_LOG, "kin_id": 7}),
    "failed": ({"emitter": FRAMEWORK, **FAILED}, {"emitter": CLIENT, **FAILED}),
}


@pytest.mark.parametrize("link", LINKS)
def test_no_search_for_what_is_linked_looks_at_another_tenant(
    database: Database, link: str
) -> None:
    """Each search by itself: none leans on another that would leave the others' calls out."""
    ours, theirs = (replace(sighting(1, 1), **changes) for changes in LINKS[link])
    beside = replace(theirs, span_id=2, trace_id=ours.trace_id)
    apart = replace(theirs, span_id=3, trace_id=sighting(3).trace_id)
    other = beside if link == "one trace" else apart
    hear(database, [ours])
    # Two emitters tell of our service, so that likeness is asked for.
    later = {"start_at": NOON + timedelta(hours=1), "usage": {"input": 1}}
    for at, emitter in enumerate((FRAMEWORK, CLIENT), start=50):
        hear(database, [sighting(at, at, emitter=emitter, **later)])
    hear(database, [beside, apart], tenant=2)
    with database.write() as session:
        batches = [1, 2, 3, 4]
        days = days_of(session, 1, batches)
        assert days is not None
        assert ours.trace_id not in suspects.suspect_traces(session, 1, batches, days)
        assert suspects.linked_traces(session, 1, {ours.trace_id}) == {ours.trace_id}
        loaded = twins.as_heard(session, 1, {ours.trace_id, other.trace_id})
        assert [one.sighting.span_id for one in loaded] == [1]
