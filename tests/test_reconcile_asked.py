"""Bills are compared and trued up by command and over the API; what cannot be is told why."""

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from io import StringIO

import pytest
from bill_writers import Used
from billed_month import FORMATS, USED, charged, in_month, put_bill, put_ledger
from filled_ledger import asking, at, put_names
from sqlalchemy import insert
from test_bills_taken import Run
from test_reconcile_formats import dearer, more, past_the_end, unheard

from spend.calls import Owner, Route
from spend.periods import Period
from spend.reconciliation.bills import Bill
from store.access.keys import create_key
from store.bills import reconcile
from store.postgres.sessions import Database
from store.tables.ledger import charges
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

OPENAI, MISTRAL = FORMATS["openai costs"], FORMATS["plain csv"]
NOW = "2026-12-05"


def with_faults(used: Sequence[Used]) -> list[Used]:
    said = list(used)
    for fault in (dearer, more, past_the_end, unheard):
        said = [line for each in said for line in fault(each)]
    return said


@pytest.fixture
def october(database: Database) -> Bill:
    """October's bill, with several faults, and November's."""
    with database.write() as session:
        put_ledger(session, OPENAI)
        said = with_faults(USED)
        put_bill(session, OPENAI, in_month(said, "2026-11"), "2026-11")
        return put_bill(session, OPENAI, in_month(said, "2026-10"), "2026-10")


