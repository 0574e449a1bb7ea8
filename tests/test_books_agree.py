"""One month, one number: lines, spend, statement and FOCUS say the same, in every format."""

import csv
import io
import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import focus_month
import openpyxl
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient
from filled_ledger import asking, at
from focus_month import OWNERS, PRICES, ROUTES, added_up, covered, exported, moved
from pypdf import PdfReader

from spend.fiscal import Calendar
from store.postgres.sessions import Database

pytestmark = pytest.mark.one_server

BASES = ("billed_cost", "cost", "contracted_cost", "list_cost")
"""As focus_month.added_up has them."""
ZONES = ("UTC", "Asia/Kathmandu", "Australia/Lord_Howe", "Europe/Berlin")
USD = [price for price in PRICES if price.currency == "USD" and price.list_unit_price is not None]


def a_ledger(chance: random.Random, pool_id: int, credit_id: int) -> list[dict[str, Any]]:
    """Lines of the weeks around October, some of them booked later than they were used."""

    def slot() -> datetime:
        return at("2026-09-25") + chance.randrange(45 * 96) * timedelta(minutes=15)

    def booked(its: datetime) -> dict[str, datetime]:
        late = [each for each in (at("2026-10-01"), at("2026-11-01")) if each > its]
        return {"booked_slot": chance.choice(late)} if late and chance.random() < 0.2 else {}

    lines: list[dict[str, Any]] = []
    for _ in range(chance.randrange(1, 60)):
        when = slot()
        usage = focus_month.used(
            chance.choice(OWNERS),
            chance.choice(ROUTES),
            when,
            chance.choice(USD),
            chance.randrange(-(10**6), 10**9),
            **booked(when),
        )
        lines.append(usage)
        if chance.random() < 0.3:
            lines.append(covered(usage, credit_id, Decimal("0.7"), Decimal("0.8")))
        if chance.random() < 0.2:
            lines += moved(usage, chance.choice(OWNERS))
    for _ in range(chance.randrange(5)):
        hour = slot().replace(minute=0)
        cost = Decimal(chance.randrange(10**14)).scaleb(-12)
        weights = [chance.randrange(1000) for _ in range(4)]
        lines += focus_month.pool_hour(pool_id, hour, cost, weights, **booked(hour))
        lines += focus_month.spread(hour, cost, chance.choice([cost, None]), [1, 2])
    for kind in ("true-up", "credit", "tax"):
        if chance.random() < 0.5:
            money = str(Decimal(chance.randrange(-(10**6), 10**6)).scaleb(-2))
            lines.append(focus_month.of_bill(kind, slot(), money, 7))
    return lines


def of_answer(totals: dict[str, str | None], other: list[Decimal]) -> list[Decimal]:
    """An answer's costs; where one is not known, what ``other`` has."""
    told = [totals[name] for name in BASES]
    return [its if said is None else Decimal(said) for said, its in zip(told, other, strict=True)]


def summed(rows: Iterable[dict[str, Any]], name: str) -> Decimal:
    return sum((Decimal(row[name] or 0) for row in rows), Decimal(0))


def pages(client: TestClient, asked: dict[str, str]) -> list[dict[str, Any]]:
    lines, cursor = [], None
    while True:
        answer = client.get("/v1/charges", params=asked | ({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.text
        lines += answer.json()["charges"]
        cursor = answer.json()["next"]
        if cursor is None:
            return lines


def in_a_workbook(body: bytes) -> list[dict[str, Any]]:
    """The sheet of lines, between its heading and its total."""
    rows = list(openpyxl.load_workbook(BytesIO(body))["Lines"].iter_rows(values_only=True))
    names = [str(name) for name in rows[0]]
    lines = [dict(zip(names, row, strict=True)) for row in rows[1:]]
    return [line for line in lines if line["team"] != "Total"]


@pytest.mark.parametrize("seed", range(5))
def test_every_way_to_ask_for_a_month_says_one_number(database: Database, seed: int) -> None:
    chance = random.Random(seed)
    zone = chance.choice(ZONES)
    with database.write() as session:
        lines = a_ledger(chance, *focus_month.declare(session))
        focus_month.post(session, lines)
    calendar = Calendar(ZoneInfo(zone))
    october = calendar.named("2026-10").period
    ledger = focus_month.booked(lines, october.start, october.end).get("USD", [Decimal(0)] * 4)
    client = asking(database, now="2026-11-20T12:00", timezone=ZoneInfo(zone))
    asked = {"from": "2026-10-01", "to": "2026-11-01", "period": "billing"}

    assert summed(pages(client, asked), "cost") == ledger[1]
    spend = client.get("/v1/spend", params=asked | {"group_by": "team,provider,model"}).json()
    assert of_answer(spend["total"], ledger) == ledger
    assert summed(spend["rows"], "cost") == ledger[1]

    statement = client.get("/v1/statements/2026-10").json()
    assert of_answer(statement["total"], ledger) == ledger
    assert summed(statement["rows"], "cost") == summed(statement["teams"], "cost") == ledger[1]
    coins = Decimal(statement["total"]["amount"])
    assert coins == summed(statement["rows"], "amount") == ledger[1].quantize(Decimal("0.01"))

    in_csv = list(csv.DictReader(io.StringIO(client.get("/v1/statements/2026-10.csv").text)))
    in_parquet = pq.read_table(BytesIO(client.get("/v1/statements/2026-10.parquet").content))
    for rows in (in_csv, in_parquet.to_pylist()):
        assert (summed(rows, "cost"), summed(rows, "amount")) == (ledger[1], coins)
    workbook = in_a_workbook(client.get("/v1/statements/2026-10.xlsx").content)
    assert sum(Decimal(str(row["amount"])) for row in workbook) == coins
    pdf = PdfReader(BytesIO(client.get("/v1/statements/2026-10.pdf").content))
    assert f"{coins:,}" in "".join(page.extract_text() for page in pdf.pages)

    for shape in ("csv", "parquet"):
        export = exported(database, shape, calendar=calendar)
        assert added_up(export["cost-and-usage"]).get("USD", [Decimal(0)] * 4) == ledger
