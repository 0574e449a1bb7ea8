"""What a gateway answers out of its own cache is a call that no provider charged for."""

import pytest
from sighted import NOON, hear
from spans import call, heard, only, request
from sqlalchemy import select

from jobs import roll
from jobs.context import JobContext
from spend.calls import Sighting
from store.postgres.sessions import Database
from store.tables.rollups import cells

CACHED = {
    "gen_ai.usage.input_tokens": 1000,
    "gen_ai.usage.cache_read.input_tokens": 400,
    "gen_ai.usage.output_tokens": 50,
    "kong.gen_ai.cache.status": "hit",
}


def understood(**changes: object) -> Sighting:
    return only(heard(request(call(attributes={**CACHED, **changes}))))


def test_its_meters_are_zero_and_what_was_saved_is_told() -> None:
    one = understood()
    assert one.usage == {"input": 0, "cache_read": 0, "output": 0}
    assert (one.details["saved_input"], one.details["saved_output"]) == (1000, 50)
    assert one.details["cache_hit"]


@pytest.mark.parametrize("status", ["miss", "bypass", "refresh", ""])
def test_what_was_asked_of_the_provider_is_charged(status: str) -> None:
    one = understood(**{"kong.gen_ai.cache.status": status})
    assert one.usage == {"input": 600, "cache_read": 400, "output": 50}
    assert "saved_input" not in one.details


def test_it_is_a_call_and_none_without_usage(database: Database) -> None:
    hear(database, [understood()])
    roll.run(JobContext(database, now=NOON.replace(year=2027), by_hand=True))
    with database.read() as session:
        (cell,) = session.execute(select(cells))
    assert (cell.calls, cell.unmetered_calls, cell.input, cell.output) == (1, 0, 0, 0)
