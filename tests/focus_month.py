"""A ledger's lines around October 2026, of every kind that there is, and their FOCUS export."""

import csv
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
from committed import declared
from filled_ledger import at, empty_ledger, put_names
from sqlalchemy import insert
from sqlalchemy.orm import Session

from api.statements.focus import export_files
from reports.focus.focus_columns import DATASETS
from reports.focus.focus_export import Wanted
from spend.calls import Owner, Route
from spend.capacity.pool_files import pool_of_fields
from spend.fiscal import Calendar
from spend.money import split
from store.capacity import pools
from store.commitments import commitments
from store.postgres.sessions import Database
from store.tables.ledger import charges
from store.tenants import TENANT

OCTOBER = at("2026-10-01"), at("2026-11-01")
NOW = at("2026-11-02T12:00")
CALENDAR = Calendar(ZoneInfo("UTC"))
HOUR = timedelta(hours=1)
SLOT = timedelta(minutes=15)

SEARCH = Owner("search", project="web", service="search-api", customer="Müller & Söhne 株式会社")
ADS = Owner("ads", feature="=1+1", rule="the key")
PLATFORM = Owner("platform", service="gateway")
IDLE = Owner("idle", rule="capacity of a pool that no call used")
PAID = Owner("commitments", rule="paid for a commitment")
UNUSED = Owner("unused", rule="a commitment that no call used")
TARGET = Owner("search", rule="split platform")
OTHER_TARGET = Owner("ads", rule="split platform")
OWNERS = (SEARCH, ADS, PLATFORM)

GPT = Route("openai", "gpt-5", "gpt-5-latest", "chat", "api", "eu", None, "flex")
CLAUDE = Route("anthropic", "claude-sonnet-4-5", operation="chat", deployment="api")
NOBODYS = Route(None, "un modèle", deployment="api")
LLAMA = Route("vllm", "llama-3.3-70b", operation="chat", deployment="self-hosted")
PLACE_OF_IDLE = Route("coreweave", deployment="self-hosted", region="us-east")
ROUTES = (GPT, CLAUDE, NOBODYS)


@dataclass(frozen=True)
class Price:
    """A line of the book, as charges have it."""

    price_id: int
    meter: str
    unit_price: Decimal
    list_unit_price: Decimal | None
    currency: str = "USD"
    uplift_id: int | None = None
    discount_id: int | None = None


PRICES = (
    Price(1, "input", Decimal("2.500000"), Decimal("2.500000")),
    Price(2, "output", Decimal("9.990001"), Decimal("12.345678"), discount_id=4, uplift_id=5),
    Price(3, "cache_read", Decimal("0.000001"), Decimal("0.250000")),
    # A volume step, and a contract for what no list has.
    Price(4, "output", Decimal("7.000000"), None),
    Price(5, "requests", Decimal("2000.000000"), None, currency="EUR"),
    Price(6, "images", Decimal("40000.000000"), Decimal("40000.000000"), currency="EUR"),
    Price(7, "input", Decimal("0.000000"), Decimal("0.000000")),
)


def line(owner: Owner, route: Route, slot: datetime, meter: str, **said: Any) -> dict[str, Any]:
    """A line: amounts that are not said are the effective one."""
    made = {
        "kind": "original",
        "band": 0,
        "quantity": Decimal(0),
        "currency": "USD",
        "method": "price-book/2",
        "posted_at": NOW,
    } | said
    amount = made["amount"]
    made.setdefault("contracted_amount", amount)
    made.setdefault("billed_amount", amount)
    made.setdefault("list_amount", made["contracted_amount"])
    return (
        made
        | {"owner": owner, "payer": made.pop("payer", owner), "route": route, "slot": slot}
        | {"meter": meter}
    )


