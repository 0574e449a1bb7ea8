"""Pages of alerts: who knows of one, what is silent, what became of messages, where rules stand."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from urllib.parse import urlencode

import pytest
from budgeted import NOW, budget, charge, evaluate, send
from fastapi.testclient import TestClient
from filled_ledger import GPT, SEARCH, asking, put_cell
from httpx2 import Response
from slack_stand_in import StandIn, answer, slack_stand_in
from sqlalchemy import select, update
from test_api_keys import PEPPER, make_key
from test_pages_budgets import words
from test_pages_preferences import OURS, token
from watching import go_round, rule

from jobs.delivery.verdicts import ATTEMPTS
from spend.alerts.rule_states import State
from spend.calls import Outcome
from store.alerts import deliveries
from store.alerts.rule_states import put_failing
from store.channels import outbox
from store.postgres.sessions import Database
from store.tables.budgets import outbox as messages
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

MOMENT = "2026-11-15T12:00"


@pytest.fixture
def slack() -> Iterator[StandIn]:
    with slack_stand_in() as stand_in:
        yield stand_in


def client_of(database: Database) -> TestClient:
    return asking(database, now=MOMENT, key_pepper=PEPPER)


def post(client: TestClient, place: str, form: str = "/alerts/silences", **fields: str) -> Response:
    sent = {"form_token": token(client, form)} | fields
    return client.post(place, data=sent, headers=OURS, follow_redirects=False)


def over(database: Database) -> None:
    budget(database, thresholds=[100])
    charge(database, "123.45")
    evaluate(database)


def test_what_is_open_and_what_was_are_told_apart(database: Database) -> None:
    client = client_of(database)
    assert "Nothing is open" in client.get("/alerts").text
    over(database)
    assert "search: 100 % spent" in words(client.get("/alerts"))
    assert "search: 100 % spent" not in words(client.get("/alerts?view=past"))
    assert "search: 100 % spent" in words(client.get("/alerts?team=search&kind=actual"))
    assert "No alert fits" in client.get("/alerts?team=ads").text
    assert (
        client.get("/alerts?csv=alerts")
        .text.splitlines()[1]
        .startswith("search: 100 % spent,over,open,123.45")
    )


def test_a_link_changes_nothing_and_a_form_says_who_knows_of_it(database: Database) -> None:
    over(database)
    client = client_of(database)
    for place in ("/alerts/1", "/alerts/1/acknowledge"):
        client.get(place)
    assert client.get("/v1/alerts/1").json()["acknowledged_at"] is None
    refused = post(client, "/alerts/1/acknowledge", "/alerts/1", by="x" * 101, note="<b>so")
    assert (refused.status_code, "1 to 100 printable" in refused.text) == (422, True)
    assert 'value="&lt;b&gt;so"' in refused.text
    done = post(client, "/alerts/1/acknowledge", "/alerts/1", by="ann", note="the batch job")
    assert done.headers["location"] == "/alerts/1?done=acknowledged"
    said = words(client.get("/alerts/1"))
    assert "Acknowledged by ann the batch job" in said
    assert "Say that you know of it" not in said
    assert "acknowledged by ann" in words(client.get("/alerts"))
    with database.write() as session:
        session.execute(update(messages).values(last_error=outbox.NO_DESTINATION))
    assert (
        'href="/settings/channels/new">no channel takes it, and no Slack webhook is set'
        in client.get("/alerts/1").text
    )


def test_a_budget_is_snoozed_and_muted_and_speaks_again(database: Database) -> None:
    over(database)
    client = client_of(database)
    done = post(client, "/alerts/silences", subject="budget:1", kind="mute", hours="", alert="1")
    assert done.headers["location"] == "/alerts/1?done=muted"
    assert "muted until 1 Dec 2026, 00:00" in words(client.get("/alerts/1"))
    until = "2026-11-16T08:00"
    done = post(
        client, "/alerts/silences", subject="budget:1", kind="snooze", until=until, reason="known"
    )
    assert done.headers["location"] == "/alerts/silences?done=snoozed"
    assert "search budget snoozed 16 Nov 2026, 08:00" in words(client.get("/alerts/silences"))
    # What was typed by the clock of a page is read by it.
    there = "/alerts/silences?timezone=Asia%2FTokyo"
    assert f'action="{there}"' in client.get(there).text
    done = post(client, there, there, subject="budget:1", kind="snooze", until=until)
    assert done.headers["location"] == "/alerts/silences?done=snoozed&timezone=Asia%2FTokyo"
    assert "search budget snoozed 15 Nov 2026, 23:00" in words(client.get("/alerts/silences"))
    for number in (1, 2, 3):
        assert post(client, f"/alerts/silences/{number}/end").status_code == 303
    assert "Nothing is silent" in client.get("/alerts/silences").text
    assert client.get("/v1/alerts/1").json()["state"] == "open"


REFUSED = (
    ({"subject": "budget:9", "hours": "1"}, "no budget 9"),
    ({"subject": "", "hours": "1"}, "choose a budget"),
    ({"subject": "budget:1", "hours": "soon"}, "a whole number of hours"),
    ({"subject": "budget:1", "until": "2026-11-01T00:00"}, "a moment to come"),
    ({"subject": "budget:1", "until": "x", "by": "ann"}, "a day and a time"),
)


def test_a_silence_that_makes_no_sense_is_refused(database: Database) -> None:
    budget(database)
    client = client_of(database)
    form = token(client, "/alerts/silences")
    for fields, why in REFUSED:
        sent = {"form_token": form, "kind": "snooze"} | fields
        refused = client.post("/alerts/silences", data=sent, headers=OURS)
        assert (refused.status_code, why in refused.text) == (422, True), why


def test_a_dead_message_stands_first_and_is_sent_again_once(
    database: Database, slack: StandIn
) -> None:
    over(database)
    budget(database, name="more", thresholds=[80])
    evaluate(database)
    slack.script = [answer(404, b"no_service")]
    send(database, slack.url)
    client = client_of(database)
    page = client.get("/alerts/deliveries")
    assert re.search(
        r"100 % .*dead .*answered 404.* sent ", words(page).replace("123.45 %", "100 %")
    )
    number = re.search(r"/alerts/deliveries/(\d+)/resend", page.text)
    assert number
    place = f"/alerts/deliveries/{number[1]}/resend"
    assert client.get(place).status_code == 405
    form = token(client, "/alerts/deliveries")
    done = [
        client.post(place, data={"form_token": form}, headers=OURS, follow_redirects=False)
        for _ in range(2)
    ]
    assert [each.status_code for each in done] == [303, 409], "it waits already"
    before = len(slack.bodies)
    for later in range(3):
        send(database, slack.url, NOW + timedelta(minutes=later))
    assert len(slack.bodies) == before + 1
    assert "dead" not in re.findall(
        r'class="badge [a-z]*">(\w+)<', client.get("/alerts/deliveries").text
    )


def test_what_is_sent_again_is_tried_as_often_as_a_new_message(
    database: Database, slack: StandIn
) -> None:
    over(database)
    with database.write() as session:
        session.execute(
            update(messages).values(status="dead", attempts=ATTEMPTS, last_error="given up")
        )
        [number] = session.scalars(select(messages.c.id))
        assert deliveries.resend(session, TENANT, number, NOW)
    slack.script = [answer(500), answer(500)]
    send(database, slack.url)
    with database.read() as session:
        row = session.execute(select(messages)).one()
        assert (row.status, row.attempts, row.last_error) == (
            "pending",
            ATTEMPTS + 1,
            "answered 500",
        )
    with database.write() as session:
        [due] = outbox.due(session, TENANT, row.next_at)
        asked = {"now": row.next_at, "lease": timedelta(minutes=1), "singly": 1, "at_most": 1}
        [claimed] = outbox.claim(session, TENANT, [due.key], "a", **asked)
    assert (claimed.attempts, claimed.tries) == (ATTEMPTS + 2, 2)


def test_a_key_of_a_team_sees_its_teams_alone(database: Database) -> None:
    over(database)
    budget(database, name="of ads", filter={"team": ["ads"]}, amount="1")
    charge(database, "5", team="ads")
    evaluate(database)
    rule(database, "latency", over="5", filter={"team": ["ads"]})
    client = client_of(database)
    client.headers.update(make_key(database, "read", "search") | {"Accept": "text/html"})
    for place in ("/alerts", "/alerts?view=all", "/alerts/deliveries", "/alerts/silences"):
        said = words(client.get(place))
        assert "of ads" not in said, place
    assert "123.45" in words(client.get("/alerts/deliveries"))
    assert "my latency" not in words(client.get("/alerts/rules"))
    others = [each for each in range(1, 5) if client.get(f"/alerts/{each}").status_code == 404]
    assert 1 not in others
    assert len(others) > 1
    assert client.get("/alerts/rules/1").status_code == 404
    for place in ("/alerts/1/acknowledge", "/alerts/deliveries/1/resend", "/alerts/silences"):
        assert client.post(place, headers=OURS).status_code == 403, place


def test_an_alert_leads_to_what_was_measured(database: Database) -> None:
    over(database)
    rule(database, "error-rate", by=["team"], filter={"model": [GPT.model]})
    with database.write() as session:
        put_cell(session, "2026-10-20T11:30", SEARCH, GPT, calls=40, outcome=Outcome.TIMEOUT)
    go_round(database)
    client = client_of(database)
    asked = {"from": "2026-10-20T11:00:00Z", "to": "2026-10-20T12:00:00Z"}
    calls = urlencode(asked | {"model": GPT.model, "team": "search"})
    spent = "/explore?team=search&from=2026-11-01&to=2026-12-01&timezone=UTC"
    ways = (f"/performance?{calls}", f"/traces?failed=yes&{calls}", f"/calls?{calls}")
    for number, places in enumerate(((spent,), ways), 1):
        page = unescape(client.get(f"/alerts/{number}").text)
        for place in places:
            assert f'<a href="{place}">' in page, place
            assert client.get(place).status_code == 200, place


def test_rules_say_where_they_stand_and_what_they_find_now(database: Database) -> None:
    one = rule(database, "no-data", over="60", name="<i>quiet")
    failing = rule(database, "error-rate", name="broken")
    with database.write() as session:
        state = State("failing", NOW, None)
        put_failing(session, TENANT, failing.id, state, "no such pool", NOW)
    client = client_of(database)
    said = words(client.get("/alerts/rules"))
    assert re.search(r"broken .*failing no such pool .*<i>quiet .*not measured", said)
    assert "spanledger alert-rules create" in said
    assert "What it finds now" in words(client.get(f"/alerts/rules/{one.id}?try=now"))
    assert "It is not measured: no such pool" in words(client.get(f"/alerts/rules/{failing.id}"))
