"""Puts cells, charges and their dictionaries straight into a database, as the jobs would.

For tests of what is asked. What the jobs put there is theirs to test.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import insert, text
from sqlalchemy.dialects.postgresql import insert as insert_new
from sqlalchemy.orm import Session
from starlette.routing import BaseRoute

from api.app import create_app
from api.settings import ApiSettings
from spend.calls import Outcome, Owner, Route
from spend.ids import content_id
from spend.meters import DISJOINT, METER_NAMES
from store.postgres.sessions import Database
from store.tables.days import charge_days, charge_months, known_routes, usage_days, usage_months
from store.tables.heard import owners, routes
from store.tables.jobs import job_runs
from store.tables.ledger import charges, usage_lines
from store.tables.pools import ledgers
from store.tables.rollups import buckets, cells
from store.tenants import TENANT

GPT = Route(provider="openai", model="gpt-4o", operation="chat", deployment="api", region="us")
CLAUDE = Route(provider="anthropic", model="claude-sonnet-4-5", operation="chat", deployment="api")
LLAMA = Route(provider="vllm", model="llama-3.3-70b", operation="chat", deployment="self-hosted")
SEARCH = Owner(team="search", project="web", service="search-api", environment="production")
SUPPORT = Owner(team="support", feature="triage", customer="acme")
IDLE = Owner(team="idle", rule="a pool's idle share")
NOBODY = Owner(team="unallocated")


def at(text: str) -> datetime:
    """A moment, UTC unless it says otherwise."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)


def put_names(session: Session, owner: Owner, route: Route) -> tuple[int, int]:
    for table, value in ((owners, owner), (routes, route)):
        columns = {name: getattr(value, name) for name in value.__dataclass_fields__}
        session.execute(
            insert_new(table)
            .values(tenant_id=TENANT, id=content_id(value), **columns)
            .on_conflict_do_nothing()
        )
    return content_id(owner), content_id(route)


def put_cell(
    session: Session,
    slot: str,
    owner: Owner = SEARCH,
    route: Route = GPT,
    *,
    calls: int = 1,
    outcome: Outcome = Outcome.OK,
    band: int = 0,
    unmetered: int = 0,
    unpriced: int | None = 0,
    charged: bool = True,
    timed: tuple[int, int, int, int] = (0, 0, 0, 0),
    tenant: int = TENANT,
    posted: str = "2026-11-01",
    booked: str | None = None,
    **usage: int,
) -> None:
    """A cell and, where it is charged, the line of usage that the charge job would have added."""
    owner_id, route_id = put_names(session, owner, route)
    its = {
        "tenant_id": tenant,
        "slot": at(slot),
        "owner_id": owner_id,
        "route_id": route_id,
        "outcome": outcome,
        "band": band,
        "calls": calls,
        "unmetered_calls": unmetered,
        **{name: usage.get(name, 0) for name in METER_NAMES},
    }
    if charged:
        session.execute(
            insert(usage_lines).values(
                **its,
                posted_at=at(posted),
                booked_slot=None if booked is None else at(booked),
                payer_id=owner_id,
                unpriced_calls=unpriced or 0,
                unpriced_tokens=sum(its[name] for name in DISJOINT)
                if (unpriced or 0) > unmetered
                else 0,
            )
        )
    session.execute(
        insert(cells).values(
            **its,
            unpriced_calls=unpriced,
            charged=charged,
            timed_calls=timed[0],
            timed_us=timed[1],
            timed_output=timed[2],
            timed_output_us=timed[3],
        )
    )


def put_charge(
    session: Session,
    slot: str,
    amount: str,
    owner: Owner = SEARCH,
    route: Route = GPT,
    *,
    meter: str = "input",
    kind: str = "original",
    price_id: int | None = 1,
    pool_id: int | None = None,
    quantity: int = 1,
    currency: str = "USD",
    band: int = 0,
    tenant: int = TENANT,
    listed: str | None = None,
    contracted: str | None = None,
    billed: str | None = None,
    commitment_id: int | None = None,
    posted: str = "2026-11-01",
    booked: str | None = None,
) -> None:
    """A line of the ledger. ``listed``: None for no list price; the others: None for ``amount``."""
    of_price = pool_id is None and commitment_id is None
    owner_id, route_id = put_names(session, owner, route)
    session.execute(
        insert(charges).values(
            tenant_id=tenant,
            posted_at=at(posted),
            kind=kind,
            slot=at(slot),
            booked_slot=None if booked is None else at(booked),
            owner_id=owner_id,
            payer_id=owner_id,
            route_id=route_id,
            band=band,
            meter=meter,
            price_id=price_id if of_price else None,
            pool_id=pool_id,
            commitment_id=commitment_id,
            quantity=quantity,
            amount=Decimal(amount),
            list_amount=None if listed is None else Decimal(listed),
            contracted_amount=Decimal(contracted or amount),
            billed_amount=Decimal(billed or amount),
            currency=currency,
            method="work-units-v1" if pool_id is not None else "price-book/2",
        )
    )


def empty_ledger(session: Session) -> None:
    """As if nothing had been posted: what the product itself cannot do."""
    for table in (charges, usage_lines):
        session.execute(text(f"ALTER TABLE {table.name} DISABLE TRIGGER only_grows"))
        session.execute(table.delete())
        session.execute(text(f"ALTER TABLE {table.name} ENABLE TRIGGER only_grows"))
    for table in (charge_days, charge_months, usage_days, usage_months, known_routes):
        session.execute(table.delete())
    session.execute(ledgers.update().values(charges_summed_to=0, usage_summed_to=0))


def put_buckets(
    session: Session,
    slot: str,
    measure: int,
    counts: Mapping[int, int],
    owner: Owner = SEARCH,
    route: Route = GPT,
) -> None:
    owner_id, route_id = put_names(session, owner, route)
    for bucket, count in counts.items():
        session.execute(
            insert(buckets).values(
                tenant_id=TENANT,
                slot=at(slot),
                owner_id=owner_id,
                route_id=route_id,
                measure=measure,
                bucket=bucket,
                calls=count,
            )
        )


def put_run(session: Session, job: str, complete_until: str, finished: str = "2026-10-20") -> None:
    session.execute(
        insert(job_runs).values(
            job=job,
            period=at(finished),
            started_at=at(finished),
            finished_at=at(finished),
            complete_until=at(complete_until),
            note="1 batch",
            failed=False,
        )
    )


def asking(
    database: Database,
    *,
    now: str = "2026-10-20T12:00",
    base_url: str = "http://testserver",
    **settings: Any,
) -> TestClient:
    """A client of the API over a database, at a moment."""
    app = create_app(database, ApiSettings(**settings), lambda: at(now))
    described(app)
    return TestClient(app, base_url, raise_server_exceptions=False)


_CONTRACT: dict[str, Any] = {}
_ROUTES: list[BaseRoute] = []


def described(app: FastAPI) -> None:
    """Gives an application the contract and the routes of the first, as they are every one's.

    The contract takes half a second to make, and what a route needs a tenth at the first request.
    """
    if not _CONTRACT:
        _CONTRACT.update(app.openapi())
        _ROUTES.extend(app.router.routes)
    app.openapi_schema = _CONTRACT
    app.router.routes = _ROUTES