def used(
    owner: Owner, route: Route, slot: datetime, price: Price, quantity: int, **said: Any
) -> dict[str, Any]:
    """What was used of a meter, at a price of the book."""
    listed = price.list_unit_price
    return line(
        owner,
        route,
        slot,
        price.meter,
        quantity=Decimal(quantity),
        amount=price.unit_price * quantity / 10**6,
        list_amount=None if listed is None else listed * quantity / 10**6,
        **{name: value for name, value in asdict(price).items() if name != "meter"},
        **said,
    )


def covered(
    usage: dict[str, Any], commitment_id: int, share: Decimal, worth: Decimal
) -> dict[str, Any]:
    """The credit for a share of some usage, of which each unit of money cost ``worth``."""
    amount = (usage["contracted_amount"] * share).quantize(Decimal("1E-12"))
    effective = (amount * worth).quantize(Decimal("1E-12"))
    return line(
        usage["owner"],
        usage["route"],
        usage["slot"],
        "covered",
        payer=usage["payer"],
        kind="credit",
        commitment_id=commitment_id,
        currency=usage["currency"],
        amount=effective - amount,
        contracted_amount=Decimal(0),
        billed_amount=-amount,
        method="commitment/1",
        booked_slot=usage.get("booked_slot"),
    )


def of_commitment(commitment_id: int, meter: str, slot: datetime, money: str) -> dict[str, Any]:
    """What was paid for a commitment, or what nobody used of it."""
    paid = meter == "commitment"
    return line(
        PAID if paid else UNUSED,
        Route("openai"),
        slot,
        meter,
        kind="credit",
        commitment_id=commitment_id,
        amount=Decimal(0 if paid else money),
        contracted_amount=Decimal(0),
        billed_amount=Decimal(money if paid else 0),
        method="commitment/1",
    )


def pool_hour(
    pool_id: int, slot: datetime, cost: Decimal, weights: Sequence[int], **said: Any
) -> list[dict[str, Any]]:
    """An hour of a pool: a part for each owner, the last for nobody."""
    places = [*((owner, LLAMA, "pool") for owner in OWNERS), (IDLE, PLACE_OF_IDLE, "idle")]
    return [
        line(
            owner,
            route,
            slot,
            meter,
            kind="allocation",
            pool_id=pool_id,
            quantity=Decimal(weight),
            amount=part,
            billed_amount=(part / 4).quantize(Decimal("1E-12")),
            method="work-units-v1",
            **said,
        )
        for (owner, route, meter), weight, part in zip(
            places, weights, split(cost, weights), strict=True
        )
    ]


def spread(
    slot: datetime, cost: Decimal, listed: Decimal | None, weights: Sequence[int], **said: Any
) -> list[dict[str, Any]]:
    """A split: taken from the platform, put to two teams."""
    terms = {"kind": "allocation", "rule_id": 99, "method": "split-by-shares-v1", **said}
    parts = split(cost, weights)
    lists = [None] * len(weights) if listed is None else split(listed, weights)
    taken = line(
        PLATFORM,
        GPT,
        slot,
        "split",
        amount=-cost,
        list_amount=None if listed is None else -listed,
        **terms,
    )
    put = [
        line(
            owner,
            GPT,
            slot,
            "split",
            amount=part,
            list_amount=its,
            quantity=Decimal(weight),
            **terms,
        )
        for owner, part, its, weight in zip(
            (TARGET, OTHER_TARGET), parts, lists, weights, strict=True
        )
    ]
    return [taken, *put]


def of_bill(kind: str, slot: datetime, money: str, bill_id: int, **said: Any) -> dict[str, Any]:
    """A true-up, a credit or tax, from a bill."""
    return line(
        SEARCH,
        GPT,
        slot,
        kind,
        kind=kind,
        bill_id=bill_id,
        amount=Decimal(money),
        method="true-up/1",
        **said,
    )


def moved(usage: dict[str, Any], to: Owner) -> list[dict[str, Any]]:
    """A line that somebody else pays after all: taken back, and put to them."""
    sums = ("quantity", "list_amount", "contracted_amount", "amount", "billed_amount")
    back = {name: None if usage[name] is None else -usage[name] for name in sums}
    return [usage | back | {"kind": "correction"}, usage | {"kind": "correction", "payer": to}]


