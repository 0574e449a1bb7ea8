"""A budget can be silent for a while: nothing of it is sent meanwhile, and nothing is just gone."""

from datetime import timedelta

import pytest
from budgeted import NOW, budget, charge, evaluate, send
from slack_stand_in import slack_stand_in

from spend.silences import MUTE, SNOOZE, Silence, silence_terms
from store import alerts, silences
from store.sessions import Database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

HOUR = timedelta(hours=1)


def silence(database: Database, kind: str, hours: int = 2, now=NOW) -> Silence:
    said = silence_terms(kind=kind, budget_id=1, ends=now + hours * HOUR, by="ann", now=now)
    with database.write() as session:
        return silences.put(session, TENANT, said)


def test_what_is_snoozed_waits_and_is_sent_at_the_end(database: Database) -> None:
    budget(database)
    silence(database, SNOOZE)
    charge(database, "80.5")
    evaluate(database)
    with slack_stand_in() as slack:
        for minutes in (0, 60, 119):
            send(database, slack.url, NOW + timedelta(minutes=minutes))
        assert slack.texts == []
        send(database, slack.url, NOW + 2 * HOUR)
        assert len(slack.texts) == 1
