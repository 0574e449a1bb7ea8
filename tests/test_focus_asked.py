"""FOCUS files of a ledger that the jobs have filled: of closed months, of bills, over the API."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from billed_month import FORMATS, USED, in_month, put_ledger
from billed_month import NOW as BILLED_AT
from billed_month import put_bill as put_bill_of
from click.testing import CliRunner, Result
from closed_months import close, filled, settle
from committed import declared
from filled_ledger import SEARCH, asking, at
from focus_month import (
    CALENDAR,
    PRICES,
    Sums,
    Table,
    added_up,
    exported,
    post,
    rows_of,
    used,
)
from focus_month import GPT as PRICED
from owned import apply, moved, rules, use
from sqlalchemy import func, select
from test_focus_export import faults, found

from app.cli import cli
from spend.calls import Owner
from spend.capacity.pool_files import pool_of_fields
from spend.reconciliation.bill_assembly import Assembled
from spend.reconciliation.bills import CREDIT, TAX, USAGE, Bill, BillLine
from store import true_up
from store.access.keys import create_key
from store.bills import bills
from store.capacity import pools
from store.commitments import commitments
from store.postgres.sessions import Database
from store.tables.ledger import charges
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

PLATFORM = Owner(team="platform", service="gateway")
NOW = at("2026-11-20T12:00")


def everything(database: Database) -> None:
    """August to November, with credits that run out, a pool, a split and a renamed team."""
    said = {"provider": "acme", "valid_from": "2026-09-05", "valid_to": "2026-11-01"}
    credits_ = declared(amount="25.5", paid="20", **said)
    fields = {
        "name": "spare",
        "cost_per_hour": "1.000001",
        "from": "2026-09-10T00:00:00Z",
        "to": "2026-09-12T00:00:00Z",
        "match": {"provider": ["acme"], "model": ["b"]},
    }
    with database.write() as session:
        commitments.declare(session, TENANT, credits_, now=at("2026-09-01"))
        pools.declare(session, TENANT, pool_of_fields(fields, currency="USD", now=NOW))
    use(database, "2026-09-10T09:00", PLATFORM, 6)
    use(database, "2026-09-10T10:00", SEARCH, 3, model="b")
    use(database, "2026-10-12T10:00", PLATFORM, 3, model="b")
    filled(database)
    split = {"name": "platform", "match": {"team": "platform"}, "by": "cost"}
    apply(database, rules(moved("search", "finders"), splits=(split,)), NOW)
    settle(database)


def in_books_of(database: Database, start: datetime, end: datetime) -> Sums:
    """What the ledger's lines of a time come to."""
    time = func.coalesce(charges.c.booked_slot, charges.c.slot)
    listed = func.coalesce(charges.c.list_amount, charges.c.contracted_amount)
    sums = [charges.c.billed_amount, charges.c.amount, charges.c.contracted_amount, listed]
    with database.read() as session:
        row = session.execute(select(*map(func.sum, sums)).where(time >= start, time < end)).one()
    return {"USD": list(row)} if any(row) else {}


def test_what_the_jobs_have_posted_adds_up_and_a_closed_month_stays_as_it_was(
    database: Database,
) -> None:
    everything(database)
    close(database, "2026-09")
    before = {name: exported(database, month=name) for name in ("2026-09", "2026-10")}
    (known,) = asked_now(database)
    use(database, "2026-09-10T11:00", PLATFORM, 11)
    use(database, "2026-10-11T11:00", PLATFORM, 13)
    settle(database, at("2026-11-20T13:00"))
    for month, start, end in (
        ("2026-09", at("2026-09-01"), at("2026-10-01")),
        ("2026-10", at("2026-10-01"), at("2026-11-01")),
    ):
        bundle = exported(database, month=month)
        assert faults(bundle) == []
        assert added_up(bundle["cost-and-usage"]) == in_books_of(database, start, end)
        billed, effective, contracted, _list = added_up(bundle["cost-and-usage"])["USD"]
        assert told(database, month) == {
            "spend": (billed, effective, contracted),
            "statement": (billed, effective, contracted),
        }
        states = {row["BillingPeriodStatus"] for row in bundle["billing-period"]}
        assert states == {"Closed" if month == "2026-09" else "Open"}
        assert (bundle == before[month]) == (month == "2026-09")
        late = found(bundle["cost-and-usage"], ChargeClass="Correction")
        assert bool(late) == (month == "2026-10")
        assert exported(database, month=month, as_known_at=known) == before[month]


