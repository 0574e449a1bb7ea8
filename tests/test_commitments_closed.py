"""Commitments of closed time: their lines are what they always are, booked in the open month."""

from decimal import Decimal

import pytest
from closed_books import close, closed_sums
from committed import declared, settle, shown
from filled_ledger import GPT, SEARCH, at, put_charge

from spend.commitments.commitments import Commitment
from store.commitments import commitment_use, commitments
from store.postgres.sessions import Database
from store.tenants import TENANT

NOW = "2026-11-02"

pytestmark = pytest.mark.one_server


def agreed(database: Database, said: Commitment) -> Commitment:
    with database.write() as session:
        [(done, _what)] = commitments.apply(session, TENANT, [said], now=at(NOW))
    return done


def filled(database: Database) -> None:
    with database.write() as session:
        for day in ("05", "20", "25"):
            put_charge(session, f"2026-10-{day}", "400", SEARCH, GPT)


def test_what_is_agreed_after_the_books_were_closed_covers_their_usage_too(
    database: Database,
) -> None:
    filled(database)
    agreed(database, declared(paid="800", valid_to="2026-11-01"))
    settle(database, NOW)
    close(database, "2026-10-10")
    before = closed_sums(database, "2026-10-10")
    assert settle(database, NOW) == 0
    # 500 are wanted instead, at half of their face value.
    new = agreed(database, declared(amount="500", paid="250", valid_to="2026-11-01"))
    settle(database, NOW)
    assert shown(database, "2026-10") == [
        ("2026-10-01 00:00", "commitments", "0.00", "0.00", "0.00", "250.00"),
        ("2026-10-05 00:00", "search", "400.00", "400.00", "200.00", "0.00"),
        ("2026-10-20 00:00", "search", "400.00", "100.00", "350.00", "300.00"),
        ("2026-10-25 00:00", "search", "400.00", "0.00", "400.00", "400.00"),
        ("all", "", "1200.00", "500.00", "950.00", "950.00"),
    ]
    with database.read() as session:
        [use] = commitment_use.used(session, TENANT, new, list(new.periods(at(NOW))))
    assert [use.eligible, use.used, use.effective] == [Decimal(1200), Decimal(500), Decimal(250)]
    assert use.ran_out == at("2026-10-20")
    assert settle(database, NOW) == 0
    assert closed_sums(database, "2026-10-10") == before


def test_what_is_withdrawn_after_the_books_were_closed_is_taken_back_in_the_open_month(
    database: Database,
) -> None:
    filled(database)
    first = agreed(database, declared(amount="500", valid_to="2026-11-01"))
    settle(database, NOW)
    close(database, "2026-11-01")
    before = closed_sums(database, "2026-11-01")
    with database.write() as session:
        commitments.withdraw(session, TENANT, first.id, now=at(NOW))
    settle(database, NOW)
    assert shown(database, "2026-10")[-1] == (
        "all", "", "1200.00", "0.00", "1200.00", "1200.00",
    )  # fmt: skip
    agreed(database, declared(name="another", amount="100", valid_to="2026-11-01"))
    settle(database, NOW)
    assert shown(database, "2026-10")[-1] == (
        "all", "", "1200.00", "100.00", "1200.00", "1200.00",
    )  # fmt: skip
    assert settle(database, NOW) == 0
    assert closed_sums(database, "2026-11-01") == before
