"""Whoever sees one team is told nothing of another: not by an id, a count, a cursor or a file."""

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from callers import browser, everybody, hash_of_a_key
from fastapi.testclient import TestClient
from test_pages_frame import OURS
from two_teams import MONTH, TOLD_OF, TwoTeams, ledger_of_two

pytestmark = pytest.mark.one_server

WRITTEN: Final = {"name": "n", "amount": "1", "period": "month", "thresholds": "50"}
THEIRS: Final = TOLD_OF["support"]
OF_AN_ID: Final = {
    "budget": (
        *("/v1/budgets/{}", "/v1/budgets/{}/status", "/v1/budgets/{}/versions"),
        *("/v1/budgets/{}/forecast", "/budgets/{}", "/budgets/{}/edit"),
    ),
    "rule": ("/v1/alert-rules/{}", "/v1/alert-rules/{}/states", "/alerts/rules/{}"),
    "alert": ("/v1/alerts/{}", "/alerts/{}"),
    "channel": ("/v1/channels/{}", "/settings/channels/{}"),
    "trace": (
        "/v1/calls/{}/0000000000000001",
        "/calls/{}/0000000000000001",
        "/traces/{}",
        "/v1/calls/{}/0000000000000001/content",
    ),
}
LISTS: Final = (
    *("/v1/budgets", "/v1/alert-rules", "/v1/alerts", "/v1/silences", "/v1/calls", "/v1/spend"),
    *("/v1/spend?group_by=team,service,feature", "/v1/charges", "/v1/performance?group_by=team"),
    *("/v1/spend.csv?group_by=team", f"/v1/statements/{MONTH}", f"/v1/statements/{MONTH}.csv"),
    *("/v1/budgets/check", "/v1/calls/evidence", "/", "/explore?group_by=team", "/calls"),
    *("/traces", "/teams", "/budgets", "/alerts", "/alerts/rules", "/alerts/silences"),
    *("/alerts/deliveries", "/performance", f"/statements/{MONTH}", "/models", "/what-if"),
)
CHANGES: Final = (
    ("PATCH", "/v1/budgets/{budget}", {"amount": "1"}),
    ("DELETE", "/v1/budgets/{budget}", None),
    ("PATCH", "/v1/alert-rules/{rule}", {"name": "mine"}),
    ("DELETE", "/v1/alert-rules/{rule}", None),
    ("POST", "/v1/alerts/{alert}/acknowledge", {}),
    ("DELETE", "/v1/silences/{silence}", None),
)


made = ledger_of_two


@pytest.fixture
def theirs_is_not_mine(made: TwoTeams) -> Iterator[tuple[TwoTeams, list[TestClient]]]:
    """Somebody of search with a key, as its lead and as its viewer."""
    app = made.asking().app
    clients = []
    for caller in everybody(made):
        if caller.team == "search":
            client = TestClient(app, raise_server_exceptions=False, follow_redirects=False)
            client.headers.update(caller.shows | {"Sec-Fetch-Site": "same-origin"})
            clients.append(client)
    assert len(clients) == 3
    yield made, clients
    for client in clients:
        client.close()


def test_an_id_of_another_team_is_not_there(theirs_is_not_mine: Any) -> None:
    made, clients = theirs_is_not_mine
    for noun, places in OF_AN_ID.items():
        for place in places:
            theirs, nobodys = place.format(made.ids[noun]["support"]), place.format("999999")
            if noun == "trace":
                nobodys = place.format("f" * 32)
            for client in clients:
                answer, empty = client.get(theirs), client.get(nobodys)
                assert answer.status_code in {403, 404}, theirs
                assert THEIRS not in answer.text, theirs
                assert answer.status_code == empty.status_code, "it is there and it is not, alike"


