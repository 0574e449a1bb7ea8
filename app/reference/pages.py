"""The pages of the reference: each is a function of what it tells about."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI

from api.app import create_app
from api.metrics.metric_list import PATHS
from api.settings import ApiSettings
from app.cli import cli
from app.reference.commands import commands_page
from app.reference.dialects import dialects_page
from app.reference.markdown import page, table
from app.reference.metrics import metrics_page
from app.reference.routes import api_page
from app.reference.settings import settings_page
from app.reference.shapes import shapes_page
from app.reference.tables import tables_page
from app.reference.views import views_page
from app.settings import Settings
from collector.dialects import DIALECTS
from collector.metric_list import METRICS as OF_COLLECTOR
from jobs.exporting.exported_metrics import EXPORTED
from jobs.metric_list import METRICS as OF_JOBS
from migrations.reporting.newest import FUNCTIONS, VIEWS
from store.postgres.sessions import open_database
from store.tables import METADATA

_ROUTES: Final = Path(__file__).parents[2] / "docs" / "routes.md"
_OF_ALL: Final = (
    "What there is of each kind, told from the code. What it is for: [documents](../README.md); "
    "the words: [language](../language.md)."
)
_ABOUT: Final = {
    "settings.md": "Every setting, what it takes, and what holds without it.",
    "commands.md": "Every command with its options.",
    "api.md": "Every route: who may, what it takes, what it answers.",
    "shapes.md": "What bodies and answers of the API hold, field by field.",
    "metrics.md": "What is told to Prometheus, and what is exported by OTLP.",
    "tables.md": "Every table and column of the database.",
    "views.md": "The views for whoever asks in SQL.",
    "dialects.md": "What is read of each instrumentation, and as what.",
}
DOORS: Final = {
    "GET /metrics of a collector": OF_COLLECTOR,
    **{f"GET {path} of an API": metrics for path, metrics in PATHS.items()},
    "GET /metrics of the jobs": OF_JOBS,
}
"""What is told where."""


def described_api() -> FastAPI:
    """The API, to be asked for its contract alone: nothing connects to its database."""
    database = open_database("postgresql://nobody@127.0.0.1:1/none", application="reference")
    return create_app(database, ApiSettings(), lambda: datetime.now(UTC))


def who_may() -> str:
    """What docs/routes.md says: a test asks each route as each kind of caller."""
    return _ROUTES.read_text(encoding="utf-8")


def all_pages(contract: Mapping[str, Any]) -> Mapping[str, str]:
    """Each page's text by the name of its file; ``contract`` is the API's.

    Raises NotDescribedError.
    """
    pages = {
        "settings.md": settings_page(Settings),
        "commands.md": commands_page(cli),
        "api.md": api_page(contract, who_may()),
        "shapes.md": shapes_page(contract),
        "metrics.md": metrics_page(DOORS, EXPORTED),
        "tables.md": tables_page(METADATA),
        "dialects.md": dialects_page(DIALECTS),
        "views.md": views_page(VIEWS, FUNCTIONS),
    }
    return {"README.md": _index(pages)} | pages


def _index(pages: Mapping[str, str]) -> str:
    rows = [[f"[{name}]({name})", _ABOUT[name]] for name in pages]
    return page("Reference", _OF_ALL, table(["page", "what it lists"], rows))
