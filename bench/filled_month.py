"""A month of a company's cells and charges, put straight into a database, as the jobs would.

Each team calls a few models all day: the more calls, the more of a team's quarter hours have some,
until all have; from there on only the sums grow. Calls are drawn by Postgres, from a seed.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from spend.calls import Owner, Route
from spend.ids import content_id
from spend.meters import METER_NAMES
from store import dictionaries
from store.tables.heard import owners, routes
from store.tenants import TENANT

CHARGED: Final = ("input", "cache_read", "output")
PRICE: Final = {"input": 2_500_000, "cache_read": 250_000, "output": 10_000_000}
"""Meter -> what a token of it costs, in 1e-12 of the currency."""

USED: Final = {"input": 1200, "cache_read": 400, "output": 250}
"""Meter -> tokens of a call."""

_SUMS: Final = ", ".join(f"calls * {USED.get(name, 0)}" for name in METER_NAMES)
_CELLS: Final = f"""
    INSERT INTO cells (tenant_id, slot, owner_id, route_id, outcome, band, calls, unmetered_calls,
        {", ".join(METER_NAMES)}, timed_calls, timed_us, timed_output, timed_output_us,
        unpriced_calls, unpriced_tokens, charged)
    SELECT :tenant, slot, owner_id, route_id, 0, 0, calls, 0, {_SUMS},
        calls, calls * 2000000, calls * 250, calls * 2000000, 0, 0, true
    FROM (
        SELECT slot, owner_id, route_id,
            -- Poisson's share of quarter hours without any call; the rest share the calls.
            CASE WHEN random() < exp(-CAST(:mean AS float8)) THEN 0
                ELSE greatest(1, round(:mean * (0.5 + random())))::bigint END AS calls
        FROM generate_series(CAST(:start AS timestamptz),
                CAST(:end AS timestamptz) - interval '15 minutes', interval '15 minutes') slot
        CROSS JOIN
            unnest(CAST(:owners AS bigint[]), CAST(:routes AS bigint[])) _(owner_id, route_id)
    ) drawn WHERE calls > 0
"""  # noqa: S608 - names of our own columns
_METERS: Final = ", ".join(f"('{name}', {name}, {PRICE[name]}::numeric)" for name in CHARGED)
_CHARGES: Final = f"""
    INSERT INTO charges (tenant_id, posted_at, kind, slot, owner_id, payer_id, route_id, band,
        meter, price_id, quantity, list_unit_price, unit_price, list_amount, contracted_amount,
        amount, billed_amount, currency, method)
    SELECT tenant_id, slot, 'original', slot, owner_id, owner_id, route_id, band, meter, 1,
        quantity, price / 1e6, price / 1e6, cost, cost, cost, cost, 'USD', 'price-book/2'
    FROM cells CROSS JOIN LATERAL (VALUES {_METERS}) used(meter, quantity, price)
    CROSS JOIN LATERAL (SELECT quantity * price / 1e12 AS cost) AS told
    WHERE quantity > 0
"""  # noqa: S608 - names of our own columns

_COUNTS: Final = "calls, unmetered_calls, unpriced_calls, unpriced_tokens"
_TAKEN_IN: Final = f"""
    INSERT INTO usage_lines (tenant_id, posted_at, slot, owner_id, payer_id, route_id, outcome,
        band, {_COUNTS}, {", ".join(METER_NAMES)})
    SELECT tenant_id, slot, slot, owner_id, owner_id, route_id, outcome, band, {_COUNTS},
        {", ".join(METER_NAMES)}
    FROM cells
"""  # noqa: S608 - names of our own columns


def fill(
    session: Session,
    *,
    start: datetime,
    end: datetime,
    teams: int,
    models: int,
    calls: int,
    charged: bool = True,
) -> int:
    """About so many calls of each team with each of its models; returns the number of cells.

    ``charged``: with three charges for each cell, and a line of its usage.
    """
    callers = [Owner(f"team {number}", service=f"service {number}") for number in range(teams)]
    called = [Route("openai", f"model {number}", operation="chat") for number in range(models)]
    known = dictionaries.Known()
    for table, entries in (
        (owners, {content_id(each): each for each in callers}),
        (routes, {content_id(each): each for each in called}),
    ):
        dictionaries.remember(session, TENANT, table, entries, known)
    pairs = [(content_id(one), content_id(other)) for one in callers for other in called]
    slots = (end - start).total_seconds() / 900
    session.execute(text("SELECT setseed(0.5)"))
    filled = session.execute(
        text(_CELLS),
        {
            "tenant": TENANT,
            "start": start,
            "end": end,
            "owners": [owner for owner, _route in pairs],
            "routes": [route for _owner, route in pairs],
            "mean": calls / slots / len(pairs),
        },
    )
    if charged:
        session.execute(text(_CHARGES))
        session.execute(text(_TAKEN_IN))
    return int(filled.rowcount)  # type: ignore[attr-defined]  # an INSERT has one
