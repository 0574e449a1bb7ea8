"""A budget can be silent for a while: what it would tell waits or is dropped, and is never lost."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from budgeted import NOW, budget, charge, evaluate, send
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_stand_in import slack_stand_in
from sqlalchemy import insert, update

from jobs.delivery.deliver import LONGEST_RUN
from spend.channels.notices import RECOVERED, REMINDER, Notice
from spend.channels.silences import MUTE, SNOOZE, Silence, Waiting, fate, silence_terms
from store.alerts import alerts
from store.channels import notify, silences
from store.postgres.sessions import Database
from store.tables.alerting import channels
from store.tables.budgets import crossings, outbox
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

HOUR = timedelta(hours=1)


def silence(database: Database, kind: str, hours: int = 2, now: datetime = NOW) -> Silence:
    said = silence_terms(kind=kind, budget_id=1, ends=now + hours * HOUR, by="ann", now=now)
    with database.write() as session:
        return silences.put(session, TENANT, said)


def crossed(database: Database, amount: str = "80.5", now: datetime = NOW) -> None:
    charge(database, amount)
    evaluate(database, now)


def shown(database: Database, now: datetime = NOW) -> list[tuple[str, str, str | None]]:
    """State of each alert, newest first, with the status of its first message, and why."""
    with database.read() as session:
        found = alerts.alerts(session, TENANT, now=now, at_most=100)
    return [(each.state, each.messages[0].status, each.messages[0].last_error) for each in found]


def test_what_is_snoozed_waits_and_is_sent_once_at_the_end(database: Database) -> None:
    budget(database)
    silence(database, SNOOZE)
    crossed(database)
    said = "snoozed until 2026-11-15 14:00 UTC by ann"
    assert shown(database) == [("snoozed", "pending", said)]
    with slack_stand_in() as slack:
        for minutes in (0, 60, 119):
            send(database, slack.url, NOW + timedelta(minutes=minutes))
        assert slack.texts == []
        for _again in range(2):
            send(database, slack.url, NOW + 2 * HOUR)
        assert len(slack.texts) == 1
    assert shown(database, NOW + 2 * HOUR) == [("open", "sent", None)]


def test_what_has_recovered_meanwhile_is_dropped_and_says_so(database: Database) -> None:
    budget(database)
    silence(database, SNOOZE)
    crossed(database)
    crossed(database, "-50", NOW + HOUR)
    with slack_stand_in() as slack:
        send(database, slack.url, NOW + 2 * HOUR)
        assert slack.texts == []
    with database.read() as session:
        [alert] = alerts.alerts(session, TENANT, now=NOW + 2 * HOUR, at_most=9)
    assert alert.state == "recovered"
    assert [(each.kind, each.status, each.last_error) for each in alert.messages] == [
        ("actual", "dropped", "snoozed until 2026-11-15 14:00 UTC by ann, and recovered meanwhile"),
        ("recovered", "dropped", "nobody was told before it recovered"),
    ]


def test_a_muted_budget_records_what_is_crossed_and_tells_nothing_of_it(
    database: Database,
) -> None:
    budget(database)
    crossed(database)
    muted = silence(database, MUTE)
    said = "muted until 2026-11-15 14:00 UTC by ann"
    # What waited is dropped at once.
    assert shown(database) == [("muted", "dropped", said)]
    with database.write() as session:
        silences.end(session, TENANT, muted.id, NOW + HOUR)
    crossed(database, "20", NOW + HOUR)
    with slack_stand_in() as slack:
        send(database, slack.url, NOW + HOUR)
        assert len(slack.texts) == 1
    assert shown(database, NOW + HOUR) == [("open", "sent", None), ("open", "dropped", said)]


def test_a_snooze_that_is_ended_early_sends_at_once_and_one_more_prolongs_it(
    database: Database,
) -> None:
    budget(database)
    crossed(database)
    first = silence(database, SNOOZE, 4)
    silence(database, SNOOZE, 2)
    with database.write() as session:
        silences.end(session, TENANT, first.id, NOW + HOUR)
    with slack_stand_in() as slack:
        send(database, slack.url, NOW + HOUR)
        assert slack.texts == []
        send(database, slack.url, NOW + 2 * HOUR)
        assert len(slack.texts) == 1


def test_the_end_of_a_snooze_in_quiet_hours_waits_for_the_end_of_these(database: Database) -> None:
    quiet = {"times": [{"from": "13:00", "to": "20:00"}], "zone": "UTC"}
    settings = {"to": [], "teams": [], "default": True, "levels": "all", "digest": False}
    with database.write() as session:
        session.execute(
            insert(channels).values(
                tenant_id=TENANT,
                name="quiet",
                kind="webhook",
                settings=settings | {"quiet": quiet},
                created_at=NOW,
            )
        )
    budget(database)
    silence(database, SNOOZE)
    crossed(database)
    send(database, now=NOW + 2 * HOUR)
    with database.read() as session:
        [alert] = alerts.alerts(session, TENANT, now=NOW, at_most=9)
    [message] = alert.messages
    assert (message.status, message.next_at) == ("pending", NOW + 8 * HOUR)
    assert message.last_error is None


def test_nobody_is_reminded_of_what_somebody_knows(database: Database) -> None:
    budget(database)
    crossed(database)

    def remind(number: int) -> None:
        notice = Notice(kind=REMINDER, level="warning", title="x", summary="x", alert_id=1)
        with database.write() as session:
            notify.tell(session, TENANT, notice, key=f"reminder:1:{number}", now=NOW)

    remind(1)
    with database.write() as session:
        assert alerts.acknowledge(session, TENANT, 1, by="ann", note="known", now=NOW)
    with database.write() as session:
        assert not alerts.acknowledge(session, TENANT, 1, by="bob", note=None, now=NOW)
    remind(2)
    with database.read() as session:
        alert = alerts.one(session, TENANT, 1, now=NOW)
    assert (alert.state, alert.acknowledged_by, alert.acknowledged_note) == (
        *("acknowledged", "ann", "known"),
    )
    assert [(each.status, each.last_error) for each in alert.messages] == [
        ("pending", None),
        ("dropped", "acknowledged by ann"),
        ("dropped", "acknowledged by ann"),
    ]


def test_what_is_being_sent_is_not_touched(database: Database) -> None:
    budget(database)
    crossed(database)
    with database.write() as session:
        session.execute(update(outbox).values(leased_to=NOW + HOUR))
    silence(database, MUTE)
    assert shown(database) == [("muted", "pending", None)]
    with database.write() as session:
        session.execute(update(crossings).values(recovered_at=NOW))
        assert silences.settle(session, TENANT, NOW + HOUR) == 1


def test_of_the_reminders_that_a_snooze_held_the_last_one_is_sent() -> None:
    snooze = Silence(1, SNOOZE, 1, None, NOW, NOW + 2 * HOUR, "ann")
    for newer, dropped in (
        (True, "snoozed until 2026-11-15 14:00 UTC by ann: a later message says it"),
        (False, None),
    ):
        reminder = Waiting(REMINDER, NOW + HOUR, recovered_at=None, newer=newer)
        assert fate(reminder, [snooze], NOW + 2 * HOUR).dropped == dropped


def test_a_round_ends_before_what_it_has_not_settled_is_due() -> None:
    assert silences.GRACE > LONGEST_RUN


@dataclass
class World:
    """Messages and silences of one alert, settled and sent as the jobs do."""

    silences: list[Silence] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    recovered_at: datetime | None = None
    acknowledged_by: str | None = None

    def do(self, does: str, hours: int, now: datetime) -> None:
        if does in {SNOOZE, MUTE}:
            number = len(self.silences) + 1
            self.silences.append(Silence(number, does, 1, None, now, now + hours * HOUR, "ann"))
        elif does == "end":
            held = [place for place, each in enumerate(self.silences) if each.holds(now)]
            for place in held[:1]:
                self.silences[place] = replace(self.silences[place], ended_at=now)
        elif does == "know":
            self.acknowledged_by = "ann"
        elif does != "send":
            if does != REMINDER:
                self.recovered_at = now if does == RECOVERED else None
            self.messages.append({"kind": does, "at": now, "status": "pending", "sent": 0})
        self.settle(now)
        if does == "send":
            self.send(now)

    def settle(self, now: datetime) -> None:
        waiting = [each for each in self.messages if each["status"] == "pending"]
        for message in waiting:
            before = self.messages[: self.messages.index(message)]
            kin = [each for each in waiting if each["kind"] == message["kind"]]
            found = fate(
                Waiting(
                    kind=message["kind"],
                    written_at=message["at"],
                    recovered_at=self.recovered_at,
                    acknowledged_by=self.acknowledged_by,
                    told=any(each["status"] != "dropped" for each in before),
                    newer=kin[-1] is not message,
                ),
                self.silences,
                now,
            )
            message["until"] = found.until
            if found.dropped is not None:
                message |= {"status": "dropped", "why": found.dropped}

    def send(self, now: datetime) -> None:
        self.settle(now)
        for message in self.messages:
            if message["status"] == "pending" and message["until"] is None:
                assert not any(each.holds(now) for each in self.silences)
                message |= {"status": "sent", "sent": message["sent"] + 1}


DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["actual", RECOVERED, REMINDER, SNOOZE, MUTE, "end", "know", "send"]),
        st.integers(1, 5),
    ),
    max_size=25,
)


@settings(max_examples=60)
@given(DEEDS)
def test_each_message_is_sent_once_or_waits_or_is_dropped_for_a_reason(
    deeds: list[tuple[str, int]],
) -> None:
    world, now = World(), NOW
    for does, hours in deeds:
        now += HOUR
        world.do(does, hours, now)
    for message in world.messages:
        assert message["sent"] == (message["status"] == "sent")
        assert message["status"] != "dropped" or message["why"]
        if message["status"] == "pending" and message["until"] is not None:
            assert any(each.holds(now) for each in world.silences)
    # In the end nothing waits any more.
    world.send(now + 10 * HOUR)
    assert "pending" not in {each["status"] for each in world.messages}
    # What was never silent, and needs no other message, was sent.
    if not world.silences:
        assert all(each["status"] == "sent" for each in world.messages if each["kind"] == "actual")
