"""Whoever may read the views reads all of them, and nothing else."""

import re
from dataclasses import replace

import psycopg
import pytest
import reported
from closed_months import filled
from filled_ledger import SEARCH, put_charge
from psycopg import sql

from migrations.reporting.newest import VIEWS
from migrations.reporting.views import Column, View, put
from store.postgres.sessions import Database

pytestmark = pytest.mark.one_server

NEVER = ("keys", "people", "sessions", "channels", "contents", "sightings", "audit_log", "outbox")


def test_who_reads_views_sees_each_of_them_and_no_table(
    database: Database, database_url: str
) -> None:
    filled(database)
    with reported.may_read(database_url) as url, psycopg.connect(url, autocommit=True) as reader:
        for view in VIEWS:
            reader.execute(f"TABLE reporting.{view.name}".encode())
        spent = "SELECT sum(cost) FROM reporting.spend_by_month"
        assert reader.execute(spent).fetchone() == (100,)
        tables = reader.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relkind IN ('r', 'p', 'v', 'm')"
        ).fetchall()
        assert {name for (name,) in tables} >= set(NEVER)
        for (name,) in tables:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(sql.SQL("SELECT * FROM public.{}").format(sql.Identifier(name)))
        for change in (
            "DELETE FROM reporting.exchange_rates",
            "UPDATE reporting.months SET state = 'open'",
            "CREATE TABLE reporting.mine ()",
            "CREATE TABLE public.mine ()",
            "CREATE SCHEMA mine",
        ):
            with pytest.raises(psycopg.Error, match=r"permission denied|cannot"):
                reader.execute(change.encode())


def test_who_may_read_goes_on_when_a_later_version_changes_views_and_adds_one(
    database: Database, database_url: str
) -> None:
    first = VIEWS[0]
    wider = replace(
        first,
        columns=(*first.columns, Column("mood", "text", "New.")),
        query=f"SELECT *, 'good' FROM ({first.query}) AS before",  # noqa: S608  # ours
    )
    new = View("moods", "New.", (Column("mood", "text", "New."),), "SELECT 'good'::text")
    with reported.may_read(database_url) as url:
        with psycopg.connect(database_url, autocommit=True) as owner:
            owner.execute("CREATE VIEW ours AS SELECT * FROM reporting.spend_by_day")
        with database.engine.begin() as connection:
            put(connection, (wider, new))
        with psycopg.connect(url) as reader:
            reader.execute("SELECT mood FROM reporting.spend_by_day")
            reader.execute("SELECT mood FROM reporting.moods")
        with psycopg.connect(database_url) as owner:
            owner.execute("SELECT * FROM ours")


def test_a_teams_own_views_show_that_team_alone(database: Database, database_url: str) -> None:
    filled(database)
    with database.write() as session:
        put_charge(session, "2026-10-05T10:00", "5", SEARCH)
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute(b"CREATE ROLE search_reading")
        try:
            owner.execute(reported.documented("CREATE SCHEMA search_reporting").encode())
            owner.execute("SET ROLE search_reading")
            mine = "SELECT DISTINCT team FROM search_reporting.spend_by_day"
            assert owner.execute(mine).fetchall() == [("search",)]
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                owner.execute("SELECT * FROM reporting.spend_by_day")
        finally:
            owner.execute("RESET ROLE")
            owner.execute("DROP SCHEMA IF EXISTS search_reporting CASCADE")
            owner.execute("DROP OWNED BY search_reading")
            owner.execute("DROP ROLE search_reading")


def test_no_view_shows_what_is_secret_or_said(database: Database) -> None:
    """By what they are made of: no column of a key, a channel's secret, a person or content."""
    asked = """
        SELECT DISTINCT source.relname || '.' || attname
        FROM pg_class AS view JOIN pg_rewrite ON ev_class = view.oid
        JOIN pg_depend ON pg_depend.classid = 'pg_rewrite'::regclass
            AND pg_depend.objid = pg_rewrite.oid AND refclassid = 'pg_class'::regclass
        JOIN pg_class AS source ON source.oid = refobjid
        JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
        WHERE view.relnamespace = 'reporting'::regnamespace AND source.oid <> view.oid
    """
    with database.engine.connect() as connection:
        read = set(connection.exec_driver_sql(asked).scalars())
    tables = {each.split(".")[0] for each in read}
    assert not tables & set(NEVER) - {"outbox"}
    assert {each for each in read if each.startswith("outbox.")} == {
        *("outbox.tenant_id", "outbox.crossing_id", "outbox.status"),
    }
    assert "charges.amount" in read
    told = re.compile("secret|hash|token|webhook|body|detail|email|pepper")
    assert {each for each in read if told.search(each)} == {
        *("months.hash", "cells.unpriced_tokens", "prices.above_tokens"),
        *("usage_days.unpriced_tokens", "usage_lines.unpriced_tokens"),
        "usage_months.unpriced_tokens",
    }