def told(database: Database, month: str) -> dict[str, tuple[Decimal, ...]]:
    """What spend by billing period and the statement come to: billed, effective, contracted."""
    client = asking(database, now="2026-11-20T14:00")
    start, end = f"{month}-01", "2026-11-01" if month == "2026-10" else "2026-10-01"
    query = {"from": start, "to": end, "period": "billing"}
    totals = {
        "spend": client.get("/v1/spend", params=query).json()["total"],
        "statement": client.get(f"/v1/statements/{month}").json()["total"],
    }
    names = ("billed_cost", "cost", "contracted_cost")
    return {what: tuple(Decimal(total[name]) for name in names) for what, total in totals.items()}


def asked_now(database: Database) -> list[datetime]:
    """The moment of the last line: what is posted later is known later."""
    with database.read() as session:
        return list(session.scalars(select(func.max(charges.c.posted_at))))


BILL = Bill(
    provider="openai",
    account="org-1",
    invoice="INV-77",
    starts=at("2026-10-01"),
    ends=at("2026-11-01"),
    currency="USD",
    format="csv",
    file_name="openai.csv",
    sha256="a" * 64,
    imported_at=at("2026-11-03"),
    imported_by="ann",
    lines=3,
    total=Decimal("109.5"),
)


def put_bill(database: Database, bill: Bill, **amounts: str) -> Bill:
    """A bill with a line of each kind."""
    lines = tuple(
        BillLine(
            line=number,
            starts=bill.starts,
            ends=bill.ends,
            account=None,
            provider=bill.provider,
            model=None,
            meter=None,
            region=None,
            service_tier=None,
            description=None,
            kind=kind,
            quantity=None,
            unit=None,
            unit_price=None,
            amount=Decimal(amount),
            currency=bill.currency,
            raw={},
        )
        for number, (kind, amount) in enumerate(amounts.items(), 2)
    )
    with database.write() as session:
        said = [Assembled(bill, lines)]
        return bills.add(session, TENANT, said, replaces=False, clock=lambda: bill.imported_at)[0]


def test_charges_are_on_the_bill_that_came_and_on_a_provisional_one_until_then(
    database: Database,
) -> None:
    with database.write() as session:
        post(session, [used(SEARCH, PRICED, at("2026-10-05"), PRICES[0], 10**6)])
    provisional = exported(database)
    (row,) = provisional["cost-and-usage"]
    assert row["InvoiceId"] == "PROV-2026-10-openai-USD"
    (detail,) = provisional["invoice-detail"]
    assert (detail["InvoiceIssueStatus"], detail["BilledCost"]) == ("Open", "2.50")
    kept = put_bill(database, BILL, **{USAGE: "100", CREDIT: "-10", TAX: "19.5"})
    bundle = exported(database)
    (row,) = bundle["cost-and-usage"]
    assert (row["InvoiceId"], row["BilledCost"]) == ("INV-77", "2.50")
    invoiced = {each["ChargeCategory"]: each["BilledCost"] for each in bundle["invoice-detail"]}
    assert invoiced == {"Usage": "100.00", "Credit": "-10.00", "Tax": "19.50"}
    assert {each["InvoiceIssueStatus"] for each in bundle["invoice-detail"]} == {"Issued"}
    assert {each["x_BillIds"] for each in bundle["invoice-detail"]} == {str(kept.id)}
    (usage,) = found(bundle["invoice-detail"], InvoiceDetailId=row["InvoiceDetailId"])
    assert usage["ChargeCategory"] == "Usage"
    # As it was known before the bill came.
    assert exported(database, as_known_at=at("2026-11-02T12:00")) == provisional
    # Of two bills nothing tells on which it is.
    put_bill(
        database, replace(BILL, account="org-2", invoice="INV-78", sha256="b" * 64), **{USAGE: "1"}
    )
    (row,) = exported(database)["cost-and-usage"]
    assert row["InvoiceId"] == "PROV-2026-10-openai-USD"


