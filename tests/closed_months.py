"""Months of tests: used at a dollar a token, settled by the jobs, closed."""

from datetime import datetime
from typing import Any

from filled_ledger import SEARCH, at
from owned import price, use
from sqlalchemy import Insert, Update, text
from sqlalchemy.orm import Session

from jobs.context import JobContext
from jobs.timetable import run_job
from spend.currencies.exchange import Telling
from spend.fiscal import Calendar
from spend.months.month_proofs import Broken
from spend.months.months import LedgerMonth
from spend.zones import zone_named
from store.months import month_closing, month_proof, months
from store.postgres.sessions import Database
from store.tenants import TENANT

UTC_MONTHS = Calendar(zone_named("UTC"))
NOW = at("2026-11-20T12:00")


def settle(database: Database, now: datetime = NOW) -> None:
    for job in ("roll", "charge"):
        run_job(job, JobContext(database, now=now, by_hand=True))


def filled(database: Database, now: datetime = NOW) -> None:
    """Calls of August to November, 10 to 40 dollars a month, settled."""
    price(database)
    for month, dollars in (("08", 10), ("09", 20), ("10", 30), ("11", 40)):
        use(database, f"2026-{month}-10T08:00", SEARCH, dollars)
    settle(database, now)


def soft_close(database: Database, name: str, now: datetime = NOW) -> LedgerMonth:
    with database.write() as session:
        return months.soft_close(
            session, TENANT, name, calendar=UTC_MONTHS, clock=lambda: now, by="ann", note=None
        )


def reopen(database: Database, name: str, reason: str | None = "wrong contract") -> LedgerMonth:
    with database.write() as session:
        return months.reopen(
            session, TENANT, name, calendar=UTC_MONTHS, clock=lambda: NOW, by="ben", note=reason
        )


def close(database: Database, name: str, *accepted: str, **others: Any) -> LedgerMonth:
    said: dict[str, Any] = {
        "calendar": UTC_MONTHS,
        "telling": Telling("USD"),
        "clock": lambda: NOW,
        "by": "ann",
    }
    return month_closing.close(database, TENANT, name, accepted=accepted, **said | others)


def states(database: Database) -> dict[str, str]:
    with database.read() as session:
        return {each.name: each.state for each in months.held(session, TENANT)}


def broken(database: Database) -> list[Broken]:
    with database.read() as session:
        return [each for proof in month_proof.prove(session, TENANT) for each in proof.broken]


def tampered(database: Database, *statements: str | Update | Insert) -> set[tuple[str, str]]:
    """The months and parts that are broken once somebody who may do everything did that."""
    with Session(database.engine) as session:
        for table in ("charges", "usage_lines", "month_acts"):
            session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        for statement in statements:
            asked = text(statement) if isinstance(statement, str) else statement
            done = session.execute(asked, execution_options={"preserve_rowcount": True})
            assert done.rowcount, statement  # type: ignore[attr-defined]  # a change's result
        found = month_proof.prove(session, TENANT)
        return {(each.month, each.part) for proof in found for each in proof.broken}
