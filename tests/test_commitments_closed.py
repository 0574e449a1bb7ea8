"""Commitments in time that is closed: what the ledger says of it does not move."""

from decimal import Decimal

import pytest
from committed import declared, settle, shown
from filled_ledger import GPT, SEARCH, at, put_charge

from spend.commitments import Commitment
from store import closing, commitment_use, commitments
from store.sessions import Database
from store.tenants import TENANT

OCTOBER = at("2026-10-01")
NOW = "2026-11-02"

pytestmark = pytest.mark.one_server


def closed(database: Database, until: str) -> None:
    with database.write() as session:
        closing.close(session, TENANT, at(until))


def agreed(database: Database, said: Commitment) -> Commitment:
    with database.write() as session:
        [(done, _what)] = commitments.apply(session, TENANT, [said], now=at(NOW))
    return done


def filled(database: Database) -> None:
    with database.write() as session:
        for day in ("05", "20", "25"):
            put_charge(session, f"2026-10-{day}", "400", SEARCH, GPT)


def test_what_was_covered_before_the_ledger_was_closed_stands(database: Database) -> None:
    filled(database)
    agreed(database, declared(paid="800", valid_to="2026-11-01"))
    settle(database, NOW)
    closed(database, "2026-10-10")
    assert settle(database, NOW) == 0
    # 500 are wanted instead, at half of their face value: 400 of them are used in closed time.
    new = agreed(database, declared(amount="500", paid="250", valid_to="2026-11-01"))
    settle(database, NOW)
    assert shown(database, "2026-10") == [
        ("2026-10-01 00:00", "commitments", "0.00", "0.00", "0.00", "800.00"),
        ("2026-10-05 00:00", "search", "400.00", "400.00", "320.00", "0.00"),
        ("2026-10-10 00:00", "commitments", "0.00", "0.00", "0.00", "-550.00"),
        ("2026-10-20 00:00", "search", "400.00", "100.00", "230.00", "300.00"),
        ("2026-10-25 00:00", "search", "400.00", "0.00", "400.00", "400.00"),
        ("all", "", "1200.00", "500.00", "950.00", "950.00"),
    ]
    with database.read() as session:
        [use] = commitment_use.used(session, TENANT, new, list(new.periods(at(NOW))))
    told = [use.eligible, use.used, use.left, use.effective]
    # Of the 500 used, 400 were paid for at 320 in closed time: -70 for the rest.
    assert told == [Decimal(1200), Decimal(500), Decimal(0), Decimal(250)]
    assert use.ran_out == at("2026-10-20")
    assert settle(database, NOW) == 0
    with database.write() as session:
        commitments.withdraw(session, TENANT, new.id, now=at(NOW))
    settle(database, NOW)
    assert shown(database, "2026-10")[:3] == [
        ("2026-10-01 00:00", "commitments", "0.00", "0.00", "0.00", "800.00"),
        ("2026-10-05 00:00", "search", "400.00", "400.00", "320.00", "0.00"),
        ("2026-10-10 00:00", "commitments", "0.00", "0.00", "0.00", "0.00"),
    ]


def test_a_period_that_is_closed_does_not_move(database: Database) -> None:
    filled(database)
    first = agreed(database, declared(amount="500", valid_to="2026-11-01"))
    settle(database, NOW)
    before = shown(database, "2026-10")
    closed(database, "2026-11-01")
    with database.write() as session:
        commitments.withdraw(session, TENANT, first.id, now=at(NOW))
    agreed(database, declared(name="another", amount="100", valid_to="2026-11-01"))
    assert settle(database, NOW) == 0
    assert settle(database, NOW) == 0
    assert shown(database, "2026-10") == before


def test_credits_told_of_after_part_of_their_time_was_closed_cover_the_rest(
    database: Database,
) -> None:
    filled(database)
    closed(database, "2026-10-21")
    agreed(database, declared(amount="500", paid="400", valid_to="2026-11-01"))
    settle(database, NOW)
    assert shown(database, "2026-10") == [
        ("2026-10-05 00:00", "search", "400.00", "0.00", "400.00", "400.00"),
        ("2026-10-20 00:00", "search", "400.00", "0.00", "400.00", "400.00"),
        ("2026-10-21 00:00", "commitments", "0.00", "0.00", "0.00", "400.00"),
        ("2026-10-25 00:00", "search", "400.00", "400.00", "320.00", "0.00"),
        ("2026-10-31 23:45", "unused", "0.00", "0.00", "80.00", "0.00"),
        ("all", "", "1200.00", "400.00", "1200.00", "1200.00"),
    ]
    # Closed further on, what is posted stands.
    closed(database, "2026-10-26")
    assert settle(database, NOW) == 0
