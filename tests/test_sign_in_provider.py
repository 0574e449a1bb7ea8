"""People sign in through an identity provider, and are who they are there."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from filled_ledger import SEARCH, SUPPORT, at, put_cell
from signing_in import NOW, Trip, known, of, trip_over
from sqlalchemy import func, select
from test_pages_preferences import token

from spend.access.roles import Role, role_terms
from store import audit
from store.access import people, sign_ins
from store.postgres.sessions import Database
from store.tables.access import sessions
from store.tenants import TENANT

pytestmark = pytest.mark.one_server


@pytest.fixture
def trip(database: Database) -> Iterator[Trip]:
    with trip_over(database) as made:
        yield made


def test_without_signing_in_nothing_is_shown_also_where_there_are_no_keys(trip: Trip) -> None:
    browser = trip.browser()
    shown = browser.get("/teams")
    assert shown.url.path == "/sign-in"
    assert "/sign-in/provider?back=/teams" in shown.text
    assert browser.get("/v1/spend").status_code == 401


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_who_is_in_a_group_has_its_role(trip: Trip, alg: str) -> None:
    trip.provider.alg = alg
    trip.provider.claims = of("ops", "others")
    browser = trip.browser()
    back = trip.sign_in(browser, "/settings/keys")
    assert (back.status_code, back.headers["location"]) == (303, "/settings/keys")
    cookies = back.headers.get_list("set-cookie")
    assert any(re.match(r"spanledger_session=.*HttpOnly; Max-Age=43200.*lax", c) for c in cookies)
    shown = browser.get("/settings/keys").text
    assert "Ada Example" in shown
    assert "Make a key" in shown, "an admin, who needs no first key to be one"
    (ada,) = known(trip.database)
    assert (ada.email, ada.name, ada.subject) == ("ada@example.com", "Ada Example", "u-1")
    assert [held.role for held in ada.roles] == [Role("admin")]
    made = browser.post(
        "/v1/budgets",
        json={"name": "b", "amount": "1", "filter": {"team": ["search"]}},
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    assert made.status_code == 201
    with trip.database.read() as session:
        (line, *_) = audit.page(session, TENANT, audit.Asked(noun="budget"), at_most=10)
    assert (line.actor.kind, line.actor.name) == ("person", "Ada Example")
    assert (line.actor.id, line.actor.address) == (str(ada.id), "testclient")


def test_a_lead_sees_one_team_and_changes_no_prices(trip: Trip) -> None:
    with trip.database.write() as session:
        for owner in (SEARCH, SUPPORT):
            put_cell(session, "2026-10-05", owner)
    trip.provider.claims = of("search-leads")
    browser = trip.browser()
    trip.sign_in(browser)
    asked = {"from": "2026-10-01", "to": "2026-11-01", "group_by": "team"}
    rows = browser.get("/v1/spend", params=asked).json()["rows"]
    assert [row["team"] for row in rows] == ["search"]
    assert browser.get("/v1/prices").status_code == 403
    ours = {"Sec-Fetch-Site": "same-origin"}
    assert browser.post("/v1/rates", json={}, headers=ours).status_code == 403


def test_who_has_no_role_is_told_so_and_sees_nothing(trip: Trip) -> None:
    browser = trip.browser()
    trip.sign_in(browser)
    for path in ("/", "/teams", "/settings", "/v1/spend"):
        shown = browser.get(path)
        assert shown.status_code == 403, path
        assert "Ada Example" in shown.text
    (ada,) = known(trip.database)
    with trip.database.write() as session:
        people.grant(session, ada, role_terms(role="viewer", team=None), tenant=TENANT, now=at(NOW))
    assert browser.get("/teams").status_code == 200, "without signing in again"


def test_groups_are_told_anew_each_time_and_what_was_granted_here_stays(trip: Trip) -> None:
    trip.provider.claims = of("ops")
    browser = trip.browser()
    trip.sign_in(browser)
    (ada,) = known(trip.database)
    finance = role_terms(role="finance", team=None)
    with trip.database.write() as session:
        assert people.grant(session, ada, finance, tenant=TENANT, now=at(NOW))
    trip.provider.claims = of()
    trip.sign_in(trip.browser())
    (ada,) = known(trip.database)
    assert [(held.role, held.source) for held in ada.roles] == [(finance, "grant")]
    assert "Make a key" not in browser.get("/settings/keys").text, "also in the other browser"


def test_who_has_several_roles_chooses_as_which_they_act(trip: Trip) -> None:
    trip.provider.claims = of("ops", "search-leads")
    browser = trip.browser()
    trip.sign_in(browser)
    shown = browser.get("/settings").text
    assert "as admin" in shown, "the strongest"
    (role_id,) = re.findall(r'name="role" value="(\d+)"', shown)
    ours = {"Sec-Fetch-Site": "same-origin"}
    sent = {"form_token": token(browser, "/settings"), "role": role_id}
    assert "You act as that now" in browser.post("/act-as", data=sent, headers=ours).text
    assert browser.get("/v1/prices").status_code == 403
    for wrong in ("0", "9" * 30, "x", ""):
        sent = {"form_token": token(browser, "/settings/preferences"), "role": wrong}
        assert browser.post("/act-as", data=sent, headers=ours).status_code == 422


def test_who_is_barred_is_out_at_once_and_does_not_come_back(trip: Trip) -> None:
    trip.provider.claims = of("ops")
    browser = trip.browser()
    trip.sign_in(browser)
    (ada,) = known(trip.database)
    with trip.database.write() as session:
        people.bar(session, ada, tenant=TENANT, now=at(NOW))
    assert browser.get("/v1/spend").status_code == 401
    again = trip.sign_in(browser)
    assert (again.status_code, "may not come in" in again.text) == (403, True)
    assert browser.get("/v1/spend").status_code == 401


def test_an_address_of_mail_counts_only_where_the_provider_made_sure(trip: Trip) -> None:
    for verified in (False, None, "true", 1):
        trip.provider.claims = {"sub": f"of {verified}", "email_verified": verified}
        trip.sign_in(trip.browser())
    assert {person.email for person in known(trip.database)} == {None}


def test_what_the_token_does_not_say_the_provider_is_asked_for(trip: Trip) -> None:
    trip.provider.claims = {"name": None, "email": None, "email_verified": None}
    told = {"sub": "u-1", "name": "Ada of UserInfo", "groups": ["finops"]}
    trip.provider.user_info = told
    trip.sign_in(trip.browser())
    (ada,) = known(trip.database)
    assert (ada.name, [held.role.name for held in ada.roles]) == ("Ada of UserInfo", ["finance"])
    trip.provider.user_info = told | {"sub": "u-2"}
    assert trip.sign_in(trip.browser()).status_code == 502, "another's"


def test_an_answer_is_good_for_the_browser_that_began_and_once(trip: Trip) -> None:
    trip.provider.claims = of("ops")
    mine, theirs = trip.browser(), trip.browser()
    back = trip.there(mine)
    assert theirs.get(back, follow_redirects=False).status_code == 400, "login CSRF"
    trip.there(theirs)
    assert theirs.get(back, follow_redirects=False).status_code == 400, "another journey's state"
    assert mine.get(back, follow_redirects=False).status_code == 303
    assert mine.get(back, follow_redirects=False).status_code == 400, "replayed"
    stolen = trip.provider.authorize(
        mine.get("/sign-in/provider", follow_redirects=False).headers["location"]
    )
    code = re.search(r"code=([^&]+)", stolen)
    assert code
    own = re.sub(r"code=[^&]+", f"code={code[1]}", trip.there(theirs))
    refused = theirs.get(own, follow_redirects=False)
    assert refused.status_code == 502, "another's code does not fit the verifier and nonce"
    for late in ("2026-10-20T12:11", "2026-10-21T12:00"):
        browser = trip.browser()
        back = trip.there(browser)
        later = trip.browser(now=late)
        later.cookies = browser.cookies
        assert later.get(back, follow_redirects=False).status_code == 400


def test_signing_in_gives_another_session_and_ends_the_one_before(trip: Trip) -> None:
    trip.provider.claims = of("ops")
    browser = trip.browser()
    browser.cookies.set("spanledger_session", "planted")
    trip.sign_in(browser)
    first = browser.cookies.get("spanledger_session", domain="testserver.local")
    assert first not in {None, "planted"}
    trip.sign_in(browser)
    second = browser.cookies.get("spanledger_session", domain="testserver.local")
    assert second != first
    copy = trip.browser()
    copy.cookies.set("spanledger_session", str(first))
    assert copy.get("/v1/spend").status_code == 401


def test_who_signs_out_is_out_also_with_a_copy_of_the_cookie(trip: Trip) -> None:
    trip.provider.claims = of("ops")
    here, there = trip.browser(), trip.browser()
    for browser in (here, there):
        trip.sign_in(browser)
    copy = trip.browser()
    copy.cookies = here.cookies
    copied = {name: str(value) for name, value in here.cookies.items()}
    ours = {"Sec-Fetch-Site": "same-origin"}
    assert here.post("/sign-out", headers=ours).status_code == 415, "not by a bare request"
    theirs = {"form_token": token(here, "/sign-out")}
    cross = here.post("/sign-out", data=theirs, headers={"Sec-Fetch-Site": "cross-site"})
    assert cross.status_code == 403
    here.post("/sign-out", data=theirs, headers=ours)
    copy = trip.browser()
    for name, value in copied.items():
        copy.cookies.set(name, value)
    assert copy.get("/v1/spend").status_code == 401
    assert there.get("/v1/spend").status_code == 200
    trip.sign_in(here)
    sent = {"form_token": token(here, "/sign-out")}
    here.post("/sign-out/everywhere", data=sent, headers=ours)
    assert there.get("/v1/spend").status_code == 401


def test_a_session_ends_by_itself(trip: Trip) -> None:
    trip.provider.claims = of("ops")
    browser = trip.browser()
    trip.sign_in(browser)
    for now, status in (("2026-10-20T23:59", 200), ("2026-10-21T00:00", 401)):
        later = trip.browser(now=now)
        later.cookies = browser.cookies
        assert later.get("/v1/spend").status_code == status
    for day, there in (("2026-11-19", 2), ("2026-11-21", 2), ("2026-12-22", 1)):
        with trip.database.write() as session:
            lasts = timedelta(hours=12)
            sign_ins.begin(session, TENANT, person_id=1, pepper=b"", lasts=lasts, now=at(day))
            assert session.scalar(select(func.count()).select_from(sessions)) == there, day


def test_an_address_of_mail_is_made_sure_of_where_it_is_said(trip: Trip) -> None:
    trip.provider.claims = {"email": None, "email_verified": True, "name": None}
    for verified, email in ((None, None), (True, "grace@example.com")):
        said = {"sub": "u-1", "email": "grace@example.com", "email_verified": verified}
        trip.provider.user_info = said
        assert trip.sign_in(trip.browser()).status_code == 303
        (grace,) = known(trip.database)
        assert grace.email == email


def test_what_discovery_says_wrongly_is_refused_not_a_failure_of_ours(trip: Trip) -> None:
    for place in ("https://[bad", "https://x/\ud800", "https://", "javascript:1", 7):
        trip.provider.metadata = {"authorization_endpoint": place}
        trip.at.clear()
        begin = trip.browser().get
        assert begin("/sign-in/provider", follow_redirects=False).status_code == 502, place


def test_nobody_is_sent_elsewhere_afterwards(trip: Trip) -> None:
    trip.provider.claims = of("ops")
    for back in ("//evil.example", "https://evil.example", "/\\evil.example", "evil", "/\t/e"):
        assert trip.sign_in(trip.browser(), back).headers["location"] == "/", back
