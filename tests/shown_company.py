"""The simulated company with everything that pages show: bills, alerts, silences, hostile names.

Made once for all tests of pages in a browser, and for ``make screenshots``.
"""

from datetime import UTC, datetime
from threading import Event

from doors import open_doors
from fastapi.testclient import TestClient
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from api.app import create_app
from api.settings import ApiSettings
from app.demo.emit import Sender
from app.demo.run import Wishes, past
from app.settings import Settings
from store.sessions import Database

MORE = Wishes(weeks=6, scale=0.5, seed=7, live=False, pace=1, once=True)
"""For pictures."""
WISHES = Wishes(weeks=6, scale=0.05, seed=7, live=False, pace=1, once=True)


def fill(database: Database, url: str, wishes: Wishes = WISHES) -> None:
    """Puts the company into an empty ledger, through the public doors."""
    now = datetime.now(UTC)
    app = create_app(database, ApiSettings(), lambda: datetime.now(UTC))
    with open_doors(database) as doors, TestClient(app) as api:
        sender = Sender(OTLPSpanExporter(f"http://{doors.http}/v1/traces"))
        past(api, sender, Event(), now=now, settings=Settings(database_url=url), wishes=wishes)
        sender.close()
