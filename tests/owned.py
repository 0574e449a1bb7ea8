"""Calls at a dollar a token, ownership rules, the charge job, and what each team then pays."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from filled_ledger import at, put_cell
from sqlalchemy import func, select

from jobs.charging import charge
from jobs.context import JobContext
from spend.calls import Owner, Route
from spend.ownership.ownership_files import Ownership, ownership_of_fields
from spend.prices.prices import CONTRACT, PriceLine
from store.ownership import ownership
from store.ownership.ownership import Version
from store.postgres.sessions import Database
from store.prices import books
from store.tables.heard import owners
from store.tables.ledger import charges
from store.tenants import TENANT

NOW = at("2026-11-02T12:00")


def use(
    database: Database, slot: str, owner: Owner, dollars: int, *, calls: int = 1, model: str = "a"
) -> None:
    """What was used in a quarter hour: a token for each dollar. Waits to be charged."""
    route = Route(provider="acme", model=model, operation="chat", deployment="api")
    with database.write() as session:
        put_cell(
            session, slot, owner, route, calls=calls, input=dollars, charged=False, unpriced=None
        )


def price(database: Database) -> None:
    """A dollar a token, for the models a and b."""
    lines = [
        PriceLine(
            book=CONTRACT,
            provider="acme",
            model=model,
            meter="input",
            unit_price=Decimal(1_000_000),
            currency="USD",
            valid_from=at("2026-01-01"),
            source="test",
        )
        for model in ("a", "b")
    ]
    with database.write() as session:
        books.enter_contract(session, TENANT, lines, now=at("2026-01-01"))


def rules(*said: dict[str, Any], splits: tuple[dict[str, Any], ...] = (), **also: Any) -> Ownership:
    return ownership_of_fields(
        {"rules": list(said), "splits": list(splits), **also}, timezone="UTC"
    )


def moved(team: str, payer: str, **term: str) -> dict[str, Any]:
    """The rule that a team's calls are paid for by another, from_ and to when."""
    dates = {name.rstrip("_"): value for name, value in term.items()}
    return {
        "name": f"{team} to {payer}",
        "match": {"team": [team]},
        "gives": {"team": payer},
    } | dates


def apply(database: Database, said: Ownership, now: datetime = NOW) -> Version:
    with database.write() as session:
        return ownership.apply(
            session, TENANT, said, source="rules.toml", entered_by="finance", now=now
        )


def run(database: Database, now: datetime = NOW) -> str:
    return charge.run(JobContext(database=database, now=now)).note


def paid(database: Database, by: str = "payer_id", basis: str = "amount") -> dict[str, Decimal]:
    """Team -> what it pays in all; teams that pay nothing are left out."""
    with database.read() as session:
        found = session.execute(
            select(owners.c.team, func.sum(charges.c[basis]))
            .join(owners, owners.c.id == charges.c[by])
            .group_by(owners.c.team)
        )
        return {row[0]: row[1].normalize() for row in found if row[1]}


def lines(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(charges)) or 0
