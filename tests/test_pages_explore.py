"""Spend by anything, over any time: what the page says is what the API says, and can be shared."""

import csv
import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from html import unescape
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient
from filled_ledger import CLAUDE, GPT, SEARCH, SUPPORT, asking, put_cell, put_charge
from httpx2 import Response
from test_api_keys import PEPPER, make_key
from test_pages_preferences import OURS, token

from api.pages.explore import explore_answer, explore_chart
from api.pages.explore.explore_time import Compare, compared, days_of
from spend.calls import Owner, Route
from spend.periods import Period
from store import saved_views
from store.breakdowns.grouping import TooManyRowsError
from store.postgres.sessions import Database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

OCTOBER = {"from": "2026-10-01", "to": "2026-11-01"}
EVIL = Owner(team="<script>alert(1)</script>", feature="javascript:alert(1)" + "x" * 900)


@pytest.fixture
def client(database: Database) -> TestClient:
    with database.write() as session:
        for day, owner, route, amount in (
            ("2026-09-05", SEARCH, GPT, "2"),
            ("2026-10-05", SEARCH, GPT, "3.123456789012"),
            ("2026-10-06", SEARCH, CLAUDE, "0.000000000001"),
            ("2026-10-06", SUPPORT, CLAUDE, "10"),
        ):
            put_cell(session, day, owner, route, calls=5, input=100, output=7)
            put_charge(session, day, amount, owner, route, listed=amount)
    return asking(database, now="2026-10-20T12:00", key_pepper=PEPPER)


def shown(client: TestClient, **asked: str | list[str]) -> str:
    answer = client.get("/explore", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.text


def table(client: TestClient, name: str, **asked: str) -> list[dict[str, str]]:
    answer = client.get("/explore", params={**asked, "csv": name})
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(StringIO(answer.text)))


def links(text: str) -> list[str]:
    return [unescape(each) for each in re.findall(r'href="([^"]*)"', text)]


