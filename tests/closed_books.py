"""Books of tests: closed before a moment, and what stands in them and by slot."""

from datetime import datetime
from typing import Any

from filled_ledger import at
from sqlalchemy import Table, and_, func, or_, select

from spend.meters import METER_NAMES
from store import closing, waiting
from store.postgres.sessions import Database
from store.tables.ledger import charges, usage_lines
from store.tables.ownership import payers
from store.tables.rollups import cells
from store.tenants import TENANT

MONEY = ("quantity", "list_amount", "contracted_amount", "amount", "billed_amount")
USAGE = ("calls", "unmetered_calls", "unpriced_calls", "unpriced_tokens", *METER_NAMES)

Sums = dict[tuple[Any, ...], tuple[Any, ...]]


def close(database: Database, until: str | datetime) -> None:
    """Closes the books before a moment, whatever is in them."""
    with database.write() as session:
        waiting.lock_ledger(session)
        closing.close(session, TENANT, _moment(until))


def closed_sums(database: Database, until: str | datetime) -> tuple[Sums, Sums]:
    """Money and usage that are booked before a moment: who pays for what, in every base."""
    return (
        _sums(database, charges, ("payer_id", "route_id", "meter", "currency"), MONEY, until),
        _sums(database, usage_lines, ("payer_id", "route_id"), USAGE, until),
    )


def sums_by_slot(database: Database) -> tuple[Sums, Sums]:
    """Money and usage by the slot that they belong to, in whose books they are or not."""
    key = ("slot", "payer_id", "owner_id", "route_id", "band")
    return (
        _sums(database, charges, (*key, "meter", "currency"), MONEY),
        _sums(database, usage_lines, (*key, "outcome"), USAGE),
    )


def differing_usage(database: Database) -> set[tuple[Any, ...]]:
    """What charged cells and their lines of usage say differently: by cell, and by who pays.

    A cell that is charged and has no row here is told by its lines, and so is who pays for it.
    """
    key = ("slot", "owner_id", "route_id", "outcome", "band")
    by = [usage_lines.c[name] for name in key]
    pays = func.coalesce(payers.c.payer_id, cells.c.owner_id)
    joined = cells.outerjoin(
        payers,
        (payers.c.owner_id == cells.c.owner_id)
        & (payers.c.valid_from <= cells.c.slot)
        & (payers.c.valid_to > cells.c.slot),
    )
    told = (
        select(*by, usage_lines.c.payer_id, *(func.sum(usage_lines.c[name]) for name in USAGE))
        .join(cells, and_(*(usage_lines.c[name] == cells.c[name] for name in key)))
        .where(cells.c.charged)
        .group_by(*by, usage_lines.c.payer_id)
        .having(or_(*(func.sum(usage_lines.c[name]) != 0 for name in USAGE)))
    )
    held = select(
        *(cells.c[name] for name in key), pays, *(cells.c[name] for name in USAGE)
    ).select_from(joined)
    some = or_(*(cells.c[name] != 0 for name in USAGE))
    with database.read() as session:
        said = {tuple(row) for row in session.execute(told)}
        return said ^ {tuple(row) for row in session.execute(held.where(cells.c.charged, some))}


def _moment(said: str | datetime) -> datetime:
    return at(said) if isinstance(said, str) else said


def _sums(
    database: Database,
    table: Table,
    key: tuple[str, ...],
    sums: tuple[str, ...],
    until: str | datetime | None = None,
) -> Sums:
    by = [table.c[name] for name in key]
    wanted = select(*by, *(func.sum(table.c[name]) for name in sums)).group_by(*by)
    if until is not None:
        wanted = wanted.where(func.coalesce(table.c.booked_slot, table.c.slot) < _moment(until))
    with database.read() as session:
        rows = session.execute(wanted).all()
    found = {tuple(row[: len(by)]): tuple(row[len(by) :]) for row in rows}
    return {where: sums for where, sums in found.items() if any(sums)}
