"""Why sightings are one call can be asked, and counted."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from filled_ledger import asking
from observed import BESIDE, CLI, CLI_LOG, CLIENT, FRAMEWORK
from sighted import NOON, OTEL, hear, sighting

from jobs import roll
from jobs.context import JobContext
from spend.calls import Owner, Role
from spend.twins.kin import session_kin
from store.postgres.sessions import Database

pytestmark = pytest.mark.one_server

KIN = session_kin("search-api", "one-session")
LATER = NOON + timedelta(minutes=1)


def evidence(database: Database, **params: Any) -> dict[str, Any]:
    asked = {"from": "2026-10-14", "to": "2026-10-15"} | params
    answer = asking(database).get("/v1/calls/evidence", params=asked)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def fill(database: Database) -> None:
    other_usage: dict[str, Any] = {"usage": {"input": 300, "output": 50}}
    platform = {"owner": Owner(team="platform", service="other-api"), "start_at": LATER}
    hear(
        database,
        [
            sighting(1, 1, emitter=OTEL, response_id="chatcmpl-000000001"),
            sighting(2, 1, emitter=BESIDE, response_id="chatcmpl-000000001", **other_usage),
            sighting(3, 1, emitter=FRAMEWORK, **platform),
            sighting(4, 1, emitter=CLIENT, **platform),
            sighting(5, 1, emitter=CLI, kin_id=KIN, start_at=NOON + timedelta(hours=1)),
            sighting(6, 1, emitter=CLI_LOG, kin_id=KIN, start_at=NOON + timedelta(hours=1)),
            sighting(7, 1),
        ],
    )
    roll.run(JobContext(database, now=NOON + timedelta(hours=9), by_hand=True))


def test_joined_calls_are_counted_by_the_evidence(database: Database) -> None:
    fill(database)
    body = evidence(database)
    assert body["joined_calls"] == 3
    assert {rule["rule"]: (rule["calls"], rule["sightings"]) for rule in body["rules"]} == {
        "response id": (1, 1),
        "one service, usage and time": (1, 1),
        "one session, prompt and time": (1, 1),
    }
    assert (body["from"], body["to"]) == ("2026-10-14", "2026-10-15")


def test_who_contradicts_whom_is_named_with_the_version(database: Database) -> None:
    fill(database)
    assert evidence(database)["contradicted"] == [
        {"scope": one.scope, "version": one.version, "signal": "span", "calls": 1}
        for one in sorted((OTEL, BESIDE), key=lambda one: one.scope)
    ]


def test_what_one_sighting_alone_tells_is_joined_of_none(database: Database) -> None:
    hear(database, [sighting(1, 1, role=Role.AGGREGATE)])
    roll.run(JobContext(database, now=NOON + timedelta(hours=9), by_hand=True))
    body = evidence(database)
    assert body["joined_calls"] == 0
    assert body["rules"] == [{"rule": "no call with usage beneath", "calls": 1, "sightings": 1}]


def test_a_call_whose_server_began_the_day_before_is_counted(database: Database) -> None:
    midnight = NOON.replace(hour=0)
    server: dict[str, Any] = {"role": Role.SERVER, "start_at": midnight - timedelta(seconds=1)}
    answer = "chatcmpl-000000001"
    hear(
        database,
        [
            sighting(1, 1, emitter=OTEL, response_id=answer, start_at=midnight),
            sighting(1, 2, emitter=BESIDE, response_id=answer, **server),
        ],
    )
    roll.run(JobContext(database, now=NOON + timedelta(hours=9), by_hand=True))
    assert evidence(database)["joined_calls"] == 1


def test_evidence_can_be_asked_of_a_part(database: Database) -> None:
    fill(database)
    assert evidence(database, team="platform")["joined_calls"] == 1
    assert evidence(database, to="2026-10-14T12:00:30Z")["joined_calls"] == 1
    assert evidence(database, **{"from": "2026-10-15", "to": "2026-10-16"})["rules"] == []


def test_the_evidence_of_more_than_a_month_is_not_counted(database: Database) -> None:
    answer = asking(database).get(
        "/v1/calls/evidence", params={"from": "2026-01-01", "to": "2026-03-01"}
    )
    assert answer.status_code == 422
    assert answer.json()["field"] == "to"


@pytest.mark.parametrize("emitter", [CLIENT, replace(OTEL, signal="log")])
def test_a_call_names_the_evidence_of_each_sighting(database: Database, emitter: Any) -> None:
    hear(database, [sighting(1, 1), sighting(1, 2, emitter=emitter, parent_span_id=1)])
    roll.run(JobContext(database, now=NOON + timedelta(hours=9), by_hand=True))
    call = asking(database).get(f"/v1/calls/{1:032x}/{2:016x}").json()
    assert sorted(one["evidence"] for one in call["sightings"]) == ["first sighting", "nested"]
