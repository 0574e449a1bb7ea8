"""What views say, added up as somebody who asks in SQL would, beside what the API says."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import psycopg
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.engine import make_url

from spend.meters import METERS
from store.postgres.sessions import Database

METERS_TOLD: Final = tuple(meter.asked_as for meter in METERS)
COSTS: Final = ("cost", "list_cost", "contracted_cost", "billed_cost")
COUNTS: Final = (
    *("calls", "errors", "unpriced_calls", "unpriced_tokens", "unmetered_calls", "waiting_calls"),
)
PAGE: Final = Path(__file__).parent.parent / "docs" / "views.md"
ROLE: Final = "spanledger_reporting"
Key = tuple[str | None, ...]


def rows(database: Database, question: str, **given: Any) -> list[dict[str, Any]]:
    with database.engine.connect() as connection:
        found = connection.execute(text(question), given)
        return [dict(row) for row in found.mappings()]


def money(
    database: Database, view: str, which: str, dimensions: Sequence[str]
) -> dict[tuple[Key, str], dict[str, Decimal | None]]:
    """What each group cost in each currency."""
    keys = ", ".join([*dimensions, "currency"])
    found = rows(
        database,
        f"SELECT {keys}, sum(cost) AS cost, CASE WHEN count(cost) = count(list_cost) THEN"  # noqa: S608  # the test's
        " sum(list_cost) END AS list_cost, sum(contracted_cost) AS contracted_cost,"
        f" sum(billed_cost) AS billed_cost FROM reporting.{view} WHERE {which}"
        f" GROUP BY {keys} HAVING count(cost) > 0",
    )
    return {
        (tuple(row[name] for name in dimensions), row["currency"]): {
            name: row[name] for name in COSTS
        }
        for row in found
    }


def usage(
    database: Database, view: str, which: str, dimensions: Sequence[str]
) -> dict[Key, dict[str, int]]:
    """What each group used, as far as it used anything."""
    keys = ", ".join(dimensions)
    names = (*COUNTS, *METERS_TOLD, "tokens")
    sums = ", ".join(f"sum({name}) AS {name}" for name in names)
    found = rows(
        database,
        f"SELECT {keys + ', ' if keys else ''}{sums} FROM reporting.{view} WHERE {which}"  # noqa: S608  # the test's
        + (f" GROUP BY {keys}" if keys else ""),
    )
    told = {
        tuple(row[name] for name in dimensions): {name: int(row[name] or 0) for name in names}
        for row in found
    }
    return {key: counts for key, counts in told.items() if any(counts.values())}


def asked(
    client: TestClient, dimensions: Sequence[str], **params: Any
) -> tuple[dict[tuple[Key, str], dict[str, Decimal | None]], dict[Key, dict[str, int]]]:
    """The same, from GET /v1/spend."""
    answer = client.get("/v1/spend", params={"group_by": ",".join(dimensions), **params})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    spent = {}
    used = {}
    for row in (*body["rows"], *body["elsewhere"]):
        key = tuple(row[name] for name in dimensions)
        if row["cost"] is not None:
            spent[key, row.get("currency", body["currency"])] = {
                name: None if row[name] is None else Decimal(row[name]) for name in COSTS
            }
        if "usage" in row:
            told = row["usage"]
            counts = {name: row[name] for name in COUNTS}
            counts |= {name: told[name] for name in METERS_TOLD}
            counts["tokens"] = sum(told[each.asked_as] for each in METERS if _is_whole(each))
            if any(counts.values()):
                used[key] = counts
    return spent, used


def _is_whole(meter: Any) -> bool:
    return meter.unit == "token" and meter.of_which is None


def documented(mark: str) -> str:
    """The block of SQL of the page that has a mark."""
    blocks = re.findall(r"```sql\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (found,) = (each for each in blocks if mark in each)
    return found


@contextmanager
def may_read(url: str) -> Iterator[str]:
    """The role, made as the page says; the URL with which it comes in."""
    password = "made-up-for-this-test"
    with psycopg.connect(url, autocommit=True) as connection:
        said = documented(f"CREATE ROLE {ROLE}").replace("'…'", f"'{password}'")
        name = make_url(url).database or ""
        connection.execute(said.replace("DATABASE spanledger", f"DATABASE {name}").encode())
        try:
            its = make_url(url).set(username=ROLE, password=password)
            yield its.render_as_string(hide_password=False)
        finally:
            connection.execute(f"DROP OWNED BY {ROLE}")
            connection.execute(f"DROP ROLE {ROLE}")
