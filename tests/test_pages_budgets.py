"""Pages of budgets: how each stands, what it says, and forms that set, try and change one."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from budgeted import budget, change, charge, evaluate
from fastapi.testclient import TestClient
from filled_ledger import asking
from httpx2 import Response
from test_api_keys import PEPPER, make_key
from test_pages_preferences import OURS, token

from spend.budgets.budget_attention import Stands
from spend.budgets.budgets import Budget
from spend.forecasts.forecast import Forecast
from spend.periods import Period
from store.budgets import budgets
from store.postgres.sessions import Database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

MOMENT = "2026-11-15T12:00"
NOVEMBER = ((11, 1), (11, 15), (12, 1))
FORM = {
    "name": "ads",
    "amount": "250.00",
    "currency": "USD",
    "period": "month",
    "timezone": "UTC",
    "thresholds": "50, 100",
    "dimension": ["team", "team", ""],
    "value": ["ads", "search", ""],
}


def client_of(database: Database) -> TestClient:
    return asking(database, now=MOMENT, key_pepper=PEPPER)


def send(client: TestClient, place: str, form: str = "/budgets/new", **fields: Any) -> Response:
    sent = FORM | {"form_token": token(client, form)} | fields
    return client.post(place, data=sent, headers=OURS, follow_redirects=False)


def words(answer: Response) -> str:
    """What a page says, without its tags."""
    body = re.sub(r"<(script|style|select).*?</\1>", " ", answer.text, flags=re.DOTALL)
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)))


def listed(client: TestClient, place: str) -> list[str]:
    """The budgets that a page lists, in its order."""
    found = re.findall(r'class="below below-\d">(.*?)</span>', client.get(place).text)
    return [unescape(each) for each in found]


def held(database: Database, budget_id: int) -> list[Budget]:
    with database.read() as session:
        return budgets.versions(session, TENANT, budget_id)


def test_what_needs_a_look_comes_first_and_parts_stand_below_their_parent(
    database: Database,
) -> None:
    parent = budget(database, name="R&D", filter={"team": ["search", "ads"]}, amount="1000")
    budget(database, name="fine", filter={"team": ["ads"]}, amount="500")
    budget(database, parent_id=parent.id, amount="100")
    charge(database, "100.00")
    evaluate(database)
    client = client_of(database)
    assert listed(client, "/budgets") == ["R&D", "search", "fine"], "a part of R&D is over"
    assert listed(client, "/budgets?state=over") == ["search"]
    assert listed(client, "/budgets?team=ads") == ["R&D", "fine"]
    assert listed(client, "/budgets?sort=-limit") == ["R&D", "fine", "search"]
    file = client.get("/budgets?csv=budgets").text
    assert re.search(
        r"^search,100\.00,over,100\.0*,100\.0*,,2026-11,USD,,16,\r?$", file, re.MULTILINE
    ), file
    assert client.get("/budgets?nonsense=1").status_code == 422


def test_a_budget_that_should_be_over_says_about_when(database: Database) -> None:
    terms = budget(database, amount="100.00")
    start, now, end = (datetime(2026, month, day, tzinfo=UTC) for month, day in NOVEMBER)
    spent, expected = Decimal(70), Decimal(130)
    forecast = Forecast(1, now, now, expected, expected, expected, None, 14, "seasonal-1")
    stands = Stands(terms, Period(start, end), Decimal(100), spent, forecast=forecast)
    assert stands.runs_out == now + (end - now) / 2
    assert replace(stands, spent=Decimal(101), state="over").runs_out is None, "it is over"
    assert replace(stands, limit=Decimal(140)).runs_out is None, "it should not be"


def test_a_ledger_without_budgets_says_what_they_are(database: Database) -> None:
    assert "No budget yet" in client_of(database).get("/budgets").text


def test_a_budgets_page_tells_its_period_its_thresholds_and_what_became_of_them(
    database: Database,
) -> None:
    one = budget(database, thresholds=[80, 100, 120], rollover_cap="10", owner="Ann")
    change(database, one, amount="90.00", thresholds=[80, 100, 120], rollover_cap="10")
    charge(database, "104.50")
    evaluate(database)
    client = client_of(database)
    shown = client.get(f"/budgets/{one.id}")
    said = words(shown)
    assert "<svg" in shown.text
    assert re.search(r"\$104\.50 104\.5 ?%", said)
    assert "Over by $4.50 of $100.00" in said
    assert "$90.00 and $10.00 rolled in" in said
    assert re.search(r"100 % spent \$100\.00 reached 15 Nov 2026", said)
    assert re.search(r"120 % spent \$120\.00 not reached", said)
    assert "amount: 100.00 → 90.00; owner: Ann → none" in said
    assert '<a href="/alerts/2">' in shown.text
    assert (
        "/explore?team=search&amp;from=2026-11-01&amp;to=2026-12-01&amp;timezone=UTC" in shown.text
    )
    assert "nothing left" in client.get(f"/budgets/{one.id}?chart=left").text
    charge(database, "20.00")
    said = words(client.get(f"/budgets/{one.id}"))
    assert re.search(r"120 % spent \$120\.00 reached, not told yet", said)
    assert client.get("/budgets/4711").status_code == 404


def test_a_form_sets_what_the_api_would(database: Database) -> None:
    client = client_of(database)
    made = send(
        client,
        "/budgets/new",
        **{"period": "custom", "own_period.starts_on": "2026-11-02", "own_period.days": "14"},
        forecast_thresholds="100",
        rollover_cap="25.50",
        remind_hours="24",
        owner="Ann",
    )
    assert (made.status_code, made.headers["location"]) == (303, "/budgets/1?done=created")
    said = client.get("/v1/budgets/1").json()
    assert said["filter"] == {"team": ["ads", "search"]}
    assert said["own_period"] == {"starts_on": "2026-11-02", "days": 14, "ends_on": None}
    assert (said["thresholds"], said["forecast_thresholds"]) == ([50, 100], [100])
    assert (said["rollover_cap"], said["remind_hours"], said["owner"]) == ("25.50", 24, "Ann")
    unchanged = re.findall(
        r'name="([a-z_.]+)"[^>]* value="([^"]*)"', client.get("/budgets/1/edit").text
    )
    typed = dict(unchanged)
    assert (typed["rollover_cap"], typed["own_period.days"]) == ("25.50", "14")


REFUSED = {
    "amount": ("1,000.00", "a number such as"),
    "thresholds": ("80, most", "'most' is no whole number"),
    "value": (["ads", "", ""], "say which team"),
    "name": ("taken", "there is a budget named"),
    "parent": ("nobody", "no budget 'nobody' is in force"),
}


def test_a_refused_form_keeps_what_was_typed_with_the_problem_at_its_field(
    database: Database,
) -> None:
    budget(database, name="taken")
    client = client_of(database)
    form = token(client, "/budgets/new")
    for field, (value, why) in REFUSED.items():
        sent = FORM | {"form_token": form, "owner": "<b>Ann", field: value}
        refused = client.post("/budgets/new", data=sent, headers=OURS)
        assert refused.status_code == 422
        at_field = {"value": "filter"}.get(field, field)
        found = re.search(f'<small class="bad" id="{at_field}-problem">(.*?)</small>', refused.text)
        assert found, field
        assert why in unescape(found[1])
        assert 'value="&lt;b&gt;Ann"' in refused.text
        assert 'value="ads"' in refused.text
    assert len(client.get("/v1/budgets").json()["budgets"]) == 1


def test_a_change_holds_from_a_day_on_and_is_withdrawn(database: Database) -> None:
    one = budget(database)
    client, form = client_of(database), f"/budgets/{one.id}/edit"
    late = send(client, form, form, version="1", name="search", effective_from="2026-11-01")
    assert "it has passed" in words(late)
    done = send(client, form, form, version="1", name="search", effective_from="2026-12-01")
    assert done.headers["location"] == f"/budgets/{one.id}?done=saved"
    assert [each.terms.amount for each in held(database, one.id)] == [100, 250]
    assert "Version 2 holds from 1 Dec 2026" in words(client.get(f"/budgets/{one.id}"))
    twice = send(client, form, form, version="1", name="search", effective_from="2026-12-02")
    assert "withdraw it first" in words(twice)
    send(client, f"/budgets/{one.id}/withdraw", form, version="2")
    assert "withdrawn" in words(client.get(f"/budgets/{one.id}"))


def test_one_is_closed_but_not_before_its_parts(database: Database) -> None:
    parent = budget(database, name="all", filter={})
    part = budget(database, parent_id=parent.id)
    client = client_of(database)
    refused = send(client, f"/budgets/{parent.id}/close")
    assert (refused.status_code, "search" in refused.text) == (409, True)
    for each in (part, parent):
        assert send(client, f"/budgets/{each.id}/close").status_code == 303
        assert send(client, f"/budgets/{each.id}/close").status_code == 404, "once"
    assert client.get("/v1/budgets").json()["budgets"] == []


def test_of_two_who_close_at_once_one_succeeds(database: Database) -> None:
    one = budget(database)
    moments = [one.created_at + timedelta(seconds=later) for later in (2, 1)]
    with database.write() as session:
        budgets.close(session, TENANT, one.id, moments[0])
    # The other one asked before, and waited.
    with database.write() as session, pytest.raises(budgets.NoSuchBudget):
        budgets.close(session, TENANT, one.id, moments[1])


def test_what_somebody_else_changed_meanwhile_is_not_overwritten_unseen(database: Database) -> None:
    one = budget(database)
    client, form = client_of(database), f"/budgets/{one.id}/edit"
    assert 'name="version" value="1"' in client.get(form).text
    change(database, one, amount="90.00")
    refused = send(client, form, form, version="1", name="search")
    assert refused.status_code == 409
    assert "Meanwhile version 2 was said: amount: 100.00 → 90.00." in words(refused)
    assert 'value="250.00"' in refused.text, "the form stays as it was"
    tried = send(client, "/budgets/preview", form, version="1", budget=str(one.id), name="search")
    assert 'name="version" value="1"' in tried.text
    assert send(client, form, form, version="2", name="search").status_code == 303
    assert [each.terms.amount for each in held(database, one.id)] == [100, 90, 250]


def test_a_form_is_tried_on_the_past_and_nothing_is_written(database: Database) -> None:
    charge(database, "60.00", "2026-10-10")
    charge(database, "260.00", "2026-11-10")
    client = client_of(database)
    tried = send(client, "/budgets/preview", amount="100.00", value=["search", "ads", ""])
    said = words(tried)
    assert "3 messages in 6 months: 3 thresholds" in said, said
    assert re.search(r"100 % spent \$260\.00 \$100\.00", said)
    assert 'value="100.00"' in tried.text, "the form stays as it was"
    assert client.get("/v1/budgets").json()["budgets"] == []
    assert "'x' is no whole number" in words(send(client, "/budgets/preview", thresholds="x"))


def test_a_key_of_a_team_sees_its_own_and_changes_nothing(database: Database) -> None:
    own, others = budget(database), budget(database, name="ads", filter={"team": ["ads"]})
    headers = make_key(database, "read", "search") | {"Accept": "text/html"}
    client = client_of(database)
    client.headers.update(headers)
    assert listed(client, "/budgets") == ["search"]
    page = client.get(f"/budgets/{own.id}")
    assert (page.status_code, "/edit" in page.text) == (200, False)
    assert client.get(f"/budgets/{others.id}").status_code == 404
    assert client.get("/budgets/new").status_code == 403
    assert client.post("/budgets/new", data=FORM, headers=OURS).status_code == 403


def test_names_are_shown_and_never_run(database: Database) -> None:
    hostile = "<script>alert(1)</script>"
    one = budget(
        database,
        name=hostile,
        owner="javascript:alert(1)",
        filter={"project": ["\u202e" + "x" * 199]},
    )
    client = client_of(database)
    for place in ("/budgets", f"/budgets/{one.id}", f"/budgets/{one.id}/edit"):
        text = client.get(place).text
        assert hostile not in text
        assert 'href="javascript' not in text
