"""Hours of pools: split, posted from their beginning, split again when their calls change."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from filled_ledger import GPT, LLAMA, SEARCH, SUPPORT, at, empty_ledger, put_cell
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from jobs.charging import charge, charge_pools
from jobs.context import JobContext
from spend.calls import Outcome
from spend.capacity.pool_files import pool_of_fields
from spend.capacity.pools import IDLE_OWNER, Pool
from store.capacity import pools
from store.ledger import ledger
from store.postgres.sessions import Database
from store.tables.heard import owners, routes
from store.tables.ledger import charges
from store.tables.rollups import cells
from store.tenants import TENANT

NOW = at("2026-10-20T12:05")


def declared(since: str = "2026-10-20T10:00", **others: Any) -> Pool:
    said = {
        "name": "llama",
        "cost_per_hour": "10.000001",
        "from": since,
        "match": {"provider": ["vllm"]},
        "capacity_per_hour": "1000",
    }
    return pool_of_fields(said | others, currency="USD", now=NOW)


def declare(database: Database, pool: Pool) -> None:
    with database.write() as session:
        pools.declare(session, TENANT, pool)


def run(database: Database, now: datetime = NOW) -> str:
    return charge.run(JobContext(database=database, now=now)).note


def posted(database: Database) -> dict[tuple[str, str, str], str]:
    """(hour, team, meter) -> amount."""
    hour = func.date_trunc("hour", charges.c.slot, "UTC")
    with database.read() as session:
        found = session.execute(
            select(hour, owners.c.team, charges.c.meter, func.sum(charges.c.amount))
            .join(owners, owners.c.id == charges.c.owner_id)
            .group_by(hour, owners.c.team, charges.c.meter)
        )
        return {(f"{row[0]:%H}", row[1], row[2]): f"{row[3]:f}" for row in found if row[3]}


def sum_by_hour(database: Database) -> set[Decimal]:
    totals: dict[str, Decimal] = {}
    for (hour, _team, _meter), amount in posted(database).items():
        totals[hour] = totals.get(hour, Decimal(0)) + Decimal(amount)
    return set(totals.values())


def wait_again(session: Session, **values: int) -> None:
    session.execute(update(cells).values(**values, charged=False))


def test_hours_that_have_begun_are_posted_whole_and_idle_has_its_line(database: Database) -> None:
    declare(database, declared())
    with database.write() as session:
        put_cell(session, "2026-10-20T11:00", SEARCH, LLAMA, charged=False, input=100, output=25)
        put_cell(session, "2026-10-20T11:45", SUPPORT, LLAMA, charged=False, input=100)
    run(database)
    assert posted(database) == {
        ("10", "idle", "idle"): "10.000001000000",
        ("11", "search", "pool"): "2.000000200000",
        ("11", "support", "pool"): "1.000000100000",
        ("11", "idle", "idle"): "7.000000700000",
        ("12", "idle", "idle"): "10.000001000000",
    }
    with database.read() as session:
        lines = session.execute(select(charges.c.kind, charges.c.method).distinct()).all()
        assert lines == [("allocation", "work-units-v1")]
        assert (
            session.scalar(select(owners.c.rule).where(owners.c.team == "idle")) == IDLE_OWNER.rule
        )
        idle_route = session.execute(
            select(routes.c.provider, routes.c.deployment).where(routes.c.model.is_(None))
        ).all()
        assert idle_route == [("vllm", "self-hosted")]
    assert run(database) == "0 cells, 0 lines"
    assert run(database, NOW + timedelta(hours=1)) == "0 cells, 1 lines"


def test_an_hour_whose_calls_change_is_split_again(database: Database) -> None:
    declare(database, declared())
    with database.write() as session:
        put_cell(session, "2026-10-20T11:00", SEARCH, LLAMA, charged=False, input=1000)
    run(database)
    assert posted(database)["11", "search", "pool"] == "10.000001000000"
    with database.write() as session:
        put_cell(session, "2026-10-20T11:15", SUPPORT, LLAMA, charged=False, input=3000)
        wait_again(session, calls=2)
    run(database)
    assert posted(database)["11", "search", "pool"] == "2.500000250000"
    assert posted(database)["11", "support", "pool"] == "7.500000750000"
    assert sum_by_hour(database) == {Decimal("10.000001")}


def test_what_runs_on_a_pool_is_priced_whatever_it_said(database: Database) -> None:
    declare(database, declared())
    with database.write() as session:
        put_cell(session, "2026-10-20T11:00", SEARCH, LLAMA, charged=False, calls=4, unmetered=4)
        put_cell(session, "2026-10-20T11:00", SEARCH, LLAMA, charged=False, outcome=Outcome.ERROR)
        put_cell(session, "2026-10-20T11:00", SEARCH, GPT, charged=False, calls=2, unmetered=2)
    run(database)
    with database.read() as session:
        found = session.scalars(select(cells.c.unpriced_calls).order_by(cells.c.unpriced_calls))
        assert found.all() == [0, 0, 2]


def test_without_a_capacity_the_time_of_calls_is_the_busy_share(database: Database) -> None:
    declare(database, declared(capacity_per_hour=None, cost_per_hour="10"))
    with database.write() as session:
        timed = (1, 900_000_000, 0, 0)
        put_cell(session, "2026-10-20T11:00", SEARCH, LLAMA, charged=False, input=7, timed=timed)
    run(database)
    assert posted(database)["11", "search", "pool"] == "2.500000000000"
    assert posted(database)["11", "idle", "idle"] == "7.500000000000"


def test_a_pool_declared_late_takes_over_what_was_charged(database: Database) -> None:
    with database.write() as session:
        put_cell(session, "2026-10-20T11:00", SEARCH, LLAMA, charged=False, calls=3, input=500)
    run(database)
    declare(database, declared(cost_per_hour="10"))
    run(database)
    assert posted(database)["11", "search", "pool"] == "5.000000000000"
    with database.read() as session:
        assert session.scalar(select(cells.c.unpriced_calls)) == 0


@pytest.mark.one_server
@pytest.mark.parametrize(
    "change",
    [
        {"cost_per_hour": "7.123457"},
        {"to": "2026-10-20T12:00"},
        {"from": "2026-10-20T11:00"},
        {"from": "2026-10-20T08:00"},
        {"match": {"model": ["other"]}},
        {"capacity_per_hour": None},
    ],
)
def test_a_changed_pool_ends_where_it_would_have_been(
    database: Database, change: dict[str, Any]
) -> None:
    def fill() -> None:
        with database.write() as session:
            session.execute(cells.delete())
            timed = (1, 1_200_000_000, 0, 0)
            for hour in ("08", "09", "10", "11"):
                for owner in (SEARCH, SUPPORT):
                    put_cell(
                        session,
                        f"2026-10-20T{hour}:30",
                        owner,
                        LLAMA,
                        charged=False,
                        input=333 if owner is SEARCH else 77,
                        timed=timed,
                    )

    old, new = declared(), declared(**change)
    fill()
    with database.write() as session:
        pools.apply(session, TENANT, [old, declared(name="younger", cost_per_hour="3")])
    run(database)
    with database.write() as session:
        assert [what for _pool, what in pools.apply(session, TENANT, [new])] == ["changed"]
    run(database)
    mended = posted(database)
    with database.write() as session:
        empty_ledger(session)
        assert [what for _pool, what in pools.apply(session, TENANT, [new])] == ["unchanged"]
        for pool in pools.all_pools(session, TENANT):
            session.execute(
                update(pools.pools).where(pools.pools.c.id == pool.id).values(charged_to=None)
            )
    fill()
    run(database)
    assert mended == posted(database)


@pytest.mark.one_server
def test_killed_anywhere_it_ends_the_same(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(charge, "CELLS_AT_ONCE", 2)
    monkeypatch.setattr(charge_pools, "HOURS_AT_ONCE", 1)
    declare(database, declared())
    with database.write() as session:
        for slot in ("09:00", "10:15", "11:00", "11:30"):
            for owner in (SEARCH, SUPPORT):
                put_cell(session, f"2026-10-20T{slot}", owner, LLAMA, charged=False, input=100)

    class KilledError(Exception):
        pass

    left = 0

    def dying(what: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                raise KilledError
            done = what(*arguments, **named)
            left -= 1
            if left == 0:
                raise KilledError
            return done

        return call

    for module, name in ((ledger, "post"), (ledger, "settle"), (pools, "charged")):
        monkeypatch.setattr(module, name, dying(getattr(module, name)))
    deaths = 0
    for moment in range(1, 28):
        left = moment
        try:
            run(database)
        except KilledError:
            deaths += 1
        assert sum_by_hour(database) <= {Decimal("10.000001")}
        with database.write() as session:
            wait_again(session)
    assert deaths > 10
    left = 0
    run(database)
    assert run(database) == "0 cells, 0 lines"
    assert posted(database)["11", "search", "pool"] == "2.000000200000"
    assert posted(database)["10", "idle", "idle"] == "8.000000800000"
    assert sum_by_hour(database) == {Decimal("10.000001")}


def test_the_first_declared_of_two_pools_has_the_calls(database: Database) -> None:
    declare(database, declared(cost_per_hour="10"))
    declare(database, declared(name="b", cost_per_hour="20", match={"deployment": ["self-hosted"]}))
    with database.write() as session:
        put_cell(session, "2026-10-20T11:00", SEARCH, LLAMA, charged=False, input=1000)
    run(database)
    assert posted(database)["11", "search", "pool"] == "10.000000000000"
    assert posted(database)["11", "idle", "idle"] == "20.000000000000"


def test_two_runs_at_once_post_everything_once(database: Database) -> None:
    declare(database, declared())
    with database.write() as session:
        for minute in ("00", "15", "30", "45"):
            for outcome in (Outcome.OK, Outcome.ERROR):
                slot = f"2026-10-20T11:{minute}"
                put_cell(
                    session, slot, SEARCH, LLAMA, charged=False, outcome=outcome, input=50, band=0
                )
    with ThreadPoolExecutor(4) as threads:
        notes = list(threads.map(lambda _: run(database), range(4)))
    assert len(notes) == 4
    assert posted(database)["11", "search", "pool"] == "4.000000400000"
    assert sum_by_hour(database) == {Decimal("10.000001")}
    assert run(database) == "0 cells, 0 lines"