@pytest.fixture
def run(database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    del database
    monkeypatch.setenv("SPANLEDGER_DATABASE_URL", database_url)
    return Run()


def test_the_command_tells_why_in_80_columns_and_the_files_are_exact(
    run: Run, october: Bill
) -> None:
    shown = run("reconcile", str(october.id))
    assert max(map(len, map(str.rstrip, shown.splitlines()))) <= 80
    amounts = dict(line.rsplit(maxsplit=1) for line in shown.splitlines()[5:13])
    told = sum(Decimal(each.replace(",", "")) for each in amounts.values())
    difference = next(line for line in shown.splitlines() if line.startswith("Difference"))
    assert told == Decimal(difference.split()[1].replace(",", ""))
    assert "  Scope: never heard of" in amounts
    assert shown.rstrip().endswith(f"spanledger bills true-up {october.id}")
    as_json = json.loads(run("reconcile", "--month", "2026-10", "--format", "json"))
    assert [each["provider"] for each in as_json] == ["openai"]
    rows = list(csv.DictReader(StringIO(run("reconcile", str(october.id), "--format", "csv"))))
    exact = Decimal(as_json[0]["difference"])
    assert sum(Decimal(row["difference"]) for row in rows) == exact
    assert sum(map(Decimal, as_json[0]["by_reason"].values())) == exact
    assert "no bills" in run("reconcile", "--month", "2026-08")
    assert "there is no bill 99" in run("reconcile", "99", code=1)
    assert "is not a month" in run("reconcile", "--month", "soon", code=2)
    run("reconcile", code=2)


def test_a_true_up_by_command_is_shown_first_and_posted_once(run: Run, october: Bill) -> None:
    dry = run("true-up", str(october.id), "--dry-run")
    assert "nothing was posted" in dry
    assert "uninstrumented" in dry
    assert dry.splitlines()[:-1] == run("true-up", str(october.id)).splitlines()[:-1]
    assert "nothing to post" in run("true-up", str(october.id))
    assert "Open" in run("reconcile", str(october.id))


def test_the_api_answers_the_same_and_posts_for_admins(database: Database, october: Bill) -> None:
    client = asking(database, now=NOW)
    variance = client.get(f"/v1/bills/{october.id}/variance").json()
    month = client.get("/v1/reconciliation?month=2026-10&provider=openai").json()
    assert month["bills"] == [variance]
    assert client.get("/v1/reconciliation?month=2026-10&provider=aws").json()["bills"] == []
    assert variance["difference"] == variance["open"]
    assert (variance["within"], variance["booked"]) == (False, "0.00")
    assert client.get("/v1/reconciliation?month=x").status_code == 422
    assert client.get("/v1/bills/99/variance").status_code == 404
    dry = client.post(f"/v1/bills/{october.id}/true-up?dry_run=true").json()
    done = client.post(f"/v1/bills/{october.id}/true-up").json()
    assert (dry["posted"], done["posted"], dry["lines"]) == (False, True, done["lines"])
    assert sum(Decimal(each["amount"]) for each in done["lines"]) == Decimal(variance["difference"])
    after = client.get(f"/v1/bills/{october.id}/variance").json()
    assert (after["open"], after["within"]) == ("0.00", True)
    lines = client.get("/v1/charges?from=2026-10-31&to=2026-11-01&limit=1000").json()["charges"]
    posted = [each for each in lines if each["bill_id"] == october.id]
    assert len(posted) == len(done["lines"])
    assert {each["contracted_cost"] for each in posted} == {"0.00"}
    with database.write() as session:
        key = create_key(
            session,
            tenant=TENANT,
            kind="read",
            name="team",
            team="search",
            pepper=b"p",
            now=at(NOW),
        )
    client = asking(database, now=NOW, key_pepper=b"p")
    headers = {"Authorization": f"Bearer {key}"}
    for path in (f"bills/{october.id}/variance", "reconciliation?month=2026-10"):
        assert client.get(f"/v1/{path}", headers=headers).status_code == 403


def test_what_cannot_be_compared_is_told_why(database: Database, october: Bill) -> None:
    with database.write() as session:
        put_bill(session, OPENAI, in_month(USED, "2026-10"), "2026-10", replaces=True)
        ids = put_names(session, Owner(team="search"), Route("openai", "gpt-4o", deployment="api"))
        francs = charged(in_month(USED, "2026-10")[0], *ids) | {"currency": "CHF"}
        session.execute(insert(charges), [francs])
    client = asking(database, now=NOW)
    replaced = client.get(f"/v1/bills/{october.id}/variance")
    assert (replaced.status_code, "newer version" in replaced.text) == (409, True)
    no_rate = client.get("/v1/reconciliation?month=2026-10")
    assert (no_rate.status_code, "from CHF" in no_rate.text) == (409, True)
    assert client.post("/v1/bills/99/true-up").status_code == 404


def test_a_close_hears_of_bills_beyond_their_tolerance(database: Database, october: Bill) -> None:
    with database.read() as session:
        period = Period(october.starts, october.ends)
        (said,) = reconcile.open_differences(session, TENANT, period, now=october.imported_at)
    assert said.startswith(f"openai: bill {october.id} is +")


def monthly(used: Sequence[Used]) -> list[Used]:
    """As an invoice has it: a line for each model and meter."""
    return [replace(each, day=each.day.replace(day=1)) for each in used]


def test_a_bill_without_days_is_compared_by_its_months(database: Database) -> None:
    def written(*args: object) -> str:
        rows = list(csv.DictReader(StringIO(MISTRAL.written(*args))))
        text = StringIO()
        names = [name for name in rows[0] if name != "date"]
        table = csv.DictWriter(text, names, extrasaction="ignore", lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
        return text.getvalue()

    form = replace(MISTRAL, written=written)
    faults = {
        "": lambda each: [each],
        "price": dearer,
        "more": more,
        "scope": unheard,
        "timing": past_the_end,
    }
    with database.write() as session:
        put_ledger(session, form)
        for bucket, fault in faults.items():
            tried = session.begin_nested()
            said = [line for each in USED for line in fault(each)]
            bill = put_bill(session, form, monthly(in_month(said, "2026-10")), "2026-10")
            put_bill(session, form, monthly(in_month(said, "2026-11")), "2026-11")
            variance = reconcile.of_bill(session, TENANT, bill, now=at(NOW)).variance
            told = getattr(variance.buckets, bucket or "price")
            assert told == variance.difference == variance.buckets.total, bucket
            assert bool(told) is bool(bucket), bucket
            tried.rollback()
