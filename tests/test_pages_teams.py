"""Pages of teams and of statements: the numbers of the API, whatever a team is called."""

import csv
import re
from decimal import Decimal
from html import unescape
from io import StringIO

import pytest
from budgeted import budget, evaluate
from fastapi.testclient import TestClient
from filled_ledger import (
    CLAUDE,
    GPT,
    IDLE,
    LLAMA,
    NOBODY,
    SEARCH,
    SUPPORT,
    asking,
    at,
    put_cell,
    put_charge,
)

from api.pages.links import segment
from spend.calls import Owner
from store.access.keys import create_key
from store.postgres.sessions import Database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

HOSTILE = ("a/b", "../x", "100%", "what?#", "<script>alert(1)</script>", "x" * 180, "javascript:1")


@pytest.fixture
def client(database: Database) -> TestClient:
    """September and some of October, asked on the 20th of October at noon."""
    with database.write() as session:
        for slot, amount, owner, route in (
            ("2026-09-10T10:00", "10.006", SEARCH, GPT),
            ("2026-09-25T10:00", "5", SEARCH, CLAUDE),
            ("2026-10-02T10:00", "12.333333", SEARCH, GPT),
            ("2026-10-03T10:00", "7.336", SUPPORT, CLAUDE),
            ("2026-10-04T10:00", "1.50", NOBODY, GPT),
            ("2026-10-05T10:00", "30.118", IDLE, LLAMA),
        ):
            put_cell(session, slot, owner, route, calls=3, input=900)
            put_charge(session, slot, amount, owner, route)
    return asking(database)


def table(client: TestClient, place: str, name: str) -> list[dict[str, str]]:
    answer = client.get(f"{place}{'&' if '?' in place else '?'}csv={name}")
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(StringIO(answer.text)))


def words(text: str) -> str:
    body = re.sub(r"<(script|style).*?</\1>", " ", text, flags=re.DOTALL)
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)))


def test_teams_come_dearest_first_and_what_is_nobodys_last(
    client: TestClient, database: Database
) -> None:
    budget(database, amount="10.00")
    shown = client.get("/teams")
    names = re.findall(r'<th scope="row"[^>]*>.*?<a href="/teams/([^?"]*)', shown.text)
    assert names == ["search", "support", "unallocated", "idle"]
    assert "nobody has claimed it" in words(shown.text)
    rows = {row["team"]: row for row in table(client, "/teams", "teams")}
    assert rows["search"]["cost"] == "12.33"
    # The present month is compared with the one before until the same day and time.
    assert rows["search"]["before"] == "10.01"
    assert rows["search"]["difference"] == "2.32"
    assert rows["search"]["used"] == "1.233", "of its budget"
    assert sum(Decimal(row["cost"]) for row in rows.values()) == Decimal("51.29")
    by_name = client.get("/teams?sort=team").text
    assert re.findall(r'<a href="/teams/([a-z]*)', by_name) == [
        "search",
        "support",
        "unallocated",
        "idle",
    ]
    with database.write() as session:
        put_charge(session, "2026-10-26T08:30", "100", SEARCH, GPT)
        put_charge(session, "2026-10-26T09:30", "1000", SEARCH, GPT)
    later = asking(database, now="2026-11-26T09:30")
    (search, *_) = table(later, "/teams?timezone=Europe/Berlin&sort=-before", "teams")
    assert search["before"] == "112.33", "until 10:30 there, also where the clock changed"
    over = {row["team"]: row for row in table(client, "/teams?month=2026-09", "teams")}
    assert over["search"]["cost"] == "15.01", "a month that is over, whole"
    assert "open" in client.get("/teams?month=2026-09").text


@pytest.mark.parametrize("place", ["/teams", "/teams/search", "/statements/2026-10"])
def test_a_budget_that_warns_does_so_wherever_it_is_listed(
    place: str, client: TestClient, database: Database
) -> None:
    budget(database, amount="14.00", thresholds=(80, 100))
    evaluate(database, at("2026-10-20T12:00"))
    shown = client.get(place).text
    used = re.search(r'<td class="[^"]*warn[^"]*"><svg class="bar warn".*?</td>', shown, re.DOTALL)
    assert used
    assert "88.1%" in used[0]
    assert "warning" in used[0]


