"""A failure stands beside the successes of its model."""

from dataclasses import replace
from typing import Any

import pytest
from sighted import GPT, NOON, hear, sighting
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import ApiSettings
from jobs import roll
from jobs.charging import charge
from jobs.context import JobContext
from spend.calls import Outcome, Route
from store.postgres.sessions import Database

pytestmark = pytest.mark.one_server

ASKED = replace(GPT, model="gpt-4o", request_model="gpt-4o")
ANSWERED = replace(GPT, model="gpt-4o-2024-08-06", request_model="gpt-4o")
NEWER = replace(GPT, model="gpt-4o-2024-11-20", request_model="gpt-4o")


def rows(database: Database, routes: list[Route], **asked: str) -> dict[Any, tuple[int, int]]:
    for number, route in enumerate(routes, 1):
        failed = route is ASKED
        outcome = Outcome.RATE_LIMITED if failed else Outcome.OK
        usage = {} if failed else {"input": 10, "output": 1}
        call = sighting(number, number, route=route, outcome=outcome, usage=usage)
        hear(database, [call])
    context = JobContext(database, now=NOON, by_hand=True)
    roll.run(context)
    charge.run(context)
    with TestClient(create_app(database, ApiSettings(), lambda: NOON)) as client:
        period = {"from": "2026-10-01", "to": "2026-11-01"}
        answer = client.get("/v1/spend", params={**period, "group_by": "model", **asked}).json()
    return {row["model"]: (row["calls"], row["errors"]) for row in answer["rows"]}


def test_a_failure_is_shown_under_the_model_that_answers_to_its_name(database: Database) -> None:
    assert rows(database, [ASKED, ANSWERED, ANSWERED]) == {"gpt-4o-2024-08-06": (3, 1)}


def test_where_two_models_answer_to_a_name_it_stays_the_name(database: Database) -> None:
    assert rows(database, [ASKED, ANSWERED, NEWER])["gpt-4o"] == (1, 1)


def test_a_filter_finds_what_is_shown(database: Database) -> None:
    found = rows(database, [ASKED, ANSWERED], model="gpt-4o-2024-08-06")
    assert found == {"gpt-4o-2024-08-06": (2, 1)}


def test_an_ordinary_route_is_shown_as_it_is(database: Database) -> None:
    assert rows(database, [GPT]) == {"gpt-4o": (1, 0)}
