"""Closes a month for good: reads what is in its books, and records it in the act that closes them.

The lines are read twice over at most: most of them before the ledger is locked, so that nobody
waits for long, and those that came meanwhile under the lock.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table, case, func, select
from sqlalchemy.orm import Session

from spend.access.actors import Actor
from spend.currencies.exchange import Telling
from spend.fiscal import Calendar
from spend.moments import moment_text
from spend.months.month_records import Closing, Lines, Sums, record_of, sha256_of, statement_lines
from spend.months.months import (
    CLOSE,
    CLOSED,
    SOFT_CLOSED,
    LedgerMonth,
    MonthAct,
    MonthRefusedError,
    Warned,
    check_accepted,
    to_close,
)
from spend.ownership.ownership import FIRST
from spend.periods import Period
from store import closing, rates
from store import waiting as waiting_cells
from store.breakdowns.booked_time import booked_in
from store.ledger import ledger
from store.months import month_waits, month_warnings, months
from store.months.month_lines import BookedLines, Told, columns_of
from store.ownership import ownership
from store.postgres.sessions import Database
from store.prices import repricings
from store.spending.booked import booked
from store.tables.ledger import charges, usage_lines
from store.tables.prices import discounts, prices
from store.tenants import PUBLIC

LINES = (charges, usage_lines)
"""What a month's books consist of."""


@dataclass(frozen=True, slots=True)
class Checked:
    """Whether a month can be closed, and as what."""

    month: LedgerMonth
    waits: Sequence[Warned]
    """What is still to be settled: as long as there is any, it cannot be closed."""
    warnings: Sequence[Warned]
    """What has to be accepted."""


def check(
    session: Session,
    tenant: int,
    name: str,
    *,
    calendar: Calendar,
    currency: str,
    now: datetime,
) -> Checked:
    """Raises MonthUnknownError, and MonthRefusedError where it is not its turn."""
    month = to_close(name, months.held(session, tenant), calendar, now)
    # Usage has stopped in a soft-closed one: what waits is booked later.
    settled = month.state == SOFT_CLOSED
    waits = [] if settled else month_waits.waits(session, tenant, month.period, now=now)
    found = month_warnings.warnings(session, tenant, month, currency=currency, now=now)
    return Checked(month, waits, found)


def preview(
    session: Session,
    tenant: int,
    checked: Checked,
    *,
    telling: Telling,
    now: datetime,
    by: str,
    note: str | None = None,
    told: Told | None = None,
) -> Closing:
    """What would be recorded if it were closed ``now`` (UTC), on one snapshot."""
    act = MonthAct(CLOSE, now, by, note, tuple(checked.warnings))
    ahead = _Ahead(session, tenant, checked.month)
    ahead.read(session, tenant, told=told)
    return _closing(session, tenant, checked.month, act, ahead, telling)


def close(
    database: Database,
    tenant: int,
    name: str,
    *,
    calendar: Calendar,
    telling: Telling,
    clock: Callable[[], datetime],
    by: str,
    note: str | None = None,
    accepted: Collection[str] = (),
    told: Told | None = None,
    actor: Callable[[], Actor] | None = None,
) -> LedgerMonth:
    """Closes a month, in one transaction after it was read; returns it with its record.

    ``telling`` is how its statement is told from then on, too; ``accepted`` names warnings
    (store/months/month_warnings.py), or says ``all``. ``clock`` (UTC) is asked when the ledger is
    locked: what came while the month was read, such as a rate, was known when it was closed. Raises
    MonthUnknownError, WarningUnknownError and MonthRefusedError: then, and if it is killed,
    everything is as it was. ``actor`` as in ``Database.write``.
    """
    currency = telling.currency
    with database.write() as session:
        # Whoever posts has committed then, and all up to these ids can be seen.
        waiting_cells.lock_ledger(session)
        checked = check(session, tenant, name, calendar=calendar, currency=currency, now=clock())
        _accept(checked, accepted)
        last = {table.name: _last_id(session, tenant, table) for table in LINES}
    with database.read() as session:
        ahead = _Ahead(session, tenant, checked.month)
        ahead.read(session, tenant, last, told)
    with database.write(actor) as session:
        waiting_cells.lock_ledger(session)
        now = clock()
        checked = check(session, tenant, name, calendar=calendar, currency=currency, now=now)
        at = closing.posting(session, tenant, now).at
        act = MonthAct(CLOSE, at, by, note, _accept(checked, accepted))
        if not ahead.is_of(session, tenant, checked.month):
            raise MonthRefusedError([f"{name} was opened or closed by somebody else meanwhile"])
        ahead.read(session, tenant)
        record = record_of(_closing(session, tenant, checked.month, act, ahead, telling))
        sha256 = sha256_of(record)
        months.write(session, tenant, checked.month, state=CLOSED, record=record, sha256=sha256)
        months.note_act(session, tenant, name, act)
        closing.close(session, tenant, checked.month.period.end)
        return LedgerMonth(
            name, checked.month.period, checked.month.calendar, CLOSED, record, sha256
        )


