"""A bound of a view is a bound of what is read: years of a ledger cost a question nothing."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Column, Connection, Date, DateTime, Text, text

from store.postgres.sessions import Database
from store.tables.days import charge_days, usage_days
from store.tables.ledger import charges, usage_lines
from store.tables.pools import ledgers
from store.tables.rollups import buckets, cells
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

GROWING = {"cells", "buckets", "charges", "usage_lines", "charge_days", "usage_days"}
OF_FEW = {"ix_charges_booked_slot", "ix_usage_lines_booked_slot", "ix_cells_waiting"}
"""Indexes that hold only what is booked late, or waits."""
BOUNDED = {
    "spend_by_day": "day >= '2026-10-01' AND day < '2026-11-01'",
    "spend_by_quarter_hour": "slot >= '2026-10-01Z' AND slot < '2026-10-02Z'",
    "performance_by_hour": "hour >= '2026-10-01Z' AND hour < '2026-10-02Z'",
    "durations": "slot >= '2026-10-01Z' AND slot < '2026-10-02Z'",
    "unpriced_by_day": "day >= '2026-10-01'",
}


MANY = 20_000
"""Lines of each table: enough for Postgres to look for what is few."""


def filled(connection: Connection) -> None:
    """A year of each table that grows, half an hour apart; nearly all of it in the sums."""
    for table in (cells, buckets, charges, usage_lines, charge_days, usage_days):
        needed = [column for column in table.c if not column.nullable and not column.identity]
        given = needed + [column for column in table.c if column.name == "price_id"]
        values = ", ".join(_value(column) for column in given)
        names = ", ".join(column.name for column in given)
        connection.exec_driver_sql(
            f"INSERT INTO {table.name} ({names}) SELECT {values}"  # noqa: S608  # the test's
            f" FROM generate_series(1, {MANY}) AS number"
        )
        connection.exec_driver_sql(f"ANALYZE {table.name}")
    summed = {"charges_summed_to": MANY - 9, "usage_summed_to": MANY - 9}
    connection.execute(ledgers.insert().values(tenant_id=TENANT, **summed))


def _value(column: Column[Any]) -> str:
    known = {"kind": "'original'", "tenant_id": str(TENANT), "charged": "true", "price_id": "1"}
    if column.name in known:
        return known[column.name]
    if column.name in {"owner_id", "payer_id"}:
        return "number"
    moment = "timestamptz '2025-11-01Z' + number * interval '26 minutes'"
    if isinstance(column.type, Date):
        return f"({moment})::date"
    if isinstance(column.type, DateTime):
        return f"date_bin('15 minutes', {moment}, '2025-11-01Z')"
    return "'x'" if isinstance(column.type, Text) else "1"


def reads(plan: dict[str, Any], *, first_of: bool = False) -> Iterator[dict[str, Any]]:
    """What reads tables that grow; not what looks for their first or last row."""
    if plan.get("Relation Name") in GROWING and not first_of:
        yield plan
    for each in plan.get("Plans", ()):
        yield from reads(each, first_of=plan["Node Type"] == "Limit")


def test_a_bounded_question_reads_what_grows_by_index(database: Database) -> None:
    with database.engine.connect() as connection:
        filled(connection)
        for view, bound in BOUNDED.items():
            asked = f"EXPLAIN (FORMAT json) SELECT * FROM reporting.{view} WHERE {bound}"  # noqa: S608  # the test's
            (told,) = connection.execute(text(asked)).scalar_one()
            read = list(reads(told["Plan"]))
            assert read, view
            for each in read:
                how = [each, *each.get("Plans", ())]
                indexes = {part["Index Name"] for part in how if "Index Name" in part}
                bounds = " ".join(part.get("Index Cond", "") for part in how)
                assert indexes, (view, each)
                bounded = any(name in bounds for name in ("slot", "id >", "day >="))
                assert bounded or indexes & OF_FEW, (view, each)