def declare(session: Session) -> tuple[int, int]:
    """A pool and credits: their ids."""
    fields = {
        "name": "llama, für alle",
        "kind": "rented",
        "cost_per_hour": "49.24",
        "from": "2026-09-01T00:00:00Z",
        "provider": "coreweave",
        "match": {"provider": ["vllm"]},
    }
    pool = pools.declare(session, TENANT, pool_of_fields(fields, currency="USD", now=NOW))
    credit = declared(paid="800")
    return pool.id, commitments.declare(session, TENANT, credit, now=NOW).id


def post(session: Session, lines: Iterable[dict[str, Any]]) -> None:
    """Puts lines into the ledger, in place of those that are there."""
    empty_ledger(session)
    names = {column.name for column in charges.c} - {"id", "engine"}
    rows = []
    for each in lines:
        owner_id, route_id = put_names(session, each["owner"], each["route"])
        payer_id, _ = put_names(session, each["payer"], each["route"])
        ids = {
            "tenant_id": TENANT,
            "owner_id": owner_id,
            "payer_id": payer_id,
            "route_id": route_id,
        }
        rows.append({name: (each | ids).get(name) for name in names})
    if rows:
        session.execute(insert(charges), rows)


Table = list[dict[str, str]]
BASES = {
    "BilledCost": "billed_amount",
    "EffectiveCost": "amount",
    "ContractedCost": "contracted_amount",
    "ListCost": "list_amount",
}


def exported(
    database: Database,
    shape: str = "csv",
    *,
    version: str = "1.4",
    calendar: Calendar = CALENDAR,
    month: str = "2026-10",
    **said: Any,
) -> dict[str, Table]:
    """An export of October: dataset -> its rows as text; null is empty."""
    with TemporaryDirectory() as folder, database.read() as session:
        wanted = Wanted(version, DATASETS[version], shape, said.pop("ascii_only", False))
        paths = export_files(
            session,
            TENANT,
            Path(folder),
            wanted,
            calendar.named(month),
            calendar,
            now=NOW,
            **said,
        )
        return dict(zip(wanted.datasets, map(rows_of, paths), strict=True))


def rows_of(path: Path) -> Table:
    """A file's rows, as text."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    return [
        {name: as_text(value) for name, value in row.items()}
        for row in pq.read_table(path).to_pylist()
    ]


def as_text(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S}Z"
    return "" if value is None else str(value)


Sums = dict[str, list[Decimal]]
"""Currency -> billed, effective, contracted, list."""


def added_up(rows: Iterable[dict[str, str]]) -> Sums:
    """The costs of an export; currencies that come to nothing are left out."""
    found: Sums = defaultdict(lambda: [Decimal(0)] * 4)
    for row in rows:
        sums = found[row["BillingCurrency"]]
        for place, name in enumerate(BASES):
            sums[place] += Decimal(row[name])
    return {currency: sums for currency, sums in found.items() if any(sums)}


def booked(lines: Iterable[dict[str, Any]], start: datetime, end: datetime) -> Sums:
    """What lines booked in a time come to; where a list cost is not known, the contracted."""
    found: Sums = defaultdict(lambda: [Decimal(0)] * 4)
    for each in lines:
        if start <= (each.get("booked_slot") or each["slot"]) < end:
            sums = found[each["currency"]]
            for place, name in enumerate(BASES.values()):
                amount = each[name]
                sums[place] += each["contracted_amount"] if amount is None else amount
    return {currency: sums for currency, sums in found.items() if any(sums)}


def badly_priced(rows: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    """Rows whose unit price times quantity is not their cost, of those that state both."""
    return [
        row
        for row in rows
        for price, cost in (
            ("ListUnitPrice", "ListCost"),
            ("ContractedUnitPrice", "ContractedCost"),
        )
        if row["PricingQuantity"] and row[price]
        if Decimal(row[price]) * Decimal(row["PricingQuantity"]) != Decimal(row[cost])
    ]
