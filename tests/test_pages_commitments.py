"""Pages of commitments: how far each is used, as the API says it."""

import csv
import re
from html import unescape
from io import StringIO

import pytest
from committed import declared, settle
from filled_ledger import GPT, SEARCH, asking, at, put_charge

from store.commitments import commitments
from store.postgres.sessions import Database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

HOSTILE = "<img src=x onerror=alert(1)>"


def words(text: str) -> str:
    body = re.sub(r"<(script|style|svg).*?</\1>", " ", text, flags=re.DOTALL)
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)))


def test_commitments_show_what_is_used_left_and_lost(database: Database) -> None:
    client = asking(database, now="2026-11-20T12:00")
    assert "No commitment is declared" in words(client.get("/commitments").text)
    said = (
        declared(name=HOSTILE, amount="100", paid="80", valid_to="2026-11-01"),
        declared(name="minimum", kind="minimum", amount="500"),
        declared(name="to come", valid_from="2027-01-01"),
    )
    with database.write() as session:
        for each in said:
            commitments.declare(session, TENANT, each, now=at("2026-10-01"))
        put_charge(session, "2026-10-05T10:00", "60", SEARCH, GPT)
        put_charge(session, "2026-11-05T10:00", "50", SEARCH, GPT)
    settle(database, "2026-11-20T12:00")
    shown = client.get("/commitments")
    assert "<img" not in shown.text
    answer = client.get("/commitments?csv=commitments").text
    rows = {row["commitment"]: row for row in csv.DictReader(StringIO(answer))}
    for each in client.get("/v1/commitments").json()["commitments"]:
        latest = each["latest"]
        row = rows[each["name"]]
        if latest is None:
            assert row["period"] == "begins 1 Jan 2027, 00:00"
            continue
        assert (row["committed"], row["used"], row["left"]) == (
            latest["committed"],
            latest["used"],
            latest["left"],
        )
        forecast = latest["forecast"] or {}
        assert row["unused"] == (latest["unused"] or forecast.get("unused"))
    assert rows[HOSTILE]["unused"] == "32.00", "lost of what was paid"


def test_a_commitment_shows_a_period_s_burn_down_and_all_its_periods(database: Database) -> None:
    client = asking(database, now="2026-11-20T12:00")
    with database.write() as session:
        minimum = declared(name="minimum", kind="minimum", amount="500")
        held = commitments.declare(session, TENANT, minimum, now=at("2026-10-01"))
        late = declared(name="late", valid_from="2027-01-01")
        to_come = commitments.declare(session, TENANT, late, now=at("2026-10-01"))
        put_charge(session, "2026-10-05T10:00", "60", SEARCH, GPT)
        put_charge(session, "2026-11-05T10:00", "620", SEARCH, GPT)
    settle(database, "2026-11-20T12:00")
    place = f"/commitments/{held.id}"
    now = words(client.get(place).text)
    assert "used up 5 Nov 2026, 10:00" in now
    assert "A minimum for OpenAI, from" in now
    october = client.get(f"{place}?period=2026-10-01")
    assert "paid, and covered nothing" in words(october.text)
    assert "$440.00" in october.text
    periods = list(csv.DictReader(StringIO(client.get(f"{place}?csv=periods").text)))
    assert [row["used"] for row in periods] == ["500.00", "60.00"]
    assert "It begins 1 Jan 2027" in words(client.get(f"/commitments/{to_come.id}").text)
    with database.write() as session:
        commitments.withdraw(session, TENANT, held.id, now=at("2026-11-20T12:00"))
    assert "withdrawn or replaced" in words(client.get(place).text)
    assert client.get(f"{place}?period=x").status_code == 422
    assert client.get("/commitments/77").status_code == 404
