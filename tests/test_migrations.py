"""The database is what the code says it is, whichever way it came there."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import budgeted
import psycopg
import pytest
from filled_ledger import put_cell, put_charge
from sighted import NOON, OTEL, hear, sighting
from slack_stand_in import slack_stand_in
from sqlalchemy import BigInteger, func, insert, literal_column, select, text, update

from app.database import bring_up_to_date
from app.errors import DatabaseUnavailable
from app.local_postgres import LocalPostgres
from jobs import roll
from jobs.charging import charge
from jobs.context import JobContext
from migrations.run import differences, downgrade, upgrade
from migrations.shapes import Fit, shape_of
from spend.calls import Outcome, Role
from spend.ids import content_id, unsigned
from store.alerts import alerts
from store.budgets import budgets
from store.postgres.partitions import ensure
from store.postgres.sessions import Database
from store.tables.heard import emitters, heard_from
from store.tables.ledger import charges, usage_lines
from store.tables.prices import prices
from store.tables.rollups import cells
from store.tenants import TENANT
from store.twins import twins


def shape(database: Database) -> tuple[bool, list[object]]:
    with database.engine.connect() as connection:
        return shape_of(connection).fit is Fit.BEHIND, differences(connection)


def test_migrations_make_what_the_tables_say(database: Database) -> None:
    assert shape(database) == (False, [])


def test_down_and_up_again_is_the_same(database: Database, database_url: str) -> None:
    downgrade(database_url, "base")
    assert shape(database)[0]
    upgrade(database_url)
    assert shape(database) == (False, [])


def test_processes_that_start_together_migrate_once(database: Database, database_url: str) -> None:
    downgrade(database_url, "base")
    code = "import sys; from migrations.run import upgrade; upgrade(sys.argv[1])"
    started = [
        subprocess.Popen([sys.executable, "-c", code, database_url])  # noqa: S603  # our own code
        for _ in range(3)
    ]
    assert [process.wait(60) for process in started] == [0, 0, 0]
    assert shape(database) == (False, [])


def test_the_price_book_refuses_two_prices_at_one_time(database: Database) -> None:
    with database.read() as session:
        constraint = session.scalar(
            text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'x'")
        )
    assert "tstzrange(valid_from, valid_to) WITH &&" in str(constraint)
    assert "tstzrange(known_from, known_to) WITH &&" in str(constraint)


def test_days_that_are_there_get_the_new_index(database: Database, database_url: str) -> None:
    downgrade(database_url, "0001")
    with database.write() as session:
        ensure(session, NOON.date(), NOON.date())
    upgrade(database_url)
    assert shape(database) == (False, [])
    with database.read() as session:
        valid = session.scalars(
            text("SELECT indisvalid FROM pg_index WHERE indexrelid::regclass::text LIKE '%_kin%'")
        )
        assert list(valid) == [True, True, True]  # of the whole table, the day, and other days


def test_sightings_of_before_are_narrow_and_what_they_were(
    database: Database, database_url: str
) -> None:
    before = [
        sighting(1, response_id="chatcmpl-1", duration_us=2**40, details={"finish_reason": "stop"}),
        sighting(2, role=Role.SERVER, outcome=Outcome.TIMEOUT, details={"attempts": 2}),
        sighting(3, details={"finish_reason": "stop"}),
        sighting(4),
    ]
    with database.write() as session:
        ensure(session, NOON.date(), NOON.date())
    hear(database, before)
    downgrade(database_url, "0006")
    with database.write() as session:
        session.execute(
            text("UPDATE sightings SET response_id = 'chatcmpl-1' WHERE duration_us > 2^31")
        )
    upgrade(database_url)
    assert shape(database) == (False, [])
    with database.read() as session:
        kept = twins.as_heard(session, TENANT, [one.trace_id for one in before])
    digest = unsigned(int.from_bytes(sha256(b"chatcmpl-1").digest()[:8], "big", signed=True))
    assert sorted((one.sighting for one in kept), key=lambda one: one.trace_id) == [
        replace(before[0], response_id=digest),
        *before[1:],
    ]


def test_emitters_heard_between_a_downgrade_and_an_upgrade_are_one(
    database: Database, database_url: str
) -> None:
    hear(database, [sighting(1)])
    roll.run(JobContext(database, now=NOON, by_hand=True))
    downgrade(database_url, "0006")
    with database.write() as session:
        # As the version of before has them: by wider ids.
        for table, column in ((emitters, "id"), (heard_from, "emitter_id")):
            wider = {column: literal_column(f"{column} # (5::bigint << 32)", BigInteger)}
            columns = [wider.get(each.name, each) for each in table.columns]
            session.execute(insert(table).from_select(table.columns.keys(), select(*columns)))
    upgrade(database_url)
    with database.read() as session:
        kept = twins.as_heard(session, TENANT, [sighting(1).trace_id])
        services = session.execute(text("SELECT emitter_id FROM heard_from")).scalars().all()
    assert [one.sighting for one in kept] == [sighting(1)]
    assert list(services) == [content_id(OTEL)]


def test_charges_of_before_have_their_four_bases(database: Database, database_url: str) -> None:
    with database.write() as session:
        for book, meter, price in (("list", "input", "2.5"), ("contract", "output", "8")):
            session.execute(
                insert(prices).values(
                    tenant_id=TENANT,
                    book=book,
                    provider="openai",
                    model="gpt-4o",
                    meter=meter,
                    unit_price=price,
                    currency="USD",
                    valid_from=NOON,
                    known_from=NOON,
                    source="here",
                )
            )
        put_charge(session, "2026-10-20T12:00", "2.5", price_id=1)
        put_charge(session, "2026-10-20T12:00", "8", meter="output", price_id=2)
        put_charge(session, "2026-10-20T12:00", "1", meter="idle", pool_id=3)
    downgrade(database_url, "0007")
    upgrade(database_url)
    with database.read() as session:
        found = session.execute(
            text(
                "SELECT amount::float::text, contracted_amount = amount, billed_amount = amount,"
                " list_amount = amount, unit_price::float::text, list_unit_price::float::text,"
                " payer_id = owner_id FROM charges ORDER BY id"
            )
        ).all()
    assert found == [
        ("2.5", True, True, True, "2.5", "2.5", True),
        ("8", True, True, None, "8", None, True),
        ("1", True, True, True, None, None, True),
    ]


def test_what_was_charged_before_does_not_move_by_a_late_call(
    database: Database, database_url: str
) -> None:
    known = {"2.5": NOON - timedelta(days=1), "2": NOON + timedelta(hours=6)}
    with database.write() as session:
        for (price, known_from), book in zip(known.items(), ("list", "contract"), strict=True):
            session.execute(
                insert(prices).values(
                    tenant_id=TENANT,
                    book=book,
                    provider="openai",
                    model="gpt-4o",
                    meter="input",
                    unit_price=price,
                    currency="USD",
                    valid_from=NOON - timedelta(days=1),
                    known_from=known_from,
                    source="here",
                )
            )
        put_cell(session, NOON.isoformat(), input=1_000_000)
        # As the version of before did, by the contract that was imported six hours later.
        put_charge(session, NOON.isoformat(), "2", price_id=2, quantity=1_000_000)
    downgrade(database_url, "0007")
    upgrade(database_url)
    with database.write() as session:
        session.execute(update(cells).values(input=1_500_000, charged=False))
    charge.run(JobContext(database, now=datetime.now(UTC)))
    with database.read() as session:
        assert session.scalar(select(func.sum(charges.c.amount))) == 3


def test_what_the_version_before_charged_beside_a_new_database_is_in_the_journal(
    database: Database,
) -> None:
    with database.write() as session:
        put_cell(session, "2026-10-05T10:00", calls=7, input=70)
    for _ in range(2):
        charge.run(JobContext(database, now=NOON))
        with database.read() as session:
            told = select(func.sum(usage_lines.c.calls), func.sum(usage_lines.c.input))
            assert session.execute(told).one() == (7, 70)


@pytest.mark.one_server
def test_budgets_that_old_code_cannot_read_do_not_survive_a_downgrade_as_something_else(
    database: Database, database_url: str
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    yesterday, to_come = now - timedelta(days=1), now + timedelta(days=40)
    kept = budgeted.budget(database, yesterday)
    own = {"starts_on": str(yesterday.date()), "days": 14}
    budgeted.budget(database, yesterday, name="own", period="custom", own_period=own)
    budgeted.charge(database, "85", str(yesterday.date()))
    budgeted.evaluate(database, now)
    with database.write() as session:
        budgets.change(session, TENANT, kept.id, budgeted.said(amount="200"), now, to_come)
    downgrade(database_url, "0021")
    with database.read() as session:
        left = "SELECT id, version, amount::int, replaced_at FROM budgets"
        assert session.execute(text(left)).all() == [(1, 1, 100, None)]
        assert session.execute(text("SELECT budget_id FROM crossings")).all() == [(1,)]
        waiting = "SELECT count(*) FROM outbox WHERE status = 'pending'"
        assert session.scalar(text(waiting)) == 2
    upgrade(database_url)
    again = budgeted.evaluate(database, now)
    assert again.note == "1 budgets, 0 messages"
    with database.read() as session:
        shown = alerts.alerts(session, TENANT, now=now, at_most=9)
    assert [(each.name, each.state) for each in shown] == [("search", "open")]
    with slack_stand_in() as slack:
        budgeted.send(database, slack.url, now)
    assert len(slack.texts) == 2


def test_a_database_of_a_newer_version_is_told_in_a_line(
    database: Database, database_url: str
) -> None:
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseUnavailable, match="newer shape \\(9999\\)"):
        bring_up_to_date(database_url)


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_new_database_that_is_not_in_utf8_is_told_in_a_line(
    postgres: LocalPostgres, encoding: str
) -> None:
    name = f"in_{encoding.lower()}"
    with psycopg.connect(postgres.url_of("postgres"), autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0".encode()
        )
        with pytest.raises(DatabaseUnavailable, match=f"in {encoding}, and has to be in UTF8"):
            bring_up_to_date(postgres.url_of(name))
        connection.execute(f"DROP DATABASE {name}".encode())