def test_the_statement_of_a_page_says_what_the_api_says(client: TestClient) -> None:
    said = client.get("/v1/statements/2026-10").json()
    lines = table(client, "/statements/2026-10", "lines")
    told = {(row["team"], row["provider"], row["model"]): row["amount"] for row in said["rows"]}
    assert {
        (each["team"], each["provider"], each["model"]): each["amount"] for each in lines
    } == told
    shown = words(client.get("/statements/2026-10").text)
    assert f"${said['total']['amount']}" in shown
    for team in said["teams"]:
        assert f"{team['team']} ${team['amount']}" in shown, "a subtotal"
    why = table(client, "/statements/2026-10", "why")
    assert sum(Decimal(row["amount"]) for row in why) == Decimal(said["total"]["difference"])
    page = client.get("/statements/2026-10").text
    leads = re.search(r'href="(/explore[^"]*team=search[^"]*model=[^"]*)"', page)
    assert leads, "a line leads to what it is made of"
    behind = table(client, unescape(leads[1]), "groups")
    assert sum(int(each["calls"]) for each in behind) == int(lines[0]["calls"])
    own = table(client, "/teams/search?month=2026-10", "lines")
    assert [each for each in lines if each["team"] == "search"] == own


def test_it_can_be_had_as_files_and_printed(client: TestClient) -> None:
    text = client.get("/teams/search?month=2026-10&currency=USD").text
    pdf = "/v1/statements/2026-10.pdf?team=search&amp;currency=USD"
    assert f'href="{pdf}"' in text
    assert "printed 20 Oct 2026, 12:00 by anybody on this machine" in words(text)
    lines = client.get(unescape(pdf).replace(".pdf", ".csv"))
    assert lines.headers["content-type"].startswith("text/csv")
    form = client.get("/statements?month=2026-09&currency=USD", follow_redirects=False)
    assert form.headers["location"] == "/statements/2026-09?currency=USD"


def test_any_name_of_a_team_has_its_page(database: Database) -> None:
    with database.write() as session:
        for name in HOSTILE:
            put_charge(session, "2026-10-02T10:00", "1", Owner(team=name))
    client = asking(database)
    text = client.get("/teams").text
    assert "<script>alert" not in text
    links = re.findall(r'<th scope="row"[^>]*>.*?<a href="([^"]*)"', text)
    assert len(links) == len(HOSTILE)
    for link in links:
        shown = client.get(unescape(link))
        assert shown.status_code == 200
        assert "$1.00" in shown.text, link
        assert "<script>alert" not in shown.text
        assert 'href="javascript' not in shown.text
    name = HOSTILE[2]
    csv_link = re.search(
        r'href="([^"]*csv=lines[^"]*)"', client.get(f"/teams/{segment(name)}").text
    )
    assert csv_link
    assert "1.00" in client.get(unescape(csv_link[1])).text


def test_a_key_of_one_team_sees_that_team_s_month_alone(
    client: TestClient, database: Database
) -> None:
    with database.write() as session:
        secret = create_key(
            session,
            tenant=TENANT,
            kind="read",
            name="s",
            team="search",
            pepper=b"",
            now=at("2026-10-01"),
        )
    as_team = {"Authorization": f"Bearer {secret}"}
    seen = client.get("/teams", headers=as_team)
    assert re.findall(r'<a href="/teams/([a-z]+)', seen.text) == ["search"]
    assert "$51.29" not in seen.text
    assert "of all teams" not in seen.text
    assert client.get("/teams/search", headers=as_team).status_code == 200
    assert client.get("/teams/support", headers=as_team).status_code == 403
    mine = words(client.get("/statements/2026-10", headers=as_team).text)
    assert "search Statement of October 2026" in mine
    assert "support" not in mine
    for place in ("/months", "/months/2026-09", "/reconciliation"):
        assert client.get(place, headers=as_team).status_code == 403


def test_what_cannot_be_is_refused_and_nothing_says_so(client: TestClient) -> None:
    for asked in ("month=2026-13", "month=x", "currency=EURO", "rate_policy=x", "nonsense=1"):
        assert client.get(f"/teams?{asked}").status_code == 422, asked
    assert client.get("/statements/2026-13").status_code == 422
    assert "Nothing in July 2026" in client.get("/teams?month=2026-07").text
    assert "Nothing was heard of team nobody" in words(client.get("/teams/nobody").text)
    zoned = client.get("/statements/2026-10?timezone=Europe/Berlin").text
    assert "(Europe/Berlin)" in zoned
    assert "timezone=Europe%2FBerlin" in zoned, "links stay in the zone"
