"""Owners and routes by their ids: who pays, and what was called."""

from collections.abc import Iterable
from dataclasses import fields
from typing import TypeVar

from sqlalchemy import BigInteger, Table, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from spend.calls import Owner, Route
from store.tables.heard import owners, routes

T = TypeVar("T", Owner, Route)


def owners_of(session: Session, tenant: int, ids: Iterable[int] | None = None) -> dict[int, Owner]:
    """The owners that have these ids; None: every owner."""
    return _read(session, tenant, owners, Owner, ids)


def routes_of(session: Session, tenant: int, ids: Iterable[int] | None = None) -> dict[int, Route]:
    """The routes that have these ids; None: every route."""
    return _read(session, tenant, routes, Route, ids)


def routes_called(session: Session, tenant: int, pair: tuple[str, str]) -> set[Route]:
    """The routes of a provider and a model, as they were called: none where nobody called it."""
    rows = session.execute(
        select(*(routes.c[each.name] for each in fields(Route))).where(
            routes.c.tenant_id == tenant, routes.c.provider == pair[0], routes.c.model == pair[1]
        )
    )
    return {Route(*row) for row in rows}


def _read(
    session: Session, tenant: int, table: Table, kind: type[T], ids: Iterable[int] | None
) -> dict[int, T]:
    wanted = select(table.c.id, *(table.c[each.name] for each in fields(kind)))
    wanted = wanted.where(table.c.tenant_id == tenant)
    if ids is not None:
        array = literal(list(ids), ARRAY(BigInteger))
        wanted = wanted.where(table.c.id == func.any(array))
    return {row[0]: kind(*row[1:]) for row in session.execute(wanted)}
