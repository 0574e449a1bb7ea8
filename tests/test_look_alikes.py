"""What nothing joins but likeness: one of two programs, customers or moments is another call."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from observed import CLIENT, FRAMEWORK
from sighted import GPT, NOON, SEARCH, hear, sighting
from sqlalchemy import func, select

from jobs import roll
from jobs.context import JobContext
from spend.calls import Sighting
from spend.twins.twins import MOST_SIGHTED, settle
from store.postgres.sessions import Database
from store.tables.rollups import cells

USED = {"input": 600, "output": 50}
ONE = {"owner": replace(SEARCH, environment="prod", feature="ask", customer="acme")}


def joined(*sightings: Sighting) -> int:
    return len(settle(sightings).joined)


@pytest.mark.parametrize(
    "other",
    [
        {"owner": replace(SEARCH, environment="staging")},
        {"owner": replace(SEARCH, feature="sum-up")},
        {"owner": replace(SEARCH, customer="globex")},
    ],
    ids=str,
)
def test_what_claims_another_environment_feature_or_customer_is_another_call(
    other: dict[str, Any],
) -> None:
    wrapper = sighting(1, 1, emitter=FRAMEWORK, usage=USED, **ONE)
    assert joined(wrapper, sighting(2, 2, emitter=CLIENT, usage=USED, **other)) == 0
    # One that claims nothing of it may be the same.
    assert joined(wrapper, sighting(2, 2, emitter=CLIENT, usage=USED)) == 1


def test_what_asked_another_server_is_another_call() -> None:
    ours, theirs = (
        replace(GPT, server=server) for server in ("api.openai.com", "eu.api.openai.com")
    )
    wrapper = sighting(1, 1, emitter=FRAMEWORK, usage=USED, route=ours)
    assert joined(wrapper, sighting(2, 2, emitter=CLIENT, usage=USED, route=theirs)) == 0
    assert joined(wrapper, sighting(2, 2, emitter=CLIENT, usage=USED)) == 1


def test_what_shares_only_its_answers_length_has_to_begin_and_end_together() -> None:
    stream = sighting(1, 1, emitter=FRAMEWORK, usage={"output": 50}, duration_us=20_000_000)

    def client(late: int) -> Sighting:
        start = NOON + timedelta(milliseconds=late)
        took = 20_000_000 - late * 1000 - 1000
        return sighting(2, 2, emitter=CLIENT, usage=USED, start_at=start, duration_us=took)

    assert joined(stream, client(5)) == 1
    assert joined(stream, client(900)) == 0


def test_answers_of_no_length_are_not_alike_for_that() -> None:
    silent = sighting(1, 1, emitter=FRAMEWORK, usage={"output": 0})
    assert joined(silent, sighting(2, 2, emitter=CLIENT, usage={"input": 600, "output": 0})) == 0


def test_an_id_that_a_stand_in_gives_all_answers_does_not_part_look_alikes(
    database: Database,
) -> None:
    """Whatever came first: a framework and its client tell of one call, with an id or without."""
    count = MOST_SIGHTED
    for at in range(count):
        moment = NOON + timedelta(seconds=20 * at)
        same: dict[str, Any] = {"usage": USED, "start_at": moment, "response_id": "chatcmpl-00001"}
        hear(database, [sighting(1000 + at, 1, emitter=FRAMEWORK, **same)])
        hear(database, [sighting(2000 + at, 2, emitter=CLIENT, **same)])
    roll.run(JobContext(database, now=NOON + timedelta(hours=9), by_hand=True))
    with database.read() as session:
        assert session.scalar(select(func.sum(cells.c.calls))) == count
