"""A message arrives: once, unless a sender dies; and if Slack is down, later."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Thread

import pytest
from budgeted import NOW, budget, change, charge, evaluate, send, settings
from serving import eventually
from slack_stand_in import Behaviour, StandIn, answer, close_in_the_body, slack_stand_in
from sqlalchemy import Row, select, text, update

from jobs.context import JobContext
from jobs.delivery import destinations, send_alerts
from jobs.delivery.deliver import LEASE
from jobs.delivery.destinations import Answer
from jobs.delivery.places import places
from jobs.delivery.slack_webhook import what_it_said
from jobs.delivery.verdicts import ATTEMPTS, wait_after
from store.channels import outbox
from store.postgres.sessions import Database
from store.tables import budgets as tables
from store.tenants import TENANT

pytestmark = pytest.mark.one_server


@pytest.fixture
def slack() -> Iterator[StandIn]:
    with slack_stand_in() as stand_in:
        yield stand_in


@pytest.fixture
def crossing(database: Database) -> Database:
    """A database with one message that waits."""
    budget(database, thresholds=[100])
    charge(database, "100")
    evaluate(database)
    return database


def rows(database: Database) -> list[Row[tuple[object, ...]]]:
    with database.read() as session:
        return list(session.execute(select(tables.outbox).order_by(tables.outbox.c.id)))


def row(database: Database) -> Row[tuple[object, ...]]:
    [only] = rows(database)
    return only


def test_one_crossing_is_one_message(crossing: Database, slack: StandIn) -> None:
    for _ in range(3):
        evaluate(crossing)
        send(crossing, slack.url)
    [text] = slack.texts
    assert text == (
        "100 % of budget search is spent: 100.00 of 100.00 USD in month 2026-11, 2026-11-01 to"
        " 2026-11-30 (UTC), noticed 2026-11-15 12:00 UTC. Threshold 100 %. Alert 1."
    )
    assert slack.headers[0]["content-type"] == "application/json; charset=utf-8"
    assert row(crossing).status == "sent"


def test_eight_senders_at_a_time_send_each_message_once(database: Database, slack: StandIn) -> None:
    budget(database, thresholds=list(range(1, 11)))
    charge(database, "100")
    evaluate(database)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: send(database, slack.url), range(8)))
    assert len(slack.texts) == len(set(slack.texts)) == 10
    assert {each.status for each in rows(database)} == {"sent"}


def test_who_finds_another_claiming_goes_on_after_him(crossing: Database, slack: StandIn) -> None:
    """Both could leave, each for the other, and the rest would wait for the next run."""
    with crossing.write() as other:
        [place] = places(other, TENANT, outbox.due(other, TENANT, NOW), settings(slack.url)).there
        outbox.claim_alone(other, TENANT, place.id)
        sender = Thread(target=send, args=(crossing, slack.url))
        sender.start()
        eventually(lambda: not sender.is_alive() or _waits(crossing), "the sender waits")
    sender.join()
    assert row(crossing).status == "sent"


def _waits(database: Database) -> bool:
    waiting = text(
        "SELECT count(*) FROM pg_locks WHERE NOT granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    with database.read() as session:
        return bool(session.scalar(waiting))


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(answer(500), id="500"),
        pytest.param(answer(503, b"rollup_error"), id="503"),
        pytest.param(answer(200, b"rollup_error"), id="200-rollup-error"),
        pytest.param(answer(408), id="408"),
        pytest.param(close_in_the_body, id="closed in the body"),
    ],
)
def test_a_failure_that_passes_is_tried_again(
    crossing: Database, slack: StandIn, trouble: Behaviour
) -> None:
    slack.script = [trouble, trouble]
    send(crossing, slack.url)
    send(crossing, slack.url)  # not due yet: by hand or not, Slack is given its rest
    assert (row(crossing).status, row(crossing).attempts) == ("pending", 1)
    assert row(crossing).last_error
    send(crossing, slack.url, NOW + timedelta(seconds=20))
    send(crossing, slack.url, NOW + timedelta(seconds=60))
    assert (row(crossing).status, row(crossing).attempts) == ("sent", 3)
    assert row(crossing).last_error is None


@pytest.mark.parametrize("behaviour", ["hang", "drip"])
def test_a_webhook_that_does_not_end_its_answer_is_left_in_time(
    crossing: Database, slack: StandIn, behaviour: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slack.script = [getattr(slack, behaviour)]
    with monkeypatch.context() as hurried:
        hurried.setattr(destinations, "TIMEOUT", 0.3)
        send(crossing, slack.url)
    # On a busy machine it may have been given up before it was asked.
    slack.script.clear()
    assert row(crossing).last_error == "no whole answer within 0.3 s"
    assert row(crossing).leased_to is None
    send(crossing, slack.url, NOW + timedelta(seconds=20))
    assert row(crossing).status == "sent"


def test_slack_is_left_alone_for_as_long_as_it_asks(database: Database, slack: StandIn) -> None:
    budget(database)
    charge(database, "100")
    evaluate(database)
    slack.script = [answer(429, b"rate_limited", {"Retry-After": "30"})]
    send(database, slack.url)
    for seconds in (0, 15, 29):
        send(database, slack.url, NOW + timedelta(seconds=seconds))
    assert len(slack.messages) == 1, "its other message rests as well"
    send(database, slack.url, NOW + timedelta(seconds=45))
    assert len(slack.messages) == 3
    assert {each.status for each in rows(database)} == {"sent"}


@pytest.mark.parametrize(
    "refusal",
    [
        (400, b"invalid_payload"),
        (403, b"action_prohibited"),
        (404, b"channel_not_found"),
        (410, b"channel_is_archived"),
        (200, b"no_service"),
        (302, b""),
    ],
)
def test_what_can_never_succeed_is_dead_and_not_tried_again(
    crossing: Database, slack: StandIn, refusal: tuple[int, bytes]
) -> None:
    status, body = refusal
    slack.script = [answer(status, body, {"Location": f"{slack.url}/elsewhere"})]
    for days in range(3):
        send(crossing, slack.url, NOW + timedelta(days=days))
    assert len(slack.messages) == 1
    assert row(crossing).status == "dead"
    assert f"answered {status}" in row(crossing).last_error
    assert "/services/" not in row(crossing).last_error


def test_after_a_day_of_trying_it_is_dead(crossing: Database, slack: StandIn) -> None:
    with crossing.write() as session:
        session.execute(update(tables.outbox).values(attempts=ATTEMPTS - 1))
    slack.script = [answer(500)]
    send(crossing, slack.url)
    assert row(crossing).status == "dead"
    assert row(crossing).last_error == f"given up after {ATTEMPTS} attempts: answered 500"
    waits = [wait_after(attempt, 1) for attempt in range(1, ATTEMPTS)]
    assert waits[0] == timedelta(seconds=5)
    assert max(waits) == timedelta(minutes=15)
    assert timedelta(hours=24) <= sum(waits, timedelta()) < timedelta(hours=24, minutes=15)


def test_without_a_webhook_it_waits_and_goes_out_when_one_is_set(
    crossing: Database, slack: StandIn
) -> None:
    done = send(crossing)
    assert "1 wait for a place to go to" in done.note
    assert (row(crossing).status, row(crossing).attempts) == ("pending", 0)
    assert row(crossing).last_error == "no channel takes it, and no Slack webhook is set"
    send(crossing, slack.url, NOW + timedelta(days=3))
    assert row(crossing).status == "sent"


def test_a_budgets_own_webhook_is_used_as_it_is_when_it_is_sent(
    database: Database, slack: StandIn
) -> None:
    with slack_stand_in() as other:
        first = budget(database, thresholds=[100], webhook_url="https://example.com/wrong")
        charge(database, "100")
        evaluate(database)
        change(database, first, thresholds=[100], webhook_url=other.url)
        send(database, slack.url)
        assert len(other.messages) == 1
    assert slack.messages == []


def test_a_dead_webhook_does_not_hold_up_the_others(database: Database, slack: StandIn) -> None:
    with slack_stand_in() as broken:
        broken.script = [answer(500)] * 10
        budget(database, name="a", thresholds=[1, 2, 3, 4], webhook_url=broken.url)
        budget(database, name="b", webhook_url=slack.url)
        charge(database, "100")
        evaluate(database)
        send(database)
        assert len(broken.messages) == 1, "asked once in a round"
    assert len(slack.messages) == 2


def test_a_sender_that_died_is_taken_over_when_its_lease_ends(
    crossing: Database, slack: StandIn
) -> None:
    with crossing.write() as session:
        dead = outbox.claim(
            session,
            TENANT,
            ("default",),
            "slack",
            now=NOW,
            lease=LEASE,
            singly=10,
            at_most=40,
        )
    assert [each.attempts for each in dead] == [1]
    send(crossing, slack.url, NOW + LEASE / 2)
    assert slack.messages == []
    send(crossing, slack.url, NOW + LEASE)
    assert len(slack.messages) == 1
    assert "Sent again: nobody knows" in str(slack.messages[0]["blocks"])
    with crossing.write() as session:
        assert outbox.mark_failed(session, TENANT, dead, "too late", NOW) == 0, "fenced"
    assert row(crossing).status == "sent"


def test_a_destination_inside_is_refused_and_sent_when_that_is_allowed(
    crossing: Database, slack: StandIn
) -> None:
    strict = replace(settings(slack.url), allow_private_destinations=False)
    send_alerts.run(JobContext(crossing, NOW, strict))
    assert slack.messages == []
    assert row(crossing).last_error == (
        "the destination is refused: the URL must begin with https://"
    )
    send(crossing, slack.url, NOW + timedelta(minutes=1))
    assert len(slack.messages) == 1


def test_a_large_answer_is_not_read_to_its_end(crossing: Database, slack: StandIn) -> None:
    slack.script = [answer(200, b"x" * 10_000_000)]
    send(crossing, slack.url)
    assert row(crossing).status == "sent"


def test_of_slack_only_ok_is_good_and_of_others_any_2xx() -> None:
    def outcome(status: int, body: bytes = b"", *, slack: bool = False) -> str:
        return what_it_said(Answer(status, None, body), slack=slack, now=NOW).outcome

    assert outcome(200, b"ok\n", slack=True) == "sent"
    assert outcome(200, b"<html>proxy</html>", slack=True) == "later"
    assert outcome(200, b"", slack=True) == "later"
    assert outcome(200) == outcome(204) == outcome(202, b"queued") == "sent"
    assert outcome(200, b"invalid_token") == "never"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("30", 30),
        ("0", 0),
        ("999999999", 3600),
        ("Sun, 15 Nov 2026 12:01:00 GMT", 60),
        ("Sun, 15 Nov 2020 12:01:00 GMT", 0),
        ("soon", None),
        ("-5", None),
        ("²", None),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", None),
        ("Mon, 01 Jan 2027 00:00:00 +99999999999999999999", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_within_reason(header: str, seconds: int | None) -> None:
    wait = what_it_said(Answer(429, header, b""), slack=True, now=NOW).wait
    assert wait == (None if seconds is None else timedelta(seconds=seconds))
