"""Many places at a time: one that hangs, floods or is dead harms no other, and is told of."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from budgeted import NOW, budget, change, charge, evaluate, settings
from mail_stand_in import mail_stand_in
from serving import eventually
from slack_stand_in import StandIn, answer, close_in_the_body, slack_stand_in
from sqlalchemy import Row, select, update

from jobs.context import Done, JobContext, JobSettings
from jobs.delivery import deliver, destinations, send_alerts
from spend.channels.channels import Channel, ChannelSecret, channel_terms
from spend.channels.notices import Notice
from store.access.secrets import Seal
from store.channels import channels, notify, outbox
from store.postgres.sessions import Database
from store.tables.alerting import channels as channel_rows
from store.tables.budgets import outbox as messages
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

PEPPER = b"a pepper of tests"


@pytest.fixture
def slack() -> Iterator[StandIn]:
    with slack_stand_in() as stand_in:
        yield stand_in


def channel(
    database: Database, url: str, name: str = "finance", kind: str = "slack-webhook", **more: Any
) -> Channel:
    terms = channel_terms(name=name, kind=kind, **more)
    secret = ChannelSecret(url) if url else None
    with database.write() as session:
        return channels.create(session, TENANT, terms, secret, seal=Seal(PEPPER), now=NOW)


def known(webhook: str | None = None, **more: Any) -> JobSettings:
    return replace(settings(webhook), key_pepper=PEPPER, **more)


def send(database: Database, webhook: str | None = None, seconds: float = 0, **more: Any) -> Done:
    now = NOW + timedelta(seconds=seconds)
    return send_alerts.run(JobContext(database, now, known(webhook, **more)))


def rows(database: Database) -> list[Row[Any]]:
    with database.read() as session:
        return list(session.execute(select(messages).order_by(messages.c.id)))


def tell(database: Database, count: int, *to: Channel) -> None:
    with database.write() as session:
        for number in range(count):
            notice = Notice("actual", "warning", f"title {number}", f"summary {number}")
            ids = [each.id for each in to]
            notify.tell(session, TENANT, notice, key=f"k{number}", channel_ids=ids, now=NOW)


def statuses(database: Database) -> set[str]:
    return {row.status for row in rows(database)}


def test_a_place_that_hangs_does_not_hold_up_the_others(
    database: Database, slack: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Longer than a busy machine takes for the other place: the test says when it ends.
    monkeypatch.setattr(destinations, "TIMEOUT", 30)
    with slack_stand_in() as hanging:
        hanging.script = [hanging.hang] * 5
        tell(database, 5, channel(database, hanging.url, "a"), channel(database, slack.url, "b"))
        with ThreadPoolExecutor(1) as one:
            running = one.submit(send, database)
            eventually(lambda: len(slack.messages) == 5, "the other place has all")
            assert not running.done(), "the first one still hangs"
            hanging.closing.set()
    assert [row.status for row in rows(database)].count("sent") == 5
    assert len(hanging.bodies) == 1


def test_a_flood_is_one_message_that_names_each(database: Database, slack: StandIn) -> None:
    budget(database, thresholds=list(range(1, 21)))
    charge(database, "100")
    evaluate(database)
    send(database, slack.url)
    [message] = slack.messages
    lines = [each["text"]["text"] for each in message["blocks"] if each["type"] == "section"]
    told = [(row.body["data"]["threshold"], row.crossing_id) for row in rows(database)]
    assert len(told) == 20
    for (threshold, alert), line in zip(told, lines, strict=True):
        assert line.endswith(f"· threshold {threshold} % · alert {alert}")
    assert statuses(database) == {"sent"}


def test_a_flood_that_fails_is_tried_again_and_then_shown_once(
    database: Database, slack: StandIn
) -> None:
    tell(database, 45)
    slack.script = [answer(500)]
    send(database, slack.url)
    assert {row.attempts for row in rows(database)} == {0, 1}
    send(database, slack.url, 20)
    assert len(slack.messages) == 3 + 4, "40 failed, then 40 together, then 5 singly"
    assert statuses(database) == {"sent"}


def test_a_flood_that_may_have_arrived_is_sent_again_as_it_was(
    database: Database, slack: StandIn
) -> None:
    there = channel(database, slack.url, kind="webhook")
    tell(database, 12, there)
    slack.script = [close_in_the_body]
    send(database)
    with database.write() as session:
        more = Notice("actual", "warning", "one more", "one more")
        notify.tell(session, TENANT, more, key="m", channel_ids=[there.id], now=NOW)
    send(database, seconds=20)
    ids = [headers["webhook-id"] for headers in slack.headers]
    assert ids[0] == ids[1] != ids[2]
    assert slack.messages[0] == slack.messages[1]
    assert statuses(database) == {"sent"}


def test_senders_keep_to_a_message_a_second_after_the_first_few(
    database: Database, slack: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    # Its own, and not everybody's.
    own = SimpleNamespace(sleep=waited.append, monotonic=time.monotonic)
    monkeypatch.setattr(deliver, "time", own)
    tell(database, 5, channel(database, slack.url))
    send(database, message_gap=1.0)
    assert len(slack.messages) == 5
    assert waited == [1.0, 1.0]


def test_one_webhook_that_is_set_twice_is_one_place(database: Database, slack: StandIn) -> None:
    tell(database, 2, channel(database, slack.url, "a"), channel(database, slack.url, "b"))
    slack.script = [answer(429, b"", {"Retry-After": "30"})]
    send(database)
    send(database, seconds=15)
    assert len(slack.messages) == 1, "all of its messages rest"
    send(database, seconds=40)
    assert len(slack.messages) == 5


def test_a_message_that_comes_while_a_place_rests_waits_too(
    database: Database, slack: StandIn
) -> None:
    made = budget(database, thresholds=[100])
    charge(database, "100")
    evaluate(database)
    slack.script = [answer(429, b"", {"Retry-After": "30"})]
    send(database, slack.url)
    change(database, made, amount="99", thresholds=[100])
    evaluate(database)
    send(database, slack.url, 20)
    assert len(slack.messages) == 1
    send(database, slack.url, 40)
    assert len(slack.messages) == 3


def test_others_are_told_once_what_a_dead_channel_does_not_get(
    database: Database, slack: StandIn
) -> None:
    channel(database, slack.url, "ops", default=True)
    with slack_stand_in() as dead:
        dead.script = [answer(410, b"channel_is_archived")] * 3
        tell(database, 3, channel(database, dead.url, "old"))
        send(database)
        assert len(dead.messages) == 3
    send(database, seconds=20)
    [told] = slack.texts
    assert told == (
        "Messages to channel old are not delivered: answered 410 channel_is_archived."
        " The first of them: summary 0"
    )
    assert [row.status for row in rows(database)] == ["dead"] * 3 + ["sent"]


def test_a_place_is_not_told_that_it_is_dead_itself(database: Database, slack: StandIn) -> None:
    slack.script = [answer(403, b"action_prohibited")] * 9
    tell(database, 1, channel(database, slack.url, default=True))
    for seconds in (0, 10, 20):
        send(database, seconds=seconds)
    assert len(slack.messages) == 1
    send(database, slack.url, 30)
    assert len(rows(database)) == 1, "nor where the webhook of the settings is another"


def test_where_nobody_knows_the_bots_channel_is_asked_before_it_is_sent_again(
    database: Database, slack: StandIn
) -> None:
    bot = channel(database, "xoxb-0000000000", kind="slack-bot", to=["C0000001"])
    tell(database, 1, bot)
    url = slack.url.rpartition("/services")[0]
    with database.write() as session:
        [died] = outbox.claim(
            session,
            TENANT,
            [f"channel:{bot.id}"],
            "x",
            now=NOW,
            lease=deliver.LEASE,
            singly=10,
            at_most=40,
        )
    ids = f'["msg_1_{died.id}_{int(NOW.timestamp())}"]'
    told = f'{{"event_type": "spanledger_alert", "event_payload": {{"ids": {ids}}}}}'
    slack.script = [answer(500)]
    send(database, seconds=deliver.LEASE.total_seconds(), slack_api_url=url)
    assert rows(database)[0].last_error == "answered 500"
    slack.script = [answer(200, f'{{"ok": true, "messages": [{{"metadata": {told}}}]}}'.encode())]
    send(database, seconds=2 * deliver.LEASE.total_seconds(), slack_api_url=url)
    assert [path.rpartition("/")[2] for path in slack.paths] == ["conversations.history"] * 2
    assert statuses(database) == {"sent"}


def test_a_secret_that_cannot_be_opened_keeps_messages_waiting(
    database: Database, slack: StandIn
) -> None:
    tell(database, 1, channel(database, slack.url))
    other = replace(known(), key_pepper=b"another")
    send_alerts.run(JobContext(database, NOW, other))
    [row] = rows(database)
    assert (row.status, row.attempts) == ("pending", 0)
    assert "another pepper" in row.last_error
    send(database)
    assert statuses(database) == {"sent"}


def test_a_channel_set_later_gets_what_waited(database: Database, slack: StandIn) -> None:
    tell(database, 1)
    assert "1 wait" in send(database).note
    channel(database, slack.url, default=True)
    send(database, seconds=20)
    assert len(slack.messages) == 1


def test_mail_goes_to_those_who_do_not_have_it(database: Database) -> None:
    with mail_stand_in() as box:
        box.refusals = {"bob@example.com": "450 later"}
        to = ["ann@example.com", "bob@example.com"]
        tell(database, 1, channel(database, "", kind="email", to=to))
        mail = {"smtp_url": box.url, "mail_from": "alerts@example.com"}
        send(database, **mail)
        box.refusals = {}
        send(database, seconds=20, **mail)
        assert box.recipients == [["ann@example.com"], ["bob@example.com"]]
    assert statuses(database) == {"sent"}


def test_a_message_of_before_channels_is_still_sent(database: Database, slack: StandIn) -> None:
    tell(database, 1)
    header = {"type": "header", "text": {"type": "plain_text", "text": "a &amp; b"}}
    old = {"text": "All of a &amp; b. Alert 3.", "blocks": [header]}
    with database.write() as session:
        session.execute(update(messages).values(body=old))
    send(database, slack.url)
    assert slack.texts == ["All of a &amp; b. Alert 3."]


def test_a_mark_waits_for_the_database(
    database: Database, slack: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(database, 1)
    monkeypatch.setattr(deliver, "PAUSE", 0.01)
    real, failures = outbox.mark_sent, iter([True, True, False])

    def failing(*asked: Any) -> int:
        if next(failures):
            raise outbox_away
        return real(*asked)

    outbox_away = deliver.SQLAlchemyError("away")
    monkeypatch.setattr(outbox, "mark_sent", failing)
    send(database, slack.url)
    assert len(slack.messages) == 1
    assert statuses(database) == {"sent"}


def test_rests_of_a_channel_are_remembered_with_it(database: Database, slack: StandIn) -> None:
    made = channel(database, slack.url)
    tell(database, 1, made)
    slack.script = [answer(429, b"", {"Retry-After": "60"})]
    began = time.monotonic()
    send(database)
    took = timedelta(seconds=time.monotonic() - began)
    with database.read() as session:
        until = session.scalar(select(channel_rows.c.rests_until))
    assert until
    assert timedelta(seconds=60) <= until - NOW <= timedelta(seconds=60) + took
