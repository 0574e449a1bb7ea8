"""What pages show beside calls and money: a pool with its hours, a bill, budgets with alerts.

Put there through the API and by the jobs, where these take no time.
"""

from datetime import datetime
from typing import Any, Final

from fastapi.testclient import TestClient
from sqlalchemy import text

from jobs.budgets import evaluate_budgets, forecast_budgets
from jobs.context import JobContext
from store.postgres.sessions import Database
from store.tenants import TENANT

POOL: Final = "eight cards"
_MONTH: Final = "2026-10"

_EMITTERS: Final = """
    INSERT INTO emitters (tenant_id, id, scope, dialect) VALUES (:tenant, 0, 'bench', 'otel')
    ON CONFLICT DO NOTHING
"""
_HOURS: Final = """
    INSERT INTO pool_hours (tenant_id, pool_id, hour, cost, billed_amount, idle, components, method,
        work_units, capacity, timed_us, input_weight, output_weight, settled_at)
    SELECT :tenant, :pool, hour, 20, 20, 20 * (1 - share),
        '[{"kind": "rental", "name": "rental", "amount": "20.000000000000", "billed": true}]',
        'work-units-v1', 9000000 * share, 9000000, 0, 1, 4, :now
    FROM generate_series(CAST(:start AS timestamptz), CAST(:now AS timestamptz),
            interval '1 hour') hour
    CROSS JOIN LATERAL (SELECT CAST(0.1 + 0.03 * extract(hour FROM hour) AS numeric) AS share) _
    ON CONFLICT DO NOTHING
"""


def fill_beside(database: Database, api: TestClient, start: datetime, now: datetime) -> None:
    """Into a ledger that has calls, charges and budgets from ``start`` to ``now``."""
    pool = _made(api, "/v1/pools", json=_pool(start))
    _made(api, "/v1/bills", params={"month": _MONTH}, content=_bill())
    _made(api, "/v1/prices", json=[_price(*each) for each in (("input", "3"), ("output", "15"))])
    with database.write() as session:
        session.execute(text(_EMITTERS), {"tenant": TENANT})
        told = {"tenant": TENANT, "pool": pool["id"], "start": start, "now": now}
        session.execute(text(_HOURS), told)
    for job in (forecast_budgets, evaluate_budgets):
        job.run(JobContext(database, now))


def places(database: Database) -> dict[str, str]:
    """What stands in the addresses of pages: ids of a call, a pool and a bill."""
    with database.read() as session:
        call = session.execute(text("SELECT trace_id, span_id FROM sightings LIMIT 1")).one()
        pool = session.execute(text("SELECT min(id) FROM pools")).scalar_one()
        bill = session.execute(text("SELECT min(id) FROM bills")).scalar_one()
        budget = session.execute(text("SELECT min(id) FROM budgets")).scalar_one()
        return {
            "trace": call.trace_id.hex,
            "span": f"{call.span_id:016x}",
            "pool": f"{pool}",
            "bill": f"{bill}",
            "budget": f"{budget}",
        }


def _pool(start: datetime) -> dict[str, Any]:
    return {
        "name": POOL,
        "from": f"{start:%Y-%m-%d}",
        "cost_per_hour": "20",
        "match": {"deployment": ["self-hosted"]},
        "capacity_per_hour": "9000000",
    }


def _price(meter: str, price: str) -> dict[str, str]:
    """Of a model that nobody calls yet, for 1,000,000 tokens."""
    told = {"provider": "anthropic", "model": "another", "meter": meter, "currency": "USD"}
    return {**told, "unit_price": price, "valid_from": "2026-01-01"}


def _bill() -> str:
    """Of a month's usage by model and meter, a tenth dearer than what was charged."""
    rows = ["period,provider,model,meter,quantity,unit,amount,currency,kind"]
    for model in range(3):
        for meter, amount in (("input", 11_000), ("cache_read", 367), ("output", 9_167)):
            rows.append(f"{_MONTH},openai,model {model},{meter},1000000,token,{amount},USD,usage")
    return "\n".join([*rows, f"{_MONTH},openai,,,,,300.00,USD,tax", ""])


def _made(api: TestClient, place: str, **said: Any) -> Any:
    answer = api.post(place, **said)
    answer.raise_for_status()
    return answer.json()
