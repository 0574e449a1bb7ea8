"""docs/reference/metrics.md: what is told to Prometheus, and what is exported by OTLP."""

from collections.abc import Iterable, Mapping
from typing import Final

from app.reference.markdown import code, described, page, table
from jobs.exporting.exported_metrics import ATTRIBUTES, Exported
from spend.metric_names import Metric

_ABOUT: Final = (
    "A *counter* only grows, from the start of its process on; a *gauge* goes up and down; a "
    "*histogram* has `_bucket`, `_sum` and `_count`. Units stand at the end of a name: `_seconds`, "
    "`_bytes`, `_ratio` (1 is all of it), `_timestamp_seconds` (UTC, since 1970). How to scrape, "
    "and what to watch: [metrics](../metrics.md)."
)
_OF_OTLP: Final = (
    "What is told of spend by OTLP. A *sum* is cumulative from the start of the month on and may "
    "also fall, as late corrections take away; a *gauge* does not add up. A *whole* value is an "
    "integer, others are doubles. How to have it sent: [telemetry](../telemetry.md)."
)


def metrics_page(doors: Mapping[str, Iterable[Metric]], exported: Iterable[Exported]) -> str:
    """The page of what each door tells, and of what is exported. Raises NotDescribedError."""
    parts = []
    for door, metrics in doors.items():
        rows = [
            [
                code(each.name),
                each.kind,
                ", ".join(map(code, each.labels)),
                described(each.help, f"the metric {each.name}"),
            ]
            for each in metrics
        ]
        parts += [f"## {door}", table(["metric", "kind", "labels", "what it says"], rows)]
    return page("Metrics", _ABOUT, *parts, "## Exported by OTLP", _OF_OTLP, *_exported(exported))


def _exported(exported: Iterable[Exported]) -> list[str]:
    rows = [
        [
            code(each.name),
            f"{each.type}, whole" if each.whole else each.type,
            code(each.unit),
            ", ".join(map(code, each.attributes)),
            described(each.description, f"the metric {each.name}"),
        ]
        for each in exported
    ]
    attributes = [
        [code(name), described(says, f"the attribute {name}")] for name, says in ATTRIBUTES.items()
    ]
    return [
        table(["metric", "kind", "unit", "attributes", "what it says"], rows),
        table(["attribute", "what it says"], attributes),
    ]
