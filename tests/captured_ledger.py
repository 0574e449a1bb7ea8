"""Hears captured requests into a ledger, rolls them up, and reads what they amount to."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from deliveries import Sent
from sqlalchemy import ColumnElement, func, select

from collector.understanding.by_signal import understand_signal
from jobs import roll
from jobs.context import JobContext
from spend.calls import Outcome
from spend.meters import CACHE_WRITES, INPUTS
from store.dictionaries import Known
from store.intake.intake import Account, Batch, put_down
from store.postgres.sessions import Database
from store.tables.heard import owners
from store.tables.rollups import cells
from store.tenants import TENANT

CAPTURED = datetime(2026, 11, 22, 12, tzinfo=UTC)


def hear(database: Database, *requests: Sent) -> list[Account]:
    """One batch of requests."""
    heard = [
        understand_signal(signal, [body], tenant=TENANT, received_at=CAPTURED)
        for signal, body in requests
    ]
    with database.write() as session:
        return list(put_down(session, Batch(TENANT, CAPTURED, heard), Known()).accounts)


def hear_all(database: Database, sent: Sequence[Sent]) -> None:
    """One batch of requests, understood together."""
    heard = [
        understand_signal(
            signal,
            [body for kind, body in sent if kind is signal],
            tenant=TENANT,
            received_at=CAPTURED,
        )
        for signal in dict.fromkeys(signal for signal, _ in sent)
    ]
    if heard:
        with database.write() as session:
            put_down(session, Batch(TENANT, CAPTURED, heard), Known())


def settle(database: Database) -> None:
    roll.run(JobContext(database, now=CAPTURED + timedelta(hours=1), by_hand=True))


def amount(database: Database) -> tuple[int, ...]:
    """Calls, errors, input, cache read, cache write, output, reasoning: as TRUTH.md has them."""
    with database.read() as session:
        found = session.execute(select(*_amount())).one()
    return tuple(int(each) for each in found)


def amounts(database: Database) -> dict[str | None, tuple[int, ...]]:
    """The same by customer."""
    by_customer = select(owners.c.customer, *_amount()).join_from(
        cells, owners, (owners.c.tenant_id == cells.c.tenant_id) & (owners.c.id == cells.c.owner_id)
    )
    with database.read() as session:
        found = session.execute(by_customer.group_by(owners.c.customer)).all()
    return {customer: tuple(int(each) for each in sums) for customer, *sums in found}


def _amount() -> list[ColumnElement[int]]:
    of = cells.c
    prompt = sum((of[name] for name in INPUTS[1:]), of[INPUTS[0]])
    written = sum((of[name] for name in CACHE_WRITES[1:]), of[CACHE_WRITES[0]])
    failed = func.sum(of.calls).filter(of.outcome != Outcome.OK)
    sums = [func.sum(of.calls), failed, func.sum(prompt), func.sum(of.cache_read)]
    sums += [func.sum(written), func.sum(of.output), func.sum(of.reasoning)]
    return [func.coalesce(each, 0) for each in sums]
