"""Keeps the price book: lines as they were known when, and the names that models are listed by."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    Select,
    Text,
    and_,
    column,
    func,
    insert,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from spend.corrections import Correction, corrected, overlap
from spend.prices import CONTRACT, LIST, Names, PriceLine
from store import waiting
from store.tables.heard import routes
from store.tables.prices import model_names, prices
from store.tenants import PUBLIC

_IN_LINE: Final = (
    "book",
    "provider",
    "model",
    "meter",
    "unit_price",
    "currency",
    "valid_from",
    "valid_to",
    "region",
    "service_tier",
    "above_tokens",
    "source",
    "reference",
)
_LINE: Final = tuple(prices.c[name] for name in ("id", *_IN_LINE))

Pair = tuple[str, str]
"""Provider and model."""


class PriceHeldError(ValueError):
    """A new contract price meets one from another source: end that one, or use its source."""

    def __init__(self, said: PriceLine, held: PriceLine) -> None:
        self.said = said
        self.held = held
        super().__init__(
            f"overlaps the price of {held.source!r} (id {held.id}) for {held.provider}"
            f" {held.model} {held.meter} from {held.valid_from:%Y-%m-%dT%H:%MZ}"
        )


@dataclass(frozen=True, slots=True)
class Entered:
    """What a change did to the book, in lines."""

    opened: int
    closed: int
    ids: tuple[int, ...] = ()
    """Of the lines that now say what was asked for, in the order in which it was asked."""


def _line(row: Row[Any]) -> PriceLine:
    return PriceLine(**{name: getattr(row, name) for name in ("id", *_IN_LINE)})


def _known(moment: datetime | None) -> ColumnElement[bool]:
    """Believed at a moment; None: now."""
    if moment is None:
        return prices.c.known_to.is_(None)
    return and_(
        prices.c.known_from <= moment,
        or_(prices.c.known_to.is_(None), prices.c.known_to > moment),
    )


def _pairs(pairs: Collection[Pair]) -> Select[tuple[str, str]]:
    """Rows of two arrays: thousands of pairs would be a statement of as many parameters."""
    wanted = (
        func.unnest(
            literal([pair[0] for pair in pairs], ARRAY(Text)),
            literal([pair[1] for pair in pairs], ARRAY(Text)),
        )
        .table_valued(column("provider", Text), column("model", Text))
        .render_derived("wanted")
    )
    return select(wanted.c.provider, wanted.c.model)


def _of_pairs(pairs: Collection[Pair]) -> ColumnElement[bool]:
    return tuple_(prices.c.provider, prices.c.model).in_(_pairs(pairs))


def lines_for(
    session: Session,
    tenant: int,
    pairs: Collection[Pair],
    *,
    currency: str,
    known_at: datetime | None = None,
) -> list[PriceLine]:
    """The lines of these (provider, model) in one currency, as known at a moment (None: now)."""
    if not pairs:
        return []
    found = session.execute(
        select(*_LINE)
        .where(
            prices.c.tenant_id.in_((PUBLIC, tenant)),
            _of_pairs(pairs),
            prices.c.currency == currency,
            _known(known_at),
        )
        .order_by(prices.c.id)
    )
    return [_line(row) for row in found]


def lines_by_id(session: Session, tenant: int, ids: Collection[int]) -> dict[int, PriceLine]:
    """Lines by their ids, also those that are no longer believed."""
    wanted = literal([int(id_) for id_ in ids], ARRAY(BigInteger))
    found = session.execute(
        select(*_LINE).where(
            prices.c.tenant_id.in_((PUBLIC, tenant)), prices.c.id == func.any(wanted)
        )
    )
    return {row.id: _line(row) for row in found}


def enter_contract(
    session: Session, tenant: int, said: Sequence[PriceLine], *, now: datetime
) -> Entered:
    """Takes contract lines into the book, and makes the cells that they concern wait.

    A line that meets one of the same source corrects it; one that meets another source's is
    refused with PriceHeldError, and the caller's transaction must not be committed.
    """
    waiting.lock_ledger(session)
    pairs = {(line.provider, line.model) for line in said}
    known = [
        _line(row)
        for row in session.execute(
            select(*_LINE).where(
                prices.c.tenant_id == tenant,
                prices.c.book == CONTRACT,
                _of_pairs(pairs),
                _known(None),
            )
        )
    ]
    by_subject: dict[object, list[PriceLine]] = {}
    for line in known:
        by_subject.setdefault(line.subject, []).append(line)
    for line in said:
        for held in by_subject.get(line.subject, ()):
            if held.source != line.source and overlap(held, line):
                raise PriceHeldError(line, held)
    correction = corrected(known, said)
    opened = _apply(session, tenant, correction, now)
    ids = {line.stretch: line.id for line in known} | {line.stretch: line.id for line in opened}
    return Entered(
        opened=len(opened),
        closed=len(correction.closed),
        ids=tuple(ids[line.stretch] or 0 for line in said),
    )


def replace_list(session: Session, lines: Iterable[PriceLine], *, now: datetime) -> Entered:
    """Makes the public list exactly ``lines``: what it no longer says is closed, never deleted.

    Where a line of the list changed, the cells of every tenant that it concerns wait.
    """
    waiting.lock_ledger(session)
    known = session.execute(
        select(*_LINE).where(prices.c.tenant_id == PUBLIC, prices.c.book == LIST, _known(None))
    )
    believed = {line.said: line for line in map(_line, known)}
    said = {line.said: line for line in lines}
    correction = Correction(
        closed=tuple(line for key, line in believed.items() if key not in said),
        opened=tuple(line for key, line in said.items() if key not in believed),
    )
    opened = _apply(session, PUBLIC, correction, now)
    return Entered(opened=len(opened), closed=len(correction.closed))


def listed_count(session: Session, source: str) -> int:
    """How many lines of the public list are believed, and come from ``source``."""
    return session.execute(
        select(func.count()).where(
            prices.c.tenant_id == PUBLIC,
            prices.c.book == LIST,
            prices.c.source == source,
            _known(None),
        )
    ).scalar_one()


def _apply(session: Session, tenant: int, correction: Correction, now: datetime) -> list[PriceLine]:
    """Closes and opens lines of the book; returns the opened ones with their ids."""
    opened = correction.opened
    closed = [line.id for line in correction.closed]
    # A clock that was set back must not give knowledge an end before its beginning.
    last = session.scalar(select(func.max(prices.c.known_from)).where(prices.c.id.in_(closed)))
    moment = max(now, last) if last else now
    if closed:
        session.execute(
            update(prices)
            .where(prices.c.tenant_id == tenant, prices.c.id.in_(closed))
            .values(known_to=moment)
        )
    ids: Sequence[int] = []
    if opened:
        rows = [
            {
                "tenant_id": tenant,
                "known_from": moment,
                **{name: getattr(line, name) for name in _IN_LINE},
            }
            for line in opened
        ]
        ids = session.scalars(
            insert(prices).returning(prices.c.id, sort_by_parameter_order=True), rows
        ).all()
    waiting.for_prices(
        session,
        tenant,
        (
            (line.provider, line.model, line.valid_from, line.valid_to)
            for line in (*correction.closed, *opened)
        ),
    )
    return [replace(line, id=id_) for line, id_ in zip(opened, ids, strict=True)]


def names(session: Session, tenant: int) -> Names:
    """By which (provider, model) the public list has what was called; unlisted ones are absent."""
    found = session.execute(
        select(
            model_names.c.provider,
            model_names.c.model,
            model_names.c.listed_provider,
            model_names.c.listed_model,
        ).where(model_names.c.tenant_id == tenant, model_names.c.listed_model.is_not(None))
    )
    return {(row[0], row[1]): (row[2], row[3]) for row in found}


def not_looked_up(session: Session, tenant: int, source: str) -> list[Pair]:
    """What was called and has not been looked for in the list that ``source`` names."""
    found = session.execute(
        select(routes.c.provider, routes.c.model)
        .distinct()
        .join_from(
            routes,
            model_names,
            and_(
                model_names.c.tenant_id == routes.c.tenant_id,
                model_names.c.provider == routes.c.provider,
                model_names.c.model == routes.c.model,
            ),
            isouter=True,
        )
        .where(
            routes.c.tenant_id == tenant,
            routes.c.provider.is_not(None),
            routes.c.model.is_not(None),
            model_names.c.source.is_distinct_from(source),
        )
        .order_by(routes.c.provider, routes.c.model)
    )
    return [(row[0], row[1]) for row in found]


def name(
    session: Session,
    tenant: int,
    found: Mapping[Pair, Pair | None],
    *,
    source: str,
    now: datetime,
) -> None:
    """Remembers what a look-up found (None: not in the list), and makes those cells wait."""
    if not found:
        return
    waiting.lock_ledger(session)
    statement = upsert(model_names)
    kept = ("listed_provider", "listed_model", "source", "looked_up_at")
    rows = [
        {
            "tenant_id": tenant,
            "provider": pair[0],
            "model": pair[1],
            "listed_provider": listed and listed[0],
            "listed_model": listed and listed[1],
            "source": source,
            "looked_up_at": now,
        }
        for pair, listed in sorted(found.items())
    ]
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "provider", "model"],
            set_={each: statement.excluded[each] for each in kept},
        ),
        rows,
    )
    concerned = session.scalars(
        select(routes.c.id).where(
            routes.c.tenant_id == tenant,
            tuple_(routes.c.provider, routes.c.model).in_(_pairs(found)),
        )
    )
    waiting.for_routes(session, tenant, concerned)
