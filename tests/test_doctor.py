"""The doctor: each thing that somebody forgets, shown wrong once and well once."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from doctored import DAY, NOW, PEPPER, found, states
from filled_ledger import at, put_cell, put_run
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from app.cli import cli
from app.examination import (
    accounts,
    hearing,
    keeping,
    machine,
    settling,
    spending,
)
from app.examination.examine import CHECKS
from app.examination.findings import Check, State
from app.settings import Settings
from jobs.timetable import JOBS
from spend.capacity.pool_files import pool_of_fields
from store.access.keys import create_key
from store.capacity import pools
from store.postgres import partitions
from store.postgres.sessions import Database
from store.tables.archive import archived_days
from store.tables.days import charge_days
from store.tables.heard import batches
from store.tables.jobs import job_runs
from store.tables.months import months
from store.tables.pools import pool_hours
from store.tables.prices import prices
from store.tenants import PUBLIC, TENANT

pytestmark = pytest.mark.one_server

Arrange = Callable[[Session], object]


def batch(session: Session, *, ago: timedelta, heard: int = 10, refused: int = 0) -> None:
    number = session.execute(text("SELECT nextval('batch_ids')")).scalar_one()
    counts = {"heard": heard, "stored": heard - refused, "refused": refused}
    others = {"duplicate": 0, "not_a_call": 0}
    values = {"tenant_id": TENANT, "id": number, "received_at": NOW - ago, "refusals": {}}
    columns = batches.columns.keys()
    said = {k: v for k, v in {**values, **counts, **others}.items() if k in columns}
    session.execute(insert(batches).values(said))


def went(session: Session, place: str) -> None:
    counts = {"sightings": 1, "joined_calls": 0, "bytes": 9}
    session.execute(
        insert(archived_days).values(
            tenant_id=TENANT, day=date(2026, 4, 30), place=place, folder="day=2026-04-30",
            files=[], archived_at=NOW, dropped_at=NOW, **counts,
        )
    )  # fmt: skip


def days_ahead(session: Session) -> None:
    partitions.ensure(session, NOW.date(), NOW.date() + 3 * DAY)


def ran(session: Session, *, ago: float = 1, failed: bool = False) -> None:
    for name in JOBS:
        put_run(session, name, "2026-10-20", f"{NOW - timedelta(seconds=ago):%Y-%m-%dT%H:%M:%S}")
    session.execute(job_runs.update().values(failed=failed))


def key(session: Session, **changes: Any) -> None:
    said = {"kind": "read", "name": "finance", "team": None, "now": NOW - 8 * DAY}
    create_key(session, tenant=TENANT, **{"pepper": PEPPER.encode(), **said, **changes})


def price(session: Session, ago: timedelta) -> None:
    said = {"book": "list", "provider": "openai", "model": "gpt-4o", "meter": "input"}
    session.execute(
        insert(prices).values(
            tenant_id=PUBLIC, **said, unit_price="2", currency="USD", source="here",
            valid_from=NOW - ago, known_from=NOW - ago,
        )
    )  # fmt: skip


def pool(session: Session, *, hours: int = 168, cost: int = 17, work: int = 5) -> None:
    said = {"name": "h100", "from": "2026-01-01", "cost_per_hour": "17"}
    declared = pools.declare(
        session,
        TENANT,
        pool_of_fields(said | {"match": {"provider": ["vllm"]}}, currency="USD", now=NOW),
    )
    last = NOW - timedelta(hours=3)
    of_all = {"billed_amount": cost, "idle": 0, "components": [], "method": "work-units-v1"}
    for number in range(hours):
        session.execute(
            insert(pool_hours).values(
                tenant_id=TENANT, pool_id=declared.id, hour=last - timedelta(hours=number),
                cost=cost, work_units=work, timed_us=0, settled_at=NOW, **of_all,
            )
        )  # fmt: skip


def spent_in(session: Session, currency: str, amount: str = "1") -> None:
    numbers = {"lines": 1, "amount": amount, "list_amount": 1, "contracted_amount": 1}
    session.execute(
        insert(charge_days).values(
            tenant_id=TENANT, day=date(2026, 10, 18), payer_id=1, route_id=1, currency=currency,
            kind="usage", pool_id=0, commitment_id=0, meter="", billed_amount=1, unlisted=0,
            **numbers,
        )
    )  # fmt: skip


def closed(session: Session, name: str, starts: str, ends: str) -> None:
    calendar = {"zone": "UTC", "kind": "month", "starts_in": 1}
    session.execute(
        insert(months).values(
            tenant_id=TENANT, name=name, starts=at(starts), ends=at(ends), state="soft-closed",
            calendar=calendar | {"week_starts_on": "monday", "ends": "last"},
        )
    )  # fmt: skip


@dataclass
class Case:
    check: Check
    wrong: Arrange
    """Makes it wrong, from nothing."""
    told: str
    well: Arrange | None = lambda _session: None
    """Makes it well; None: then nothing is said."""
    state: State = State.WRONG


CASES = [
    Case(hearing.partitions, lambda _: None, "sightings_2026_10_22", days_ahead),
    Case(
        hearing.lag,
        lambda s: batch(s, ago=timedelta(minutes=11)),
        "calls heard at 2026-10-20 11:49 UTC still wait",
    ),
    Case(
        keeping.archive,
        lambda s: partitions.ensure(s, date(2026, 5, 1), date(2026, 5, 1)),
        "1 days should have gone, the first of them 2026-05-01",
        state=State.LOOK,
    ),
    Case(
        keeping.archive,
        lambda s: went(s, "/nowhere"),
        "the files of 2026-04-30 are not at /nowhere",
    ),
    Case(
        hearing.refused,
        lambda s: batch(s, ago=DAY / 2, refused=1),
        "10 in the last day, 1 of them refused",
        lambda s: batch(s, ago=DAY / 2, heard=100, refused=1),
        State.LOOK,
    ),
    Case(
        hearing.refused,
        lambda s: batch(s, ago=2 * DAY),
        "nothing since 2026-10-18 12:00 UTC",
        lambda s: batch(s, ago=DAY / 2),
        State.LOOK,
    ),
    Case(
        spending.unpriced,
        lambda s: put_cell(s, "2026-10-19", calls=10, unpriced=3),
        "3 of 10 calls",
        lambda s: put_cell(s, "2026-10-19", calls=10),
    ),
    Case(
        spending.unpriced,
        lambda s: put_cell(s, "2026-10-19", calls=10, unpriced=1),
        "1 of 10 calls",
        state=State.LOOK,
    ),
    Case(
        spending.price_list,
        lambda s: price(s, 130 * DAY),
        "nothing new is known of public prices since 2026-06-12",
        lambda s: price(s, 9 * DAY),
        State.LOOK,
    ),
    Case(spending.rates, lambda s: spent_in(s, "EUR"), "none to USD from EUR", None),
    Case(spending.pools, lambda s: pool(s, hours=166), "2 hours of h100", pool),
    Case(
        spending.pools,
        lambda s: pool(s, cost=0),
        "168 hours of h100 in the last week cost nothing",
        pool,
        State.LOOK,
    ),
    Case(spending.pools, lambda s: pool(s, work=0), "no call ran on h100", pool, State.LOOK),
    Case(
        settling.months,
        lambda s: closed(s, "2026-08", "2026-08-01", "2026-09-01"),
        "2026-09 was over 19 days ago, and is open",
        lambda s: closed(s, "2026-09", "2026-09-01", "2026-10-01"),
        State.LOOK,
    ),
    Case(settling.jobs, lambda s: ran(s, ago=9e5), "10 days ago: 1 batch", ran),
    Case(settling.jobs, lambda s: ran(s, failed=True), "1 s ago: failed: 1 batch", ran),
    Case(settling.jobs, lambda _: None, "never ran", ran),
    Case(
        accounts.keys,
        lambda s: key(s, expires_at=NOW - DAY),
        "all have expired",
        lambda s: key(s, expires_at=NOW + 90 * DAY),
    ),
    Case(
        accounts.keys,
        lambda s: key(s, expires_at=NOW + DAY),
        "will have expired in 14 days",
        state=State.LOOK,
    ),
    Case(accounts.keys, key, "never expires", state=State.LOOK),
    Case(
        accounts.keys,
        lambda s: key(s, expires_at=NOW + 90 * DAY, pepper=b"of another machine"),
        "1 were made with another pepper",
        lambda s: key(s, expires_at=NOW + 90 * DAY),
    ),
    Case(
        accounts.keys,
        lambda s: key(s, now=NOW - 99 * DAY, expires_at=NOW + 90 * DAY),
        "for 90 days",
        state=State.LOOK,
    ),
]


@contextmanager
def arranged(database: Database, arrange: Arrange) -> Iterator[Session]:
    """A transaction that is rolled back."""
    with Session(database.engine) as session:
        arrange(session)
        yield session
        session.rollback()


def test_what_comes_to_no_coin_needs_no_exchange_rate(database: Database) -> None:
    with arranged(database, lambda session: spent_in(session, "EUR", "0.000000003")) as session:
        assert found(spending.rates, session) == []


def test_each_thing_that_is_wrong_is_told_and_what_helps(database: Database) -> None:
    for case in CASES:
        with arranged(database, case.wrong) as session:
            findings = found(case.check, session)
        told = [it for it in findings if case.told in it.said]
        assert told, (case, findings)
        assert told[0].state is case.state, case
        assert told[0].do, case


def test_where_all_is_well_nothing_else_is_said(database: Database) -> None:
    for case in CASES:
        with arranged(database, case.well or (lambda _session: None)) as session:
            findings = found(case.check, session)
        assert states(findings) == ({State.WELL} if case.well else set()), (case, findings)


def test_every_check_of_the_database_is_shown_wrong() -> None:
    there = ("test_doctor.py", "test_doctor_server.py", "test_replicas.py")
    tests = [Path(__file__).with_name(name) for name in there]
    said = "".join(path.read_text() for path in tests)
    unseen = [check.__name__ for check in CHECKS if not re.search(rf"\.{check.__name__}\b", said)]
    assert unseen == ["channels"]  # tests/test_channel_commands.py


def test_keys_that_travel_in_plain_text_are_told() -> None:
    beyond = {"api_addr": "0.0.0.0:1"}
    (told,) = machine.in_plain_text(Settings(**beyond))
    assert "0.0.0.0:1" in told.said
    assert not list(machine.in_plain_text(Settings(**beyond, trusted_proxies="10.0.0.1")))


def test_what_it_says_to_do_can_be_done() -> None:
    folder = Path(accounts.__file__).parent
    said = {
        tuple(words.split())
        for path in folder.glob("*.py")
        for words in re.findall(r'"[^"]*?spanledger ([a-z-]+(?: [a-z-]+)?)', path.read_text())
    }
    assert ("keys", "revoke") in said
    for words in said:
        command: click.Command = cli
        context = click.Context(cli)
        for word in words:
            if not isinstance(command, click.Group):
                break
            found_there = command.get_command(context, word)
            assert found_there, f"there is no spanledger {' '.join(words)}"
            command = found_there
    root = folder.parent.parent
    for path in folder.glob("*.py"):
        for page in re.findall(r"docs/[\w-]+\.md", path.read_text()):
            assert (root / page).exists(), page
