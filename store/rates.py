"""Remembers exchange rates: one for each pair and day, as they were known when."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from psycopg import sql
from sqlalchemy import BigInteger, ColumnElement, and_, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from spend.currencies.exchange import OLDEST_BEFORE, Exchange, ExchangeRate, Rates
from spend.currencies.rate_files import WrittenRate
from spend.periods import Period, local_day
from spend.written_rows import Refusal, RowsRefusedError
from store import audit, columns, waiting
from store.tables.rates import rates

_SAID: Final = (
    "from_currency",
    "to_currency",
    "day",
    "rate",
    "source",
    "reference",
    "entered_by",
)
_ROW: Final = tuple(rates.c[name] for name in ("id", *_SAID, "known_from", "known_to"))
_COPY: Final = sql.SQL("COPY rates ({}) FROM STDIN").format(
    sql.SQL(", ").join(map(sql.Identifier, ("tenant_id", "known_from", *_SAID)))
)


class RatesHeldError(RowsRefusedError):
    """Days have another rate already: leave them out, or say that this corrects it."""


@dataclass(frozen=True, slots=True)
class EnteredRates:
    """What a file or a request did."""

    entered: int
    """Of days that had no rate."""
    corrected: int
    same: int
    """What was known already."""


def enter(
    session: Session,
    tenant: int,
    said: Sequence[WrittenRate],
    *,
    correct: bool,
    clock: Callable[[], datetime],
) -> EnteredRates:
    """Takes rates in. What they correct is closed as knowledge, never changed.

    Unless ``correct``, one of a day that has another rate is refused with RatesHeldError. The
    caller's transaction must not be committed then. ``clock`` (UTC) is asked once the ledger is
    locked: so nothing becomes known before a moment that somebody has asked about already.
    """
    waiting.lock_ledger(session)
    held = _believed(session, tenant, [each.rate for each in said])
    other = [
        each
        for each in said
        if each.rate.subject in held and held[each.rate.subject].rate != each.rate.rate
    ]
    if other and not correct:
        raise RatesHeldError([_refusal(each, held[each.rate.subject]) for each in other])
    closed = [held[each.rate.subject] for each in other]
    new = [*other, *(each for each in said if each.rate.subject not in held)]
    moment = max([clock(), *(each.known_from for each in closed if each.known_from is not None)])
    _close(session, tenant, closed, moment)
    if new:
        with columns.driver(session).cursor() as cursor, cursor.copy(_COPY) as copy:
            for each in new:
                values = (getattr(each.rate, name) for name in _SAID)
                copy.write_row((tenant, moment, *values))
    if new:
        audit.note(
            session,
            tenant,
            did="entered",
            noun="exchange rates",
            before={"rates": closed} if closed else None,
            after={"rates": [each.rate for each in new]},
        )
    return EnteredRates(len(new) - len(other), len(other), len(said) - len(new))


def _refusal(said: WrittenRate, held: ExchangeRate) -> Refusal:
    rate = said.rate
    reason = (
        f"{rate.from_currency} to {rate.to_currency} on {rate.day} is {held.rate.normalize():f}"
        f" already, by {held.source!r} (id {held.id})"
    )
    return Refusal(said.line, said.field, reason)


def _believed(
    session: Session, tenant: int, said: Sequence[ExchangeRate]
) -> dict[tuple[str, str, date], ExchangeRate]:
    """What is believed now of the days and currencies of ``said``."""
    if not said:
        return {}
    days = [each.day for each in said]
    found = session.execute(
        select(*_ROW).where(
            rates.c.tenant_id == tenant,
            _known(None),
            rates.c.day.between(min(days), max(days)),
            rates.c.from_currency.in_(sorted({each.from_currency for each in said})),
            rates.c.to_currency.in_(sorted({each.to_currency for each in said})),
        )
    )
    return {each.subject: each for each in map(_rate_of, found)}


def _close(session: Session, tenant: int, closed: Sequence[ExchangeRate], moment: datetime) -> None:
    if closed:
        ids = literal([each.id for each in closed], ARRAY(BigInteger))
        session.execute(
            update(rates)
            .values(known_to=moment)
            .where(rates.c.tenant_id == tenant, rates.c.id == func.any(ids))
        )


def version(session: Session, tenant: int) -> int:
    """The version of a tenant's rates: the id of the last one that was entered; 0: none.

    Nothing known of rates changes without a new one.
    """
    found = session.scalar(select(func.max(rates.c.id)).where(rates.c.tenant_id == tenant))
    return int(found or 0)


def page(
    session: Session,
    tenant: int,
    *,
    from_currency: str | None = None,
    to_currency: str | None = None,
    first: date = date.min,
    last: date = date.max,
    known_at: datetime | None = None,
    after: int = 0,
    at_most: int,
) -> list[ExchangeRate]:
    """Rates in the order in which they were entered, after an id; of days ``first`` to ``last``.

    ``known_at``: what was known then; None: now.
    """
    wanted = _of_pair(tenant, from_currency, to_currency, first, last)
    found = session.execute(
        select(*_ROW)
        .where(*wanted, rates.c.id > after, _known(known_at))
        .order_by(rates.c.id)
        .limit(at_most)
    )
    return [_rate_of(row) for row in found]


def last_days(
    session: Session,
    tenant: int,
    *,
    from_currency: str | None = None,
    to_currency: str | None = None,
    first: date = date.min,
    at_most: int,
) -> list[ExchangeRate]:
    """What is known now, the last days first."""
    c = rates.c
    found = session.execute(
        select(*_ROW)
        .where(*_of_pair(tenant, from_currency, to_currency, first, date.max), _known(None))
        .order_by(c.day.desc(), c.from_currency, c.to_currency)
        .limit(at_most)
    )
    return [_rate_of(row) for row in found]


def _of_pair(
    tenant: int, from_currency: str | None, to_currency: str | None, first: date, last: date
) -> list[ColumnElement[bool]]:
    wanted = [rates.c.tenant_id == tenant, rates.c.day.between(first, last)]
    pair = ((rates.c.from_currency, from_currency), (rates.c.to_currency, to_currency))
    return wanted + [column == code for column, code in pair if code is not None]


def exchange(
    session: Session,
    tenant: int,
    currencies: Collection[str],
    period: Period,
    zone: ZoneInfo,
    *,
    to: str,
    policy: str,
    now: datetime,
    known_at: datetime | None = None,
) -> Exchange:
    """What brings amounts in ``currencies`` of a period into one currency, by a policy.

    The period's days are those of ``zone``, up to the day of ``now`` (UTC), or of ``known_at``
    where that is before it; by rates as they were known then, None: as they are known now.
    """
    known_until = now if known_at is None else min(now, known_at)
    last_moment = min(period.end - timedelta(microseconds=1), known_until)
    first, last = local_day(period.start, zone), local_day(last_moment, zone)
    # A slot of the first day is of the UTC day before it, where the zone is ahead.
    since = min(first, period.start.date()) - OLDEST_BEFORE
    until = max(last, last_moment.date())
    found = _needed(session, tenant, {*currencies, to}, to, since, until, known_at)
    return Exchange(to, policy, first, last, Rates(found))


def _needed(
    session: Session,
    tenant: int,
    currencies: Collection[str],
    to: str,
    since: date,
    until: date,
    known_at: datetime | None,
) -> list[ExchangeRate]:
    """The rates among currencies, and those with any other that both sides have rates with."""
    others = sorted(set(currencies) - {to})
    if not others:
        return []
    of_time = (rates.c.tenant_id == tenant, _known(known_at), rates.c.day.between(since, until))
    ours = [*others, to]
    pairs = session.execute(
        select(rates.c.from_currency, rates.c.to_currency)
        .where(*of_time, or_(rates.c.from_currency.in_(ours), rates.c.to_currency.in_(ours)))
        .distinct()
    ).all()
    beside_to = {each for pair in pairs if to in pair for each in pair}
    beside_others = {each for pair in pairs if set(pair) & set(others) for each in pair}
    there = sorted({*ours, *(beside_to & beside_others)})
    found = session.execute(
        select(*_ROW).where(
            *of_time, rates.c.from_currency.in_(there), rates.c.to_currency.in_(there)
        )
    )
    return [_rate_of(row) for row in found]


def _known(moment: datetime | None) -> ColumnElement[bool]:
    """Believed at a moment; None: now."""
    if moment is None:
        return rates.c.known_to.is_(None)
    return and_(
        rates.c.known_from <= moment, or_(rates.c.known_to.is_(None), rates.c.known_to > moment)
    )


def _rate_of(row: Any) -> ExchangeRate:
    return ExchangeRate(**row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for it
