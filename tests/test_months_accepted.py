"""What is wrong with a month is accepted by name, or the month stays as it was."""

from pathlib import Path
from threading import Thread

import pytest
from budgeted import budget, evaluate
from closed_months import NOW, broken, close, filled, settle, soft_close, states
from filled_ledger import GPT, NOBODY, SEARCH, at, put_cell, put_charge
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import OperationalError

from spend import canary
from spend.calls import Route
from spend.months.months import MonthRefusedError, WarningUnknownError
from store import closing
from store.months import month_warnings, months
from store.months.month_lines import BookedLines
from store.postgres.sessions import Database
from store.tables.bills import bill_lines, bills
from store.tables.budgets import outbox
from store.tables.heard import batches
from store.tables.months import month_acts
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

CANARY = Route(provider=canary.PROVIDER, model=canary.MODEL, operation="chat", deployment="api")
NEW = Route(provider="acme", model="new", operation="chat", deployment="api")


def with_faults(database: Database) -> None:
    """September has calls without a price, an alert that nobody got, and spans refused."""
    with database.write() as session:
        put_cell(session, "2026-09-12", NOBODY, NEW, calls=3, input=7, charged=False, unpriced=None)
        zero = dict.fromkeys(("heard", "stored", "duplicate", "not_a_call", "refused"), 0)
        refused = zero | {"heard": 1, "refused": 1}
        now = at("2026-09-20")
        session.execute(
            insert(batches).values(
                tenant_id=TENANT, id=1, received_at=now, rolled_at=now, **refused
            )
        )
    filled(database)
    budget(database, created=at("2026-09-01"), amount="10")
    evaluate(database, at("2026-09-20"))
    with database.write() as session:
        session.execute(update(outbox).values(status="dead"))


def test_each_warning_has_to_be_accepted_with_its_volume(database: Database) -> None:
    with_faults(database)
    with pytest.raises(MonthRefusedError) as refused:
        close(database, "2026-09", "refused")
    assert [each.name for each in refused.value.to_accept] == ["dead-letters", "unpriced"]
    assert refused.value.reasons == (
        "dead-letters: 2 alerts could not be delivered",
        "unpriced: 3 calls of unknown cost: acme new (3 calls, no price)",
    )
    with pytest.raises(WarningUnknownError, match="there is no warning 'unprized': accept any of"):
        close(database, "2026-09", "all", "unprized")
    assert states(database) == {}
    with database.read() as session:
        assert closing.open_from(session, TENANT) is None
        assert session.scalar(select(func.count()).select_from(month_acts)) == 0
    close(database, "2026-09", "dead-letters", "refused", "unpriced")
    with database.read() as session:
        [act] = months.acts(session, TENANT)["2026-09"]
    assert [each.name for each in act.accepted] == ["dead-letters", "refused", "unpriced"]
    # They were of September alone.
    close(database, "2026-10")
    assert broken(database) == []


def test_what_canaries_send_to_be_refused_is_no_warning(database: Database) -> None:
    def heard(number: int, **refused_for: int) -> None:
        count, now = sum(refused_for.values()), at("2026-09-20")
        its = {"heard": count, "refused": count, "refused_for": refused_for}
        none = dict.fromkeys(("stored", "duplicate", "not_a_call"), 0)
        with database.write() as session:
            session.execute(
                insert(batches).values(
                    tenant_id=TENANT, id=number, received_at=now, rolled_at=now, **none, **its
                )
            )

    heard(1, **{canary.REFUSED: 2})
    heard(2, **{canary.REFUSED: 2, "start: before 2000": 3})
    filled(database)
    with pytest.raises(MonthRefusedError) as refused:
        close(database, "2026-09")
    assert refused.value.reasons == ("refused: 3 spans could not be understood, and were refused",)


def test_several_who_close_a_month_at_once_close_it_once(database: Database) -> None:
    filled(database)
    told: list[str] = []

    def attempt() -> None:
        try:
            told.append(str(close(database, "2026-09").hash))
        except MonthRefusedError as refused:
            told.append(str(refused))

    threads = [Thread(target=attempt) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(told), told.count("2026-09 is closed already")) == (3, 2)
    assert broken(database) == []


def test_who_dies_in_the_middle_leaves_the_month_as_it_was(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(database)
    soft_close(database, "2026-09")
    kept = months.note_act

    def die(session: object, *rest: object) -> None:
        kept(session, *rest)  # type: ignore[arg-type]  # as it was called
        session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))  # type: ignore[attr-defined]  # a session

    with monkeypatch.context() as patched:
        patched.setattr(months, "note_act", die)
        with pytest.raises(OperationalError):
            close(database, "2026-09")
    assert states(database) == {"2026-09": "soft-closed"}
    with database.read() as session:
        assert [each.act for each in months.acts(session, TENANT)["2026-09"]] == ["soft-close"]
    close(database, "2026-09")
    assert broken(database) == []


def test_what_is_posted_while_a_month_is_read_is_in_its_record(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A true-up, say, into a month that is soft-closed."""
    filled(database)
    soft_close(database, "2026-09")
    read = BookedLines.read

    def late(self: object, *given: object, **others: object) -> None:
        if others.get("up_to") is not None:
            with database.write() as session:
                copied = "slot, owner_id, payer_id, route_id, band, meter, price_id, quantity"
                also = "contracted_amount, amount, billed_amount, currency, method, tenant_id"
                session.execute(
                    text(
                        f"INSERT INTO charges (kind, posted_at, {copied}, {also})"  # noqa: S608 - names
                        f" SELECT 'true-up', '2026-11-20', {copied}, {also} FROM charges"
                        " WHERE slot >= '2026-09-01' AND slot < '2026-10-01'"
                    )
                )
            monkeypatch.undo()
        read(self, *given, **others)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(BookedLines, "read", late)
    done = close(database, "2026-09")
    assert '"effective":"40.00"' in (done.record or "")
    assert broken(database) == []
    settle(database, NOW)
    assert broken(database) == []


def test_what_has_no_exchange_rate_and_what_nobody_billed_has_to_be_accepted(
    database: Database,
) -> None:
    filled(database)
    with database.write() as session:
        put_charge(session, "2026-10-20", "12.5", SEARCH, GPT, currency="EUR")
        put_charge(session, "2026-10-20", "0.000000003", NOBODY, CANARY, currency="CHF")
        for month in ("08", "09"):
            starts, ends = at(f"2026-{month}-01"), at(f"2026-{month}-28")
            bill = {"tenant_id": TENANT, "starts": starts, "ends": ends, "provider": "openai"}
            told = {"format": "csv", "file_name": "b.csv", "sha256": month, "lines": 1, "total": 1}
            id_ = session.scalar(
                insert(bills)
                .values(version=1, currency="USD", imported_at=NOW, **bill, **told)
                .returning(bills.c.id)
            )
            line = {"bill_id": id_, "line": 1, "kind": "usage", "amount": 1, "currency": "USD"}
            session.execute(insert(bill_lines).values(**bill, **line, raw={}))
    settle(database)
    close(database, "2026-09")
    with pytest.raises(MonthRefusedError) as refused:
        close(database, "2026-10")
    assert refused.value.reasons == (
        "bills: no bill for what was used of: openai (12.50 EUR)",
        "rates: no exchange rate to USD for 12.50 EUR",
    )


def test_every_warning_is_explained() -> None:
    told = (Path(__file__).parent.parent / "docs" / "months.md").read_text()
    assert [name for name in month_warnings.NAMES if f"| `{name}` |" not in told] == []