def test_no_list_sum_or_file_tells_of_another_team(
    theirs_is_not_mine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.pages.charts._drawn", lambda _spec: "<svg></svg>")
    made, clients = theirs_is_not_mine
    everything = made.asking(made.keys["admin"])
    told = [place for place in LISTS if THEIRS in everything.get(place).text]
    assert len(told) >= 8, "whoever sees all is told of it"
    for number, place in enumerate(LISTS):
        # One after the other: a page takes its time, and what bounds them is one function.
        answer = clients[number % len(clients)].get(place)
        assert answer.status_code == 200, place
        assert THEIRS not in answer.text, place
    for path in ("/v1/spend", "/v1/charges", "/v1/calls", "/v1/performance"):
        bounds = {"from": "2026-10-01", "to": "2026-11-01"}
        assert clients[0].get(path, params={**bounds, "team": "support"}).status_code == 403
    costs = clients[0].get("/v1/spend?from=2026-10-01&to=2026-11-01").json()["total"]
    assert (costs["cost"], costs["calls"]) == ("10.00", 1)


def test_nothing_of_another_team_is_changed_or_closed(theirs_is_not_mine: Any) -> None:
    made, clients = theirs_is_not_mine
    ids = {noun: of.get("support") for noun, of in made.ids.items()}
    admin = made.asking(made.keys["admin"])
    before = [admin.get(place).text for place in ("/v1/budgets", "/v1/alert-rules", "/v1/silences")]
    for method, place, body in CHANGES:
        for client in clients:
            answer = client.request(method, place.format(**ids), json=body)
            assert answer.status_code in {403, 404}, (method, place)
            assert THEIRS not in answer.text
    for path, body in (
        (
            "/v1/budgets",
            {"name": "b", "amount": "1", "period": "month", "thresholds": [50], "currency": "USD"},
        ),
        ("/v1/alert-rules", {"name": "r", "kind": "unpriced"}),
    ):
        for only in ({}, {"team": ["support"]}, {"team": ["search", "support"]}):
            for client in clients:
                answer = client.post(path, json={**body, "filter": only})
                assert answer.status_code in {403, 422}, (path, only, answer.text)
                assert answer.json().get("field", "filter") == "filter"
    silence = {"kind": "mute", "budget_id": ids["budget"], "hours": 1}
    for client in clients:
        assert client.post("/v1/silences", json=silence).status_code in {403, 404, 422}
    after = [admin.get(place).text for place in ("/v1/budgets", "/v1/alert-rules", "/v1/silences")]
    assert after == before


def test_naming_a_budget_of_others_tells_a_lead_nothing_of_it(made: TwoTeams) -> None:
    (lead,) = (each for each in everybody(made) if each.name == "as lead of search")
    admin = made.asking(made.keys["admin"])
    said = {"amount": "10", "period": "month", "thresholds": [50], "currency": "USD"}
    both = {**said, "name": "silver-stork", "filter": {"team": ["search", "support"]}}
    above = admin.post("/v1/budgets", json=both).json()["id"]
    mine = {**said, "name": "mine", "filter": {"team": ["search"]}}
    below = admin.post("/v1/budgets", json={**mine, "name": "below", "parent": above}).json()["id"]
    with browser(made) as opened:
        shows = {**OURS, "Cookie": f"{opened.cookie}; {lead.shows['Cookie']}"}

        def asked(method: str, place: str, **sent: Any) -> Any:
            answer = opened.client.request(method, place, headers=shows, **sent)
            opened.client.cookies.clear()
            # A form offers channels of other teams, too.
            told = re.sub('(?s)<fieldset id="channels".*?</fieldset>', "", answer.text)
            assert THEIRS not in told, (place, sent)
            assert "silver-stork" not in answer.text or "silver-stork" in str(sent), (place, sent)
            return answer

        for parent in (above, "silver-stork", str(above), made.ids["budget"]["support"], 999_999):
            refused = asked("POST", "/v1/budgets", json={**mine, "parent": parent})
            assert (refused.status_code, refused.json()["field"]) == (422, "parent"), parent
            assert "is in force" in refused.json()["detail"]
        for change in ({"amount": "20"}, {"parent": None}):
            assert asked("PATCH", f"/v1/budgets/{below}", json=change).json()["parent"] is None
        assert admin.get(f"/v1/budgets/{below}").json()["parent"] == "silver-stork", "as it was"
        for place in ("/budgets/new", f"/budgets/{below}/edit"):
            assert asked("GET", place).status_code == 200
        for team, status in (("support", 422), ("search", 200)):
            form = {"form_token": opened.form, "dimension": "team", "value": team, **WRITTEN}
            tried = asked("POST", "/budgets/preview", data=form)
            assert (tried.status_code, "would have told" in tried.text) == (status, status == 200)
    for each in (below, above):
        admin.delete(f"/v1/budgets/{each}")


def test_a_cursor_of_another_answer_opens_nothing_of_another_team(made: TwoTeams) -> None:
    everything, mine = made.asking(made.keys["admin"]), made.asking(made.keys["read search"])
    for path in ("/v1/calls", "/v1/charges"):
        first = everything.get(path, params={"limit": 1}).json()
        assert first["next"], path
        second = mine.get(path, params={"limit": 1, "cursor": first["next"]})
        assert second.status_code in {200, 422}
        assert THEIRS not in second.text


def test_keys_that_begin_alike_are_two(made: TwoTeams) -> None:
    key = made.keys["admin"]
    other = key[:-1] + ("a" if key[-1] != "a" else "b")
    app = made.asking().app
    for shown, status in ((key, 200), (other, 401), (key, 200), (key[:30], 401), (key + "a", 401)):
        client = TestClient(app)
        answer = client.get("/v1/budgets", headers={"Authorization": f"Bearer {shown}"})
        assert answer.status_code == status


def test_nobody_is_told_a_hash(made: TwoTeams) -> None:
    admin = made.asking(made.keys["admin"])
    told = {made.keys["admin"].split("_")[2][8:], hash_of_a_key(made)}
    for place in ("/settings/keys", "/settings/about", "/v1/channels", "/openapi.json", "/"):
        text = admin.get(place, headers={"Accept": "text/html"}).text
        assert not [each for each in told if each in text], place


def test_many_keys_that_are_none_are_told_to_wait(made: TwoTeams) -> None:
    client = made.asking()
    # No minute ends meanwhile.
    client.app.state.knocks._monotonic = lambda: 30.0  # type: ignore[attr-defined]  # Starlette's
    answers = [
        client.get("/v1/budgets", headers={"Authorization": f"Bearer sl_read_{n:060}"})
        for n in range(60)
    ]
    assert [each.status_code for each in answers[:20]] == [401] * 20
    assert answers[-1].status_code == 429
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60
    good = {"Authorization": f"Bearer {made.keys['admin']}"}
    assert made.asking(made.keys["admin"]).get("/v1/budgets", headers=good).status_code == 200
