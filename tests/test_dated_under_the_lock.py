"""What is posted, closed or opened is dated when the ledger is locked, not when it was asked for.

Else it could be dated before a moment at which somebody was told already what was known then.
"""

from datetime import datetime, timedelta

import pytest
from billed_month import FORMATS, USED, in_month, put_bill, put_ledger
from closed_months import NOW, UTC_MONTHS, close, filled
from sqlalchemy import func, select

from store import true_up
from store.months import months
from store.postgres.sessions import Database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server


class Clock:
    """Goes on a minute each time it is asked, and can be asked only while the ledger is locked."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.last = NOW

    def __call__(self) -> datetime:
        lock = func.pg_try_advisory_xact_lock_shared(func.hashtext("spanledger ledger"))
        with self._database.write() as other:
            assert other.scalar(select(lock)) is False
        self.last += timedelta(minutes=1)
        return self.last


def test_acts_of_months_are_dated_when_nobody_posts(database: Database) -> None:
    filled(database)
    clock = Clock(database)
    dated = []
    with database.write() as session:
        said = {"calendar": UTC_MONTHS, "clock": clock, "by": "ann"}
        months.soft_close(session, TENANT, "2026-09", **said)
        dated.append(clock.last)
        months.reopen(session, TENANT, "2026-09", **said, note="too early")
        dated.append(clock.last)
    # What becomes known while it is read, such as a rate, was known when it was closed.
    close(database, "2026-09", "all", clock=clock)
    dated.append(clock.last)
    with database.read() as session:
        assert [act.at for act in months.acts(session, TENANT)["2026-09"]] == dated


def test_bills_and_true_ups_are_dated_when_nobody_posts(database: Database) -> None:
    form = FORMATS["openai costs"]
    clock = Clock(database)
    with database.write() as session:
        put_ledger(session, form)
        bill = put_bill(session, form, in_month(USED, "2026-10"), "2026-10", clock=clock)
        assert bill.imported_at == clock.last
    with database.write() as session:
        true_up.true_up(session, TENANT, bill, calendar=UTC_MONTHS, clock=clock)
    assert clock.last > bill.imported_at
