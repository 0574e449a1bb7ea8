"""The simulated company with everything that pages show: a bill, alerts, a dead letter, odd names.

Made once a worker for tests of pages in a browser, and for ``make screenshots``.
"""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Event
from typing import Any, Final

import httpx2
from doors import open_doors
from fastapi.testclient import TestClient
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from spans import call, request
from sqlalchemy import update

from api.app import create_app
from api.settings import ApiSettings
from app.demo.emit import Sender
from app.demo.run import Wishes, past
from app.settings import Settings
from jobs.context import JobContext, JobSettings
from jobs.timetable import run_job
from store.postgres.sessions import Database
from store.tables.budgets import outbox

MORE: Final = Wishes(weeks=6, scale=0.5, seed=7, live=False, pace=1, once=True)
"""For pictures."""
WISHES: Final = Wishes(weeks=6, scale=0.05, seed=7, live=False, pace=1, once=True)

HOSTILE: Final = (
    "<script>alert(1)</script>",
    "javascript:alert(1)",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}</script>",
    "\u202eevil\u2066right",
    "long-" + "name" * 2_000,
)
"""Names that spans can carry."""


def fill(database: Database, url: str, wishes: Wishes = WISHES) -> None:
    """Puts the company into an empty ledger, through the public doors."""
    now = datetime.now(UTC)
    settings = ApiSettings(allow_private_destinations=True)
    app = create_app(database, settings, lambda: datetime.now(UTC))
    with open_doors(database) as doors, TestClient(app) as api:
        odd_names(doors.http, now)
        said(api.post("/v1/channels", json=CHANNEL))
        for rule in RULES:
            said(api.post("/v1/alert-rules", json=rule))
        sender = Sender(OTLPSpanExporter(f"http://{doors.http}/v1/traces"))
        past(api, sender, Event(), now=now, settings=Settings(database_url=url), wishes=wishes)
        sender.close()
        budgets_and_alerts(api, database)
        said(api.post("/v1/bills", params={"month": last_month(now)}, content=bill(api, now)))


CHANNEL: Final = {
    "name": "ops",
    "kind": "webhook",
    "secret": "http://127.0.0.1:9/nobody-listens",
    "default": True,
}
RULES: Final = (
    {"name": "errors", "kind": "error-rate", "over": 1, "by": ["team"], "window_minutes": 1440},
    {"name": "idle machines", "kind": "idle-capacity", "over": 70},
    {"name": "no price", "kind": "unpriced"},
)


def odd_names(http: str, now: datetime) -> None:
    """Calls of teams, services and models that nobody would choose."""
    start = int((now - timedelta(days=2)).timestamp()) * 10**9
    for number, name in enumerate(HOSTILE):
        told = call(
            attributes={
                "gen_ai.request.model": name,
                "gen_ai.usage.input_tokens": 1000,
                "gen_ai.usage.output_tokens": 100,
            },
            trace_id=bytes([9, number]) * 8,
            start=start,
            end=start + 10**9,
        )
        answer = httpx2.post(
            f"http://{http}/v1/traces",
            content=request(told, resource={"service.name": name, "team": name}),
            headers={"Content-Type": "application/x-protobuf"},
        )
        assert answer.is_success


def budgets_and_alerts(api: TestClient, database: Database) -> None:
    """One budget over the whole, thresholds of a forecast; a message that nobody took."""
    whole = {
        "name": "everything",
        "filter": {},
        "amount": "9000.00",
        "currency": "USD",
        "period": "month",
        "thresholds": [50, 80, 100],
        "forecast_thresholds": [100],
    }
    said(api.post("/v1/budgets", json=whole))
    for job in ("forecast", "budgets", "watch"):
        run_job(job, JobContext(database, datetime.now(UTC), JobSettings(), by_hand=True))
    with database.write() as session:
        dead = {"status": "dead", "attempts": 12, "last_error": "the connection was refused"}
        session.execute(update(outbox).values(**dead).where(outbox.c.id % 2 == 1))


def bill(api: TestClient, now: datetime) -> str:
    """Anthropic's bill of last month: a tenth dearer, and for a model that nobody instruments."""
    month = last_month(now)
    sums: dict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    place: str | None = f"/v1/charges?month={month}&from={month}-01&provider=anthropic&limit=1000"
    while place:
        answer = said(api.get(place))
        for line in answer["charges"]:
            found = sums[line["route"]["model"], line["meter"]]
            found[0] += Decimal(line["quantity"])
            found[1] += Decimal(line["contracted_cost"])
        more = answer.get("next")
        place = f"{place.partition('&cursor=')[0]}&cursor={more}" if more else None
    rows = ["period,provider,model,meter,quantity,unit,amount,currency,kind"]
    rows += [
        f"{month},anthropic,{model},{meter},{quantity},token,{amount * 11 / 10:.6f},USD,usage"
        for (model, meter), (quantity, amount) in sums.items()
        if quantity > 0
    ]
    rows.append(f"{month},anthropic,claude-haiku-3-5,input,2000000,token,1.60,USD,usage")
    return "\n".join([*rows, f"{month},anthropic,,,,,3.10,USD,tax", ""])


def last_month(now: datetime) -> str:
    return f"{now.replace(day=1) - timedelta(days=1):%Y-%m}"


def said(answer: Any) -> Any:
    assert answer.is_success, answer.text
    return answer.json()
