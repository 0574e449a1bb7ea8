"""Commitments of tests: declared, settled, and what the ledger says of them."""

from collections.abc import Sequence
from typing import Any

from filled_ledger import at
from sqlalchemy import case, func, select

from jobs.charging.settle_commitments import settle_commitments
from jobs.context import JobContext
from spend.commitments.commitment_files import commitments_of
from spend.commitments.commitments import Commitment
from spend.money import rounded
from spend.written_rows import Row
from store.postgres.sessions import Database
from store.tables.heard import owners
from store.tables.ledger import charges

SAID = {
    "name": "credits",
    "kind": "prepaid",
    "amount": "1000",
    "currency": "USD",
    "provider": "openai",
    "valid_from": "2026-10-01",
}
MINIMUM = {"kind": "minimum"}


def declared(**others: str) -> Commitment:
    return commitments_of([Row(1, SAID | others)], source="test")[0]


def settle(database: Database, now: str) -> int:
    return sum(settle_commitments(JobContext(database, now=at(now))))


def shown(database: Database, month: str) -> list[tuple[str, ...]]:
    """A month's lines as the document shows them."""
    covered = case((charges.c.meter == "covered", -charges.c.billed_amount), else_=0)
    sums = [
        func.sum(each)
        for each in (
            charges.c.contracted_amount,
            covered,
            charges.c.amount,
            charges.c.billed_amount,
        )
    ]
    with database.read() as session:
        found = session.execute(
            select(charges.c.slot, owners.c.team, *sums)
            .join(owners, owners.c.id == charges.c.payer_id)
            .where(func.date_trunc("month", charges.c.slot, "UTC") == at(f"{month}-01"))
            .group_by(charges.c.slot, owners.c.team)
            .order_by(charges.c.slot, owners.c.team)
        ).all()
    told = [(f"{row[0]:%Y-%m-%d %H:%M}", row[1], *figures(row[2:])) for row in found]
    totals = figures([sum(column) for column in zip(*(row[2:] for row in found), strict=True)])
    return [*told, ("all", "", *totals)]


def figures(amounts: Sequence[Any]) -> tuple[str, ...]:
    return tuple(str(rounded(each, "USD")) for each in amounts)
