"""Keeps the price book: price lines, as they were known when."""

from collections.abc import Collection, Iterable, Sequence
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
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from spend.prices.corrections import Correction, corrected, moment_of, overlap
from spend.prices.prices import CONTRACT, LIST, PriceLine
from spend.prices.repricings import Concerned
from store import audit, waiting
from store.prices import repricings
from store.tables.prices import prices
from store.tenants import PUBLIC, TENANT

_FIELDS: Final = (
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
    "above_monthly",
    "source",
    "reference",
    "entered_by",
)
_ALL_FIELDS: Final = ("id", *_FIELDS, "known_from", "known_to")
LINE: Final = tuple(prices.c[name] for name in _ALL_FIELDS)

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
    concerned: Concerned | None = None
    """What of the past goes by what was known before; None: nothing can."""


def line_of(row: Row[*tuple[Any, ...]]) -> PriceLine:
    """The price line in a row that has the columns LINE."""
    return PriceLine(**{name: getattr(row, name) for name in _ALL_FIELDS})


def known(moment: datetime | None) -> ColumnElement[bool]:
    """Believed at a moment; None: now."""
    if moment is None:
        return prices.c.known_to.is_(None)
    return and_(
        prices.c.known_from <= moment,
        or_(prices.c.known_to.is_(None), prices.c.known_to > moment),
    )


def pair_rows(pairs: Collection[Pair]) -> Select[tuple[str, str]]:
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
    return tuple_(prices.c.provider, prices.c.model).in_(pair_rows(pairs))


def lines_for(
    session: Session,
    tenant: int,
    pairs: Collection[Pair],
    *,
    currency: str | None = None,
) -> list[PriceLine]:
    """The lines of these (provider, model), also those no longer believed.

    ``currency``: those in this one alone; None: in all.
    """
    if not pairs:
        return []
    found = session.execute(
        select(*LINE)
        .where(
            prices.c.tenant_id.in_((PUBLIC, tenant)),
            _of_pairs(pairs),
            true() if currency is None else prices.c.currency == currency,
        )
        .order_by(prices.c.id)
    )
    return [line_of(row) for row in found]


def lines_by_id(session: Session, tenant: int, ids: Collection[int]) -> dict[int, PriceLine]:
    """Lines by their ids, also those that are no longer believed."""
    wanted = literal([int(id_) for id_ in ids], ARRAY(BigInteger))
    found = session.execute(
        select(*LINE).where(
            prices.c.tenant_id.in_((PUBLIC, tenant)), prices.c.id == func.any(wanted)
        )
    )
    return {row.id: line_of(row) for row in found}


def enter_contract(
    session: Session, tenant: int, said: Sequence[PriceLine], *, now: datetime
) -> Entered:
    """Takes contract lines into the book; cells that they concern wait, unless charged already.

    A line that meets one of the same source corrects it; one that meets another source's is
    refused with PriceHeldError, and the caller's transaction must not be committed.
    """
    waiting.lock_ledger(session)
    pairs = {(line.provider, line.model) for line in said}
    held_lines = [
        line_of(row)
        for row in session.execute(
            select(*LINE).where(
                prices.c.tenant_id == tenant,
                prices.c.book == CONTRACT,
                _of_pairs(pairs),
                known(None),
            )
        )
    ]
    by_subject: dict[object, list[PriceLine]] = {}
    for line in held_lines:
        by_subject.setdefault(line.subject, []).append(line)
    for line in said:
        for held in by_subject.get(line.subject, ()):
            if held.source != line.source and overlap(held, line):
                raise PriceHeldError(line, held)
    correction = corrected(held_lines, said)
    opened = _apply(session, tenant, correction, now)
    ids = {line.stretch: line.id for line in held_lines} | {
        line.stretch: line.id for line in opened
    }
    if correction.closed or correction.opened:
        audit.note(
            session,
            tenant,
            did="entered",
            noun="contract prices",
            before={"prices": correction.closed} if correction.closed else None,
            after={"prices": correction.opened},
        )
    # Not the rest of what they correct: it is opened again, and says what it said.
    new = [line for line in opened if line.stretch in {each.stretch for each in said}]
    return Entered(
        opened=len(opened),
        closed=len(correction.closed),
        concerned=waiting.concerned(session, tenant, _changed(new), now=now),
        ids=tuple(ids[line.stretch] or 0 for line in said),
    )


def replace_list(
    session: Session, lines: Iterable[PriceLine], *, now: datetime, book: str = LIST
) -> Entered:
    """Makes a public book exactly ``lines``: what it no longer says is closed, never deleted.

    ``book``: LIST or SUPPLEMENT. Where a line of it changed, those cells of every tenant wait that
    it can still concern.
    """
    waiting.lock_ledger(session)
    believed = {line.said: line for line in public_lines(session, book)}
    said = {line.said: line for line in lines}
    correction = Correction(
        closed=tuple(line for key, line in believed.items() if key not in said),
        opened=tuple(line for key, line in said.items() if key not in believed),
    )
    opened = _apply(session, PUBLIC, correction, now)
    if correction.closed or correction.opened:
        # Thousands of lines, which the book itself has with their times.
        counts = {"opened": len(correction.opened), "closed": len(correction.closed)}
        noun = f"public prices ({book})"
        audit.note(session, TENANT, did="refreshed", noun=noun, after=counts)
    return Entered(
        opened=len(opened),
        closed=len(correction.closed),
        concerned=waiting.concerned(session, PUBLIC, _changed(correction.closed, opened), now=now),
    )


def public_lines(
    session: Session, book: str, pairs: Collection[Pair] | None = None
) -> list[PriceLine]:
    """All that a public book says as it is known now, in the order in which it entered.

    ``pairs``: of these only.
    """
    rows = session.execute(
        select(*LINE)
        .where(
            prices.c.tenant_id == PUBLIC,
            prices.c.book == book,
            known(None),
            true() if pairs is None else _of_pairs(pairs),
        )
        .order_by(prices.c.id)
    )
    return [line_of(row) for row in rows]


def listed_count(session: Session, sources: Collection[str]) -> int:
    """How many lines of the public list are believed, and come from these sources."""
    return session.execute(
        select(func.count()).where(
            prices.c.tenant_id == PUBLIC,
            prices.c.book == LIST,
            prices.c.source.in_(sources),
            known(None),
        )
    ).scalar_one()


def _changed(*lines: Iterable[PriceLine]) -> list[waiting.Changed]:
    return [
        (line.provider, line.model, line.valid_from, line.valid_to)
        for each in lines
        for line in each
    ]


def _apply(
    session: Session, tenant: int, correction: Correction[PriceLine], now: datetime
) -> list[PriceLine]:
    """Closes and opens lines of the book; returns the opened ones with their ids."""
    opened = correction.opened
    closed = [line.id for line in correction.closed]
    moment = repricings.known_after(session, moment_of(correction.closed, now))
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
                **{name: getattr(line, name) for name in _FIELDS},
            }
            for line in opened
        ]
        ids = session.scalars(
            insert(prices).returning(prices.c.id, sort_by_parameter_order=True), rows
        ).all()
    waiting.for_prices(session, tenant, _changed(correction.closed, opened), now=moment)
    return [replace(line, id=id_, known_from=moment) for line, id_ in zip(opened, ids, strict=True)]