def test_the_api_gives_the_files_of_the_command(
    database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPANLEDGER_DATABASE_URL", database_url)
    with database.write() as session:
        post(session, [used(SEARCH, PRICED, at("2026-10-05"), price, 10**6) for price in PRICES])
    client = asking(database, now="2026-11-02T12:00")
    for shape in ("csv", "parquet"):
        output = tmp_path / shape / "october"
        done = run("export", "--month", "2026-10", "--output", str(output), "--format", shape)
        assert done.exit_code == 0, done.output
        written = sorted(output.iterdir())
        assert len(written) == 4
        for path in written:
            dataset = path.name.removeprefix("focus-1.4-2026-10-").removesuffix(f".{shape}")
            answer = client.get(f"/v1/focus/2026-10/{dataset}.{shape}")
            assert answer.status_code == 200
            assert path.name in answer.headers["content-disposition"]
            sent = tmp_path / f"sent.{shape}"
            sent.write_bytes(answer.content)
            assert rows_of(sent) == rows_of(path), path.name
    older = client.get("/v1/focus/2026-10/cost-and-usage.csv?version=1.2&ascii=true")
    assert older.text.startswith("InvoiceIssuerName,ProviderName,PublisherName,InvoiceId,")
    assert older.text.isascii()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["focus", *arguments])


REFUSED = [
    ("/v1/focus/october/cost-and-usage.csv", "month"),
    ("/v1/focus/2026-10/everything.csv", "dataset"),
    ("/v1/focus/2026-10/invoice-detail.csv?version=1.2", "version"),
    ("/v1/focus/2026-10/cost-and-usage.csv?version=1.3", "version"),
    ("/v1/focus/2026-10/cost-and-usage.parquet?as_known_at=2027-01-01", "as_known_at"),
    ("/v1/focus/2026-10/cost-and-usage.csv?team=search", "team"),
]


def test_wrong_questions_are_refused_and_leave_nothing(
    database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = asking(database, now="2026-11-02T12:00")
    for path, field in REFUSED:
        answer = client.get(path)
        assert (answer.status_code, field in answer.text) == (422, True), path
    monkeypatch.setenv("SPANLEDGER_DATABASE_URL", database_url)
    output = tmp_path / "october"
    for arguments, reason in (
        (["--month", "2026-13"], "2026-13"),
        (["--month", "2026-10", "--version", "1.2", "--dataset", "invoice-detail"], "1.2"),
        (["--month", "2026-10", "--as-known-at", "2999-01-01T00:00Z"], "still to come"),
    ):
        done = run("export", "--output", str(output), *arguments)
        assert (done.exit_code, reason in done.output) == (2, True), done.output
        assert not output.exists()
    output.write_text("no folder")
    assert run("export", "--month", "2026-10", "--output", str(output)).exit_code == 2
    assert output.read_text() == "no folder"


def test_a_key_of_one_team_gets_no_file(database: Database) -> None:
    keys = {}
    with database.write() as session:
        for team in (None, "search"):
            made = create_key(
                session, tenant=TENANT, name="k", kind="read", team=team, pepper=b"", now=NOW
            )
            keys[team] = {"Authorization": f"Bearer {made}"}
    client = asking(database)
    path = "/v1/focus/2026-10/cost-and-usage.csv"
    codes = [client.get(path, headers=keys[team]).status_code for team in keys]
    assert (codes, client.get(path).status_code) == ([200, 403], 401)


def test_an_export_that_fails_leaves_the_files_of_the_last_one(
    database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPANLEDGER_DATABASE_URL", database_url)
    arguments = ("export", "--month", "2026-10", "--output", str(tmp_path))
    assert run(*arguments).exit_code == 0
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with database.write() as session:
        post(session, [used(SEARCH, PRICED, at("2026-10-05"), PRICES[0], 10**6)])

    def stopped(*_said: object) -> Table:
        raise KeyboardInterrupt

    monkeypatch.setattr("reports.focus.focus_export.commitment_rows", stopped)
    assert run(*arguments).exit_code == 1
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_after_a_true_up_the_charges_of_an_invoice_come_to_it(database: Database) -> None:
    october = in_month(USED, "2026-10")
    with database.write() as session:
        put_ledger(session, FORMATS["openai costs"])
        billed = [replace(each, amount=each.amount * Decimal("1.033331")) for each in october]
        credit = replace(billed[0], kind="credit", quantity=0, amount=Decimal("-1.01"))
        bill = put_bill_of(session, FORMATS["openai costs"], [*billed, credit], "2026-10")
        true_up.true_up(session, TENANT, bill, calendar=CALENDAR, clock=lambda: BILLED_AT)
    bundle = exported(database)
    rows = bundle["cost-and-usage"]
    assert {row["ChargeCategory"] for row in rows} == {"Usage", "Adjustment", "Credit"}
    (number,) = {row["InvoiceId"] for row in rows}
    assert number == f"BILL-{bill.id}"
    assert sum(Decimal(row["BilledCost"]) for row in rows) == bill.total
    details = found(bundle["invoice-detail"], InvoiceId=number)
    assert sum(Decimal(row["BilledCost"]) for row in details) == bill.total
