"""The pages of the reference: each is a function of what it tells about."""

from collections.abc import Mapping

from api.metric_list import PATHS
from app.cli import cli
from app.reference.commands import commands_page
from app.reference.dialects import dialects_page
from app.reference.metrics import metrics_page
from app.reference.settings import settings_page
from app.reference.tables import tables_page
from app.reference.views import views_page
from app.settings import Settings
from collector.dialects import DIALECTS
from collector.metric_list import METRICS as OF_COLLECTOR
from jobs.exported_metrics import EXPORTED
from jobs.metric_list import METRICS as OF_JOBS
from migrations.reporting.newest import FUNCTIONS, VIEWS
from store.tables import METADATA

DOORS = {
    "GET /metrics of a collector": OF_COLLECTOR,
    **{f"GET {path} of an API": metrics for path, metrics in PATHS.items()},
    "GET /metrics of the jobs": OF_JOBS,
}
"""What is told where."""


def all_pages() -> Mapping[str, str]:
    """Each page's text by the name of its file. Raises NotDescribedError."""
    return {
        "settings.md": settings_page(Settings),
        "commands.md": commands_page(cli),
        "metrics.md": metrics_page(DOORS, EXPORTED),
        "tables.md": tables_page(METADATA),
        "dialects.md": dialects_page(DIALECTS),
        "views.md": views_page(VIEWS, FUNCTIONS),
    }