def _accept(checked: Checked, accepted: Collection[str]) -> tuple[Warned, ...]:
    if checked.waits:
        raise MonthRefusedError([each.said for each in checked.waits])
    return check_accepted(checked.warnings, accepted, month_warnings.NAMES)


class _Ahead:
    """A month's lines, as far as they were read."""

    def __init__(self, session: Session, tenant: int, month: LedgerMonth) -> None:
        self.previous = last_closed(session, tenant)
        self.period = books_of(month, first=self.previous is None)
        self.lines = {
            table.name: BookedLines(table, self.period, columns_of(table)) for table in LINES
        }

    def read(
        self,
        session: Session,
        tenant: int,
        up_to: dict[str, int] | None = None,
        told: Told | None = None,
    ) -> None:
        for name, lines in self.lines.items():
            lines.read(session, tenant, up_to=up_to[name] if up_to else None, told=told)

    def is_of(self, session: Session, tenant: int, month: LedgerMonth) -> bool:
        """Whether nothing was closed, and no bounds moved, since it was begun."""
        there = _Ahead(session, tenant, month)
        return (there.previous, there.period) == (self.previous, self.period)

    def found(self, table: Table) -> Lines:
        return self.lines[table.name].found()


def books_of(month: LedgerMonth, *, first: bool) -> Period:
    """The time whose books are closed with a month: with the first one, all before it too."""
    return Period(FIRST, month.period.end) if first else month.period


def last_closed(session: Session, tenant: int) -> str | None:
    """The hash of the last month that is closed; None: there is none."""
    closed = [each for each in months.held(session, tenant) if each.state == CLOSED]
    return closed[-1].hash if closed else None


def _closing(
    session: Session,
    tenant: int,
    month: LedgerMonth,
    act: MonthAct,
    ahead: _Ahead,
    telling: Telling,
) -> Closing:
    return Closing(
        month=month,
        ledger=ahead.found(charges),
        usage=ahead.found(usage_lines),
        # With the names that were known then: of models, more becomes known.
        statement=statement_lines(booked(session, tenant, month.period, as_known_at=act.at)),
        sums=sums_of(session, tenant, month.period),
        versions=_versions(session, tenant) | {"telling": asdict(telling)},
        acts=[*months.acts(session, tenant).get(month.name, ()), act],
        previous=ahead.previous,
    )


def sums_of(session: Session, tenant: int, period: Period) -> dict[str, Sums]:
    """What the lines booked in a period come to, by currency."""
    c = charges.c
    rows = session.execute(
        select(
            c.currency,
            case((func.bool_and(c.list_amount.is_not(None)), func.sum(c.list_amount))),
            func.sum(c.contracted_amount),
            func.sum(c.amount),
            func.sum(c.billed_amount),
        )
        .where(c.tenant_id == tenant, booked_in(charges, period))
        .group_by(c.currency)
    )
    return {row[0]: Sums(*row[1:]) for row in rows}


def _versions(session: Session, tenant: int) -> dict[str, Any]:
    """What the month was computed by."""
    rules = ownership.in_force(session, tenant)
    known = repricings.latest_knowledge(session, tenant)
    return {
        "engine": ledger.ENGINE,
        "prices": {
            "known_at": None if known is None else moment_text(known),
            "last_price": _last_id(session, tenant, prices, PUBLIC),
            "last_discount": _last_id(session, tenant, discounts, PUBLIC),
        },
        "ownership": None if rules is None else rules.version,
        "rates": rates.version(session, tenant),
    }


def _last_id(session: Session, tenant: int, table: Table, *also: int) -> int:
    asked = select(func.max(table.c.id)).where(table.c.tenant_id.in_((tenant, *also)))
    return int(session.scalar(asked) or 0)
