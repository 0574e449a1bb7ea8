"""Where an alert goes, and when: by its budget, its team, its level, and the channel's hours."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from budgeted import NOW, budget
from filled_ledger import at
from sqlalchemy import select, update

from spend.channels.channels import ChannelSecret, channel_terms
from spend.channels.notices import Notice
from store.access.secrets import Seal
from store.channels import channels
from store.channels import outbox as messages
from store.channels.channel_removal import remove
from store.channels.message_places import channel_key
from store.channels.notify import tell
from store.channels.quiet_channels import hold
from store.postgres.sessions import Database
from store.tables.budgets import outbox
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

SEAL = Seal(b"")
NOTICE = Notice(kind="actual", level="warning", title="t", summary="s", team="search")
ASKED: Any = {"now": NOW, "lease": timedelta(minutes=1), "singly": 10, "at_most": 40}
NIGHTS = {"times": [{"from": "20:00", "to": "08:00"}], "zone": "UTC"}


def channel(database: Database, name: str, **said: Any) -> int:
    terms = channel_terms(**({"name": name, "kind": "webhook"} | said))
    secret = ChannelSecret(f"https://example.com/{name}")
    with database.write() as session:
        return channels.create(session, TENANT, terms, secret, seal=SEAL, now=NOW).id


def told(database: Database, key: str = "k", *ids: int, **changes: Any) -> list[int | None]:
    """Tells a notice; answers where it went."""
    with database.write() as session:
        notice = replace(NOTICE, **changes)
        count = tell(session, TENANT, notice, key=key, channel_ids=ids, now=NOW)
    found = [row.channel_id for row in rows(database) if row.key.startswith(f"{key}:")]
    assert len(found) == count
    return found


def rows(database: Database) -> list[Any]:
    with database.read() as session:
        return list(session.execute(select(outbox).order_by(outbox.c.id)))


def test_an_alert_goes_to_the_first_that_takes_it(database: Database) -> None:
    assert told(database, "none") == [None], "it waits, or goes where the setting says"
    over = channel(database, "on call", teams=["search"], levels="over")
    named = channel(database, "named")
    default = channel(database, "default", default=True)
    assert told(database, "a", named, over) == [named]
    assert told(database, "b", named, over, level="over") == [over, named]
    assert told(database, "c") == [default], "its team's takes only what is over"
    assert told(database, "d", level="over") == [over]
    assert told(database, "e", team="shop") == told(database, "f", team=None) == [default]
    own = budget(database, webhook_url="https://hooks.slack.com/services/T/B/x")
    assert told(database, "g", budget_id=own.id) == [None], "its own webhook"
    assert told(database, "h", named, budget_id=own.id) == [named]
    digest = channel(database, "finance", digest=True, levels="over")
    assert told(database, "i", digest, named, kind="digest", level="info") == [digest]


def test_what_is_told_is_told_once_wherever_it_would_go_now(database: Database) -> None:
    first = channel(database, "first", default=True)
    assert told(database) == [first]
    channel(database, "second", default=True)
    with database.write() as session:
        assert tell(session, TENANT, NOTICE, key="k", now=NOW) == 0
    assert [row.channel_id for row in rows(database)] == [first]


def test_what_waits_for_a_removed_channel_goes_where_it_would_go_without_it(
    database: Database,
) -> None:
    team = channel(database, "team", teams=["search"])
    both = [channel(database, name, default=True) for name in ("a", "b")]
    assert told(database, "one") == [team]
    assert told(database, "named", team, both[0]) == [team, both[0]]
    with database.write() as session:
        remove(session, TENANT, team, NOW)
    found = [(row.key, row.channel_id, row.status) for row in rows(database)]
    assert found == [
        ("one:1", both[0], "pending"),
        ("named:1", team, "dropped"),
        ("named:2", both[0], "pending"),
        ("one:2", both[1], "pending"),
    ]
    assert told(database, "later", team) == both, "it is passed over"
    with database.write() as session:
        for each in both:
            remove(session, TENANT, each, NOW)
    waiting = {row.key: row.channel_id for row in rows(database) if row.status == "pending"}
    assert waiting["named:2"] is None, "told nobody yet: it waits for where the setting says"


def test_a_message_of_a_removed_channel_forgets_who_was_still_to_get_it_there(
    database: Database,
) -> None:
    team = channel(database, "team", teams=["search"])
    others = [channel(database, name, default=True) for name in ("a", "b")]
    told(database, "one")
    with database.write() as session:
        claimed = messages.claim(session, TENANT, [channel_key(team)], "team", **ASKED)
        messages.mark_failed(
            session, TENANT, claimed, "put off", NOW, unsure=True, left=["ann@example.com"]
        )
        # Whoever claims it next dies.
        messages.claim(session, TENANT, [channel_key(team)], "team", **ASKED)
        later = NOW + timedelta(minutes=2)
        remove(session, TENANT, team, later)
        for each in others:
            keys = [channel_key(each)]
            [found] = messages.claim(session, TENANT, keys, str(each), **(ASKED | {"now": later}))
            assert (found.left, found.unsure) == ((), False)


def test_a_message_waits_for_the_end_of_quiet_hours_unless_it_is_over(
    database: Database,
) -> None:
    night = at("2026-11-15T23:00")
    calm = channel(database, "calm", quiet=NIGHTS)
    deaf = channel(database, "deaf", quiet=NIGHTS | {"over_waits": True})
    morning = at("2026-11-16T08:00")
    with database.write() as session:
        for level in ("warning", "over"):
            notice = replace(NOTICE, level=level)
            tell(session, TENANT, notice, key=level, channel_ids=[calm, deaf], now=night)
    assert [(row.key, row.next_at) for row in rows(database)] == [
        ("warning:1", morning),
        ("warning:2", morning),
        ("over:1", night),
        ("over:2", morning),
    ]
    # What was written by day and is to be tried again waits as well.
    with database.write() as session:
        again = night + timedelta(minutes=5)
        session.execute(update(outbox).values(next_at=again))
        hold(session, TENANT, again)
        hold(session, TENANT, again)
    assert [row.next_at for row in rows(database)] == [morning, morning, again, morning]
