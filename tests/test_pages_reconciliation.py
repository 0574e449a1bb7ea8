"""Bills beside estimates on pages: parts that add up, and what a true-up would book."""

import csv
from decimal import Decimal
from io import StringIO

import pytest
from billed_month import FORMATS, USED, in_month, put_bill, put_ledger
from filled_ledger import asking
from test_pages_preferences import OURS, token
from test_pages_teams import table, words
from test_reconcile_asked import NOW, with_faults

from spend.reconciliation.bills import Bill
from store.postgres.sessions import Database

pytestmark = pytest.mark.one_server

OPENAI = FORMATS["openai costs"]


@pytest.fixture
def october(database: Database) -> Bill:
    """October's bill, with several faults, and November's."""
    said = with_faults(USED)
    with database.write() as session:
        put_ledger(session, OPENAI)
        put_bill(session, OPENAI, in_month(said, "2026-11"), "2026-11")
        return put_bill(session, OPENAI, in_month(said, "2026-10"), "2026-10")


def test_the_bill_s_page_says_what_the_api_says(database: Database, october: Bill) -> None:
    client = asking(database, now=NOW)
    said = client.get(f"/v1/bills/{october.id}/variance").json()
    place = f"/reconciliation/{october.id}"
    reasons = table(client, place, "reasons")
    assert [Decimal(row["amount"]) for row in reasons[:-1]] == [
        Decimal(amount) for amount in said["by_reason"].values()
    ]
    assert reasons[-1]["reason"] == "Left over"
    assert sum(Decimal(row["amount"]) for row in reasons) == Decimal(said["difference"])
    lines = table(client, place, "lines")
    assert len(lines) == len(said["lines"])
    assert sum(Decimal(row["difference"]) for row in lines) == Decimal(said["difference"])
    models = table(client, place, "by_model")
    whole = Decimal(said["difference"]).quantize(Decimal("0.01"))
    assert abs(sum(Decimal(row["difference"]) for row in models) - whole) <= Decimal("0.01")
    shown = words(client.get(place).text)
    assert "Beyond the tolerance" in shown or "beyond the tolerance" in shown
    assert "sora-2" in shown


def test_a_month_s_bills_stand_beside_estimates_and_bills_that_lack(
    database: Database,
    october: Bill,
) -> None:
    mistral = FORMATS["plain csv"]
    with database.write() as session:
        put_ledger(session, mistral)
    client = asking(database, now=NOW)
    rows = table(client, "/reconciliation?month=2026-10", "beside")
    assert [row["provider"] for row in rows] == ["openai", "mistral"]
    assert rows[1]["mostly"] == "no bill"
    assert Decimal(rows[0]["billed"]) == october.total
    assert "November 2026" in client.get("/reconciliation").text, "the last month with a bill"
    assert len(table(client, "/reconciliation", "bills")) == 2
    assert "spanledger bills import" in client.get("/reconciliation").text
    with database.write() as session:
        said = in_month(USED, "2026-10")
        newer = put_bill(session, OPENAI, said, "2026-10", replaces=True)
    old = client.get(f"/reconciliation/{october.id}", headers={"Accept": "text/html"})
    assert old.status_code == 409
    assert "newer version" in old.text
    assert client.get(f"/reconciliation/{newer.id}").status_code == 200
    assert client.get("/reconciliation/999").status_code == 404


def test_a_true_up_is_shown_first_and_booked_once(database: Database, october: Bill) -> None:
    client = asking(database, now=NOW)
    place = f"/reconciliation/{october.id}/true-up"
    booked = table(client, place, "booked")
    variance = client.get(f"/v1/bills/{october.id}/variance").json()
    whole = Decimal(variance["difference"]).quantize(Decimal("0.01"))
    assert sum(Decimal(row["amount"]) for row in booked) == whole
    assert variance["booked"] == "0.00", "nothing is booked by looking"
    (before,) = table(client, "/reconciliation?month=2026-10", "beside")
    assert round(Decimal(before["open"]), 2) == whole
    sent = {"form_token": token(client, place)}
    assert client.post(place, data={"form_token": "x.y"}, headers=OURS).status_code == 403
    done = client.post(place, data=sent, headers=OURS)
    assert "Booked." in words(done.text)
    after = client.get(f"/v1/bills/{october.id}/variance").json()
    assert after["open"] == "0.00"
    (beside,) = table(client, "/reconciliation?month=2026-10", "beside")
    assert round(Decimal(beside["open"]), 2) == 0, "not as it was kept"
    assert "the ledger comes to what is billed already" in words(client.get(place).text)


def test_without_bills_the_page_says_how_to_take_one(database: Database) -> None:
    client = asking(database, now=NOW)
    shown = words(client.get("/reconciliation").text)
    assert "No bills yet" in shown
    assert list(csv.DictReader(StringIO(client.get("/reconciliation?csv=bills").text))) == []
    assert client.get("/reconciliation?month=2026-13").status_code == 422