def text_of(text: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


def total(client: TestClient, **asked: str) -> Mapping[str, str]:
    found: Mapping[str, str] = client.get("/v1/spend", params=asked).json()["total"]
    return found


def test_every_sum_is_what_the_api_says_to_the_last_digit(client: TestClient) -> None:
    lines = table(client, "table", **OCTOBER, group_by="team,provider", columns="day")
    whole = Decimal(total(client, **OCTOBER)["cost"])
    assert sum(Decimal(line["total"]) for line in lines) == whole == Decimal("13.123456789013")
    for line in lines:
        days = [Decimal(line[name]) for name in line if name.startswith("2026-") and line[name]]
        assert sum(days) == Decimal(line["total"])
    groups = table(client, "groups", **OCTOBER, group_by="team", columns="provider")
    assert sum(Decimal(each["cost"]) for each in groups) == whole
    assert {(each["team"], each["provider"]) for each in groups} == {
        ("search", "openai"),
        ("search", "anthropic"),
        ("support", "anthropic"),
    }
    assert "$13.12" in text_of(shown(client, **OCTOBER))


def test_money_without_a_rate_has_lines_of_its_own_in_the_file_of_groups(
    client: TestClient, database: Database
) -> None:
    with database.write() as session:
        put_charge(session, "2026-10-06", "3.25", SUPPORT, GPT, currency="CHF")
    asked = OCTOBER | {"group_by": "team", "columns": "provider"}
    lines = [
        (each["team"], each["provider"], each["cost"], each["calls"])
        for each in table(client, "groups", **asked)
        if each["currency"] == "CHF"
    ]
    assert lines == [("support", "openai", "3.25", "0")]
    told = list(
        csv.DictReader(
            StringIO(client.get("/v1/spend.csv", params=OCTOBER | {"group_by": "team"}).text)
        )
    )
    assert [each["cost"] for each in told if each["currency"] == "CHF"] == ["3.25"]
    assert "3.25" in text_of(shown(client, **asked))


def test_what_has_no_bar_of_its_own_is_in_one_for_all_others(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explore_chart, "MOST_BARS", 0)
    page = shown(client, **OCTOBER, group_by="team", columns="provider")
    found = re.search(r'<script type="application/json" class="spec">(.*?)</script>', page)
    assert found
    values = json.loads(found[1])["data"]["values"]
    assert {each["label"] for each in values} == {"All others (2)"}
    assert sum(each["value"] for each in values) == pytest.approx(13.123456789013)


def test_weeks_begin_on_monday_and_add_up_as_days_do(client: TestClient) -> None:
    (line,) = table(client, "table", **OCTOBER, group_by="", columns="week", measure="calls")
    weeks = {name: line[name] for name in line if name.startswith("2026-")}
    assert list(weeks) == ["2026-09-28", "2026-10-05", "2026-10-12", "2026-10-19", "2026-10-26"]
    assert (weeks["2026-10-05"], line["total"]) == ("15", "15")


def test_all_and_none_are_two_filters(client: TestClient) -> None:
    def teams(**asked: str) -> set[str]:
        return {each["team"] for each in table(client, "groups", **OCTOBER, **asked)}

    assert teams(group_by="team") == {"search", "support"}
    assert teams(group_by="team", feature="") == {"search"}
    assert teams(group_by="team", feature="triage") == {"support"}
    page = shown(client, **OCTOBER, feature=["", "triage"], team="support")
    assert re.search(r'name="feature" value="" data-empty="kept" checked', page)
    chips = re.findall(r'<a href="([^"]*)" aria-label="Remove the filter (\w+) ([^"]+)"', page)
    assert [(name, value) for _href, name, value in chips] == [
        ("Team", "support"),
        ("Feature", "(none)"),
        ("Feature", "triage"),
    ]
    without = client.get(unescape(chips[1][0]))
    assert without.url.params.get_list("feature") == ["triage"]


def test_a_time_stands_beside_the_one_before(client: TestClient, database: Database) -> None:
    (line,) = table(client, "table", group_by="", range="this-month", columns="none")
    assert (line["total"], line["before"]) == ("13.123456789013", "2.00")
    assert line["difference"] == "11.123456789013"
    alone = table(client, "table", group_by="", range="this-month", compare="none")
    assert "before" not in alone[0]
    assert "beside 1 Sept 2026 to 20 Sept 2026" in text_of(shown(client))
    with database.write() as session:
        put_cell(session, "2026-09-06", SUPPORT, CLAUDE, unpriced=1, input=7)
    by_team = table(client, "table", group_by="team", range="this-month", columns="none")
    (support,) = (row for row in by_team if row["team"] == "support")
    assert support["difference"] == support["change"] == "", "what was unknown was not nothing"


@pytest.mark.parametrize(
    ("name", "how", "today", "days"),
    [
        ("this-month", "before", "2026-03-31", "2026-02-01 2026-03-01"),
        ("this-month", "before", "2026-03-29", "2026-02-01 2026-03-01"),
        ("this-month", "before", "2026-10-30", "2026-09-01 2026-10-01"),
        ("last-month", "before", "2026-03-31", "2026-01-01 2026-02-01"),
        ("7-days", "before", "2026-03-31", "2026-03-18 2026-03-25"),
        ("this-quarter", "before", "2026-11-23", "2026-07-01 2026-08-24"),
        ("this-year", "before", "2026-11-23", "2025-01-01 2025-11-24"),
        ("30-days", "month", "2026-11-23", "2026-09-25 2026-10-24"),
        ("30-days", "year", "2026-11-23", "2025-10-25 2025-11-24"),
    ],
)
def test_what_a_time_is_compared_with(name: str, how: Compare, today: str, days: str) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    first, end = days_of(name, date.fromisoformat(today))
    period = Period(
        *(
            datetime.combine(each, datetime.min.time(), berlin).astimezone(UTC)
            for each in (first, end)
        )
    )
    found = compared(period, berlin, how, name)
    assert found is not None
    told = [f"{each.astimezone(berlin):%Y-%m-%d}" for each in (found.start, found.end)]
    assert " ".join(told) == days


def test_a_cell_leads_to_what_it_is_made_of_and_to_its_calls(client: TestClient) -> None:
    page = shown(client, **OCTOBER, group_by="team", columns="day", feature="triage")
    deeper = next(
        each for each in links(page) if "team=support" in each and "from=2026-10-06" in each
    )
    answer = client.get(deeper)
    asked = answer.url.params
    assert (asked["to"], asked["feature"], asked["team"]) == ("2026-10-07", "triage", "support")
    assert asked["group_by"] not in {"team", "feature"}
    assert "$10.00" in text_of(answer.text)
    calls = [each for each in links(page) if each.startswith("/calls?")]
    of_cell = next(each for each in calls if "from=2026-10-06" in each)
    assert client.get(of_cell).status_code == 200
    assert "team=support" in of_cell
    assert "feature=triage" in of_cell


def test_a_form_without_scripts_leads_to_an_address_that_can_be_sent(client: TestClient) -> None:
    asked = "/explore?range=this-month&was=2026-10-01/2026-10-20&from=2026-10-01&through=2026-10-20"
    same = client.get(f"{asked}&group_by=&add=&value=", follow_redirects=False)
    assert same.headers["location"] == "/explore?range=this-month&group_by="
    changed = asked.replace("from=2026-10-01", "from=2026-10-05")
    moved = client.get(f"{changed}&add=team&value=a%26b&feature=", follow_redirects=False)
    assert moved.headers["location"] == (
        "/explore?from=2026-10-05&feature=&to=2026-10-21&team=a%26b"
    )


def test_mistakes_are_told_beside_what_was_asked(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(**asked: str) -> str:
        answer = client.get("/explore", params=asked)
        assert answer.status_code == 422
        assert 'name="group_by"' in answer.text, "the form is there to be mended"
        found = re.search(r'role="alert">([^<]+)', answer.text)
        assert found
        return unescape(found[1])

    assert "is not after" in refused(**{"from": "2026-10-05", "to": "2026-10-01"})
    assert "is not a dimension" in refused(group_by="colour")
    assert "is none of" in refused(columns="colour")

    def endless(*_asked: object) -> None:
        raise TooManyRowsError

    monkeypatch.setattr(explore_answer, "spend_by_days", endless)
    assert "more than 50,000 rows: group by less" in refused(group_by="customer")


def save(client: TestClient, name: str, address: str) -> Response:
    sent = {"form_token": token(client, address), "name": name}
    return client.post(address, data=sent, headers=OURS, follow_redirects=False)


def test_a_view_is_saved_seen_and_removed(client: TestClient, database: Database) -> None:
    address = "/explore?group_by=team&feature=&range=last-month"
    saved = save(client, " Teams,  last month ", address)
    assert (saved.status_code, saved.headers["location"]) == (303, f"{address}&done=saved")
    page = client.get("/explore").text
    assert f'<a href="{address.replace("&", "&amp;")}"><bdi>Teams, last month</bdi></a>' in page
    again = save(client, "Teams, last month", address)
    assert (again.status_code, "already" in again.text) == (422, True)
    assert 'value="Teams, last month"' in again.text, "what was typed stays"
    assert save(client, "a\u202eb", address).status_code == 422
    removal = re.search(r'action="(/explore/views/\d+/remove)"', client.get(address).text)
    assert removal
    sent = {"form_token": token(client, address)}
    none = f"/explore/views/{10**19}/remove"
    assert client.post(none, data=sent, headers=OURS).status_code == 422
    assert client.post(removal[1], data=sent, headers=OURS).url.params["done"] == "removed"
    with database.read() as session:
        assert saved_views.views(session, TENANT) == []


def test_a_key_of_a_team_sees_its_own_and_changes_nothing(
    client: TestClient, database: Database
) -> None:
    save(client, "Everything", "/explore?group_by=team")
    key = make_key(database, "read", "support")
    page = client.get("/explore?group_by=team", headers=key).text
    assert "Everything" in page
    assert "Save this view" not in page
    assert "search" not in re.sub(r"<nav.*?</nav>", "", page, flags=re.DOTALL).replace(
        "research", ""
    )
    assert "$10.00" in text_of(page)
    assert client.get("/explore?team=search", headers=key).status_code == 403
    sent = {"name": "mine"}
    assert client.post("/explore", data=sent, headers=key | OURS).status_code == 403


def test_names_from_spans_are_inert(client: TestClient, database: Database) -> None:
    with database.write() as session:
        route = Route(provider='"><img src=x>', model="\u202eevil", deployment="api")
        put_cell(session, "2026-10-07", EVIL, route, calls=1)
        put_charge(session, "2026-10-07", "1", EVIL, route)
    for grouping in ("team,feature", "provider,model"):
        page = shown(client, **OCTOBER, group_by=grouping, columns="day")
        assert "<script>alert" not in page
        assert "<img" not in page
        assert all(each.startswith(("/", "?", "#", "data:,")) for each in links(page))
        assert "x" * 200 not in text_of(page), "what is long is cut"


def test_nothing_in_a_time_is_said_in_words(client: TestClient) -> None:
    page = shown(client, **{"from": "2026-01-01", "to": "2026-02-01"})
    assert "Nothing was spent and nothing was called" in page


def test_a_time_that_moves_takes_the_place_of_days(client: TestClient) -> None:
    page = shown(client, **OCTOBER, team="search")
    (week,) = [each for each in links(page) if "range=7-days" in each]
    assert week == "/explore?team=search&range=7-days"
