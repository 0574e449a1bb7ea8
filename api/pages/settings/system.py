"""/settings/system: how spanledger itself is doing: what it hears, how far it is, its jobs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api.dependencies import Reading, Tenant
from api.pages.asked import PageAsked
from api.pages.charts import Chart, Legend
from api.pages.shell import page
from api.pages.tables import Cell, Column, Held, Table
from api.pages.visitor import Visiting, Visitor
from reports.charts.heard_chart import HUES, Heard, heard_stack
from store import runs
from store.completeness import complete_until
from store.intake.heard_counts import HeardCounts, heard_counts
from store.intake.heard_lately import Stretch, heard_lately

router = APIRouter(include_in_schema=False)

LAST: Final = {"1h": "Last hour", "24h": "Last 24 hours", "7d": "Last 7 days"}


@dataclass(frozen=True, slots=True)
class _Cut:
    """How a time is cut for a chart of some sixty to ninety bars."""

    length: timedelta
    step: timedelta
    piece: str


_CUTS: Final = {
    "1h": _Cut(timedelta(hours=1), timedelta(minutes=1), "minute"),
    "24h": _Cut(timedelta(hours=24), timedelta(minutes=15), "quarter of an hour"),
    "7d": _Cut(timedelta(days=7), timedelta(hours=2), "2 hours"),
}


class SystemAsked(PageAsked):
    """Which time."""

    last: Literal["1h", "24h", "7d"] = "1h"


@router.get("/settings/system")
def system(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    query: Annotated[SystemAsked, Query()],
) -> Response:
    """What was heard, how long it waited to be in reports, and what the jobs did."""
    visitor.whole_ledger()
    cut = _CUTS[query.last]
    until = _stretch_of(visitor.now, cut.step) + cut.step
    since = until - cut.length
    stretches = heard_lately(session, tenant, since, until, cut.step)
    counts = heard_counts(session, tenant, since)
    waits = [each.longest_wait for each in stretches if each.longest_wait is not None]
    return page(
        request,
        visitor,
        "system.html",
        title="System",
        tables={"jobs": _jobs(session, visitor, since), "refusals": _refusals(counts)},
        query=query,
        last=LAST,
        counts=counts,
        longest_wait=max(waits, default=None),
        complete_until=complete_until(session),
        chart=_chart(stretches, visitor, cut) if counts.heard else None,
    )


def _stretch_of(moment: datetime, step: timedelta) -> datetime:
    """When the stretch began that holds a moment; stretches begin with the day (UTC)."""
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day + (moment - day) // step * step


def _chart(stretches: Sequence[Stretch], visitor: Visitor, cut: _Cut) -> Chart:
    bars = [
        Heard(
            _clock(each.at, visitor, cut),
            {
                "calls": each.stored,
                "no calls": each.not_a_call,
                "duplicates": each.duplicate,
                "refused": each.refused,
            },
        )
        for each in stretches
    ]
    return Chart(
        heard_stack(bars, piece=cut.piece),
        f"Heard by {cut.piece}",
        tuple(
            Legend(name, hue, note=visitor.formats.short(sum(bar.counts[name] for bar in bars)))
            for name, hue in HUES.items()
        ),
    )


def _clock(moment: datetime, visitor: Visitor, cut: _Cut) -> str:
    local = moment.astimezone(visitor.zone)
    return f"{local:%H:%M}" if cut.length < timedelta(days=1) else f"{local:%-d %b %H:%M}"


def _refusals(counts: HeardCounts) -> Table:
    rows: list[dict[str, Held | Cell]] = [
        {"reason": reason, "spans": spans, "what": what}
        for found, what in (
            (counts.refused_for, "the span"),
            (counts.usage_refused_for, "its usage; the call is kept"),
        )
        for reason, spans in sorted(found.items(), key=lambda one: -one[1])
    ]
    return Table(
        columns=(
            Column("reason", "Reason"),
            Column("spans", "Spans", "number"),
            Column("what", "What was refused"),
        ),
        rows=rows,
        caption="Refused",
        file="refused",
        empty="Nothing was refused in this time.",
    )


def _jobs(session: Session, visitor: Visitor, since: datetime) -> Table:
    past = runs.past(session, since)
    rows: list[dict[str, Held | Cell]] = []
    for job, run in sorted(runs.latest(session).items()):
        its = past.get(job)
        failed = its.failed if its else 0
        rows.append(
            {
                "job": job,
                "finished": Cell(
                    run.finished_at, show=visitor.formats.ago(run.finished_at, visitor.now)
                ),
                "outcome": Cell(
                    "failed" if run.failed else "done", tone="bad" if run.failed else "good"
                ),
                "runs": its.runs if its else 0,
                "failed": Cell(failed, tone="bad" if failed else ""),
                "usual": round(its.usual_seconds * 1000) if its else None,
                "longest": round(its.longest_seconds * 1000) if its else None,
                "note": run.note,
            }
        )
    return Table(
        columns=(
            Column("job", "Job"),
            Column("finished", "Last run", "when"),
            Column("outcome", "Outcome"),
            Column("runs", "Runs", "number", narrow=False),
            Column("failed", "Failed", "number"),
            Column("usual", "Took", "ms", hint="Half of the runs took no longer", narrow=False),
            Column("longest", "Longest", "ms", narrow=False),
            Column("note", "What it did", narrow=False),
        ),
        rows=rows,
        caption="Jobs",
        file="jobs",
        empty="None ever ran: start them with spanledger jobs, or spanledger serve.",
    )
