"""A browser's own zone, language of numbers and look."""

import re

import pytest
from fastapi.testclient import TestClient
from filled_ledger import asking

from store.postgres.sessions import Database

pytestmark = pytest.mark.one_server

PLACE = "/settings/preferences"
OURS = {"Sec-Fetch-Site": "same-origin"}


def token(client: TestClient, place: str = PLACE) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', client.get(place).text)
    assert found
    return found[1]


def test_what_is_chosen_is_kept_and_shown(database: Database) -> None:
    client = asking(database)
    sent = {
        "form_token": token(client),
        "zone": "Asia/Tokyo",
        "locale": "de-DE",
        "theme": "dark",
        "back": "/settings/preferences?timezone=Europe%2FBerlin",
    }
    saved = client.post(PLACE, data=sent, headers=OURS, follow_redirects=False)
    assert (saved.status_code, saved.headers["location"]) == (303, PLACE)
    for cookie in saved.headers.get_list("set-cookie"):
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
    shown = client.get(PLACE)
    assert shown.url.params["timezone"] == "Asia/Tokyo", "who is sent it reads the same"
    assert 'data-theme="dark"' in shown.text
    assert "1.234.567,89" in shown.text
    assert re.findall(r'value="([^"]+)" (?:selected|checked)', shown.text) == [
        "Asia/Tokyo",
        "de-DE",
        "dark",
    ]


def test_what_goes_without_choosing_is_not_kept(database: Database) -> None:
    client = asking(database)
    client.cookies.set("spanledger_zone", "Asia/Tokyo")
    sent = {"form_token": token(client), "zone": "", "locale": "", "theme": "auto", "back": "/x"}
    saved = client.post(PLACE, data=sent, headers=OURS, follow_redirects=False)
    assert saved.headers["location"] == "/x"
    assert all("Max-Age=0" in each for each in saved.headers.get_list("set-cookie"))


def test_what_is_refused_is_said_beside_its_field(database: Database) -> None:
    client = asking(database)
    sent = {"form_token": token(client), "zone": "Mars/Base", "locale": "xx", "theme": "neon"}
    refused = client.post(PLACE, data=sent, headers=OURS)
    assert refused.status_code == 422
    for said in ("no such time zone", "no such language", "no such look"):
        assert said in refused.text
    assert "set-cookie" not in refused.headers
