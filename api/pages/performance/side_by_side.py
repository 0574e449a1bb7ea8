"""/performance/side-by-side: the same work on an API and on capacity of our own."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api.dependencies import Reading, Tenant
from api.pages.formats import Formats
from api.pages.performance.performance_figures import (
    Group,
    PerformanceAsked,
    groups,
    shared,
    spent_by,
)
from api.pages.recent_time import LAST, Lately, lately
from api.pages.shell import page
from api.pages.tables import Cell, Column, Held, Table
from api.pages.visitor import Visiting, Visitor
from reports.charts.palette import hue_of, shown_name
from spend.owners import IDLE
from spend.providers import SELF_HOSTED
from spend.totals import together

router = APIRouter(include_in_schema=False)

MOST_WORKS: Final = 12
_BY: Final = ("team", "service", "operation", "provider", "model", "deployment")


class SideBySideAsked(PerformanceAsked):
    """Which calls."""


@router.get("/performance/side-by-side")
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    query: Annotated[SideBySideAsked, Query()],
) -> Response:
    """Services that do an operation on both: each model's cost, speed and failures."""
    time = lately(visitor, query, default="24h")
    works = dict(list(_works(session, tenant, visitor, time, query.filters).items())[:MOST_WORKS])
    idle = None if visitor.team else _with_idle(session, tenant, visitor, time)
    return page(
        request,
        visitor,
        "side_by_side.html",
        title="Performance: API beside self-hosted",
        tables={
            f"work-{number}": _table(work, of_work, idle, visitor.currency, number)
            for number, (work, of_work) in enumerate(works.items(), 1)
        },
        query=query,
        asked=shared(query, time),
        time=time,
        last=LAST,
        told={
            f"work-{number}": _told(of_work, idle, visitor.formats)
            for number, of_work in enumerate(works.values(), 1)
        },
        idle=idle,
    )


Work = tuple[str | None, str | None, str | None]
"""Team, service, operation."""


def _works(
    session: Session,
    tenant: int,
    visitor: Visitor,
    time: Lately,
    filters: Mapping[str, tuple[str, ...]],
) -> dict[Work, list[Group]]:
    """What is done on both, with its models; the most calls first."""
    asked = visitor.question(time.period, "service", "deployment", filters=filters)
    used = spent_by(time.period)(session, asked, tenant, visitor.conversion).groups
    places: dict[str | None, set[bool]] = defaultdict(set)
    for (service, deployment), totals in used.items():
        if totals.calls:
            places[service].add(deployment == SELF_HOSTED)
    both = tuple(service or "" for service, own in places.items() if len(own) > 1)
    if not both:
        return {}
    found = groups(
        session, tenant, visitor, time.period, *_BY, filters={**filters, "service": both}
    )
    works: dict[Work, list[Group]] = defaultdict(list)
    for each in found.rows:
        works[each.key[0], each.key[1], each.key[2]].append(each)
    return {
        work: of_work
        for work, of_work in works.items()
        if len({each.key[-1] == SELF_HOSTED for each in of_work}) > 1
    }


def _with_idle(session: Session, tenant: int, visitor: Visitor, time: Lately) -> Decimal | None:
    """What capacity of our own cost whole, by what calls were charged of it; None: unknown."""
    question = visitor.question(time.period, "team", filters={"deployment": (SELF_HOSTED,)})
    spent = spent_by(time.period)(session, question, tenant, visitor.conversion).groups
    whole = together(spent.values()).cost
    busy = together(totals for (team,), totals in spent.items() if team != IDLE).cost
    return whole / busy if whole and busy else None


def _table(
    work: Work, of_work: Sequence[Group], idle: Decimal | None, currency: str, number: int
) -> Table:
    columns = [
        Column("model", "Model"),
        Column("calls", "Calls", "short", narrow=False),
        Column("cost_per_call", "A call", "money"),
        Column("whole_cost_per_call", "With idle", "money", "Idle hours of pools spread by cost"),
        Column("per_million_tokens", "1 M tokens", "money", narrow=False),
        Column("p50_ms", "p50", "ms"),
        Column("p95_ms", "p95", "ms"),
        Column("ttft_p50_ms", "First token", "ms", "Time to it, p50", narrow=False),
        Column("tokens_per_second", "Tokens/s", "number", narrow=False),
        Column("error_rate", "Failed", "percent", narrow=False),
    ]
    if idle is None:
        columns = [each for each in columns if each.name != "whole_cost_per_call"]
    return Table(
        columns=columns,
        rows=_rows(of_work, idle),
        caption=" · ".join(each or "not said" for each in (work[1], work[2], work[0])),
        file=f"side-by-side-{number}",
        currency=currency,
    )


_LESS: Final = (
    "cost_per_call",
    "whole_cost_per_call",
    "per_million_tokens",
    "p50_ms",
    "p95_ms",
    "ttft_p50_ms",
    "error_rate",
)


def _rows(of_work: Sequence[Group], idle: Decimal | None) -> list[Mapping[str, Held | Cell]]:
    rows = [_figures(each, idle) for each in of_work]
    best = {name: _best(rows, name) for name in (*_LESS, "tokens_per_second")}
    shown: list[Mapping[str, Held | Cell]] = []
    for group, row in zip(of_work, rows, strict=True):
        provider, model, deployment = group.key[3:]
        marked = {
            name: Cell(value, tone="good" if value is not None and value == best.get(name) else "")
            for name, value in row.items()
        }
        shown.append(
            {
                "model": Cell(
                    " ".join(each for each in (provider, model) if each),
                    show=model or "Unknown model",
                    note=" · ".join([shown_name(provider), *([deployment] if deployment else [])]),
                    colour=hue_of(provider),
                ),
                **marked,
            }
        )
    return shown


def _told(of_work: Sequence[Group], idle: Decimal | None, told: Formats) -> str:
    """The most used model of each side beside the other, in a sentence."""
    own, other = (
        next(each for each in of_work if (each.key[-1] == SELF_HOSTED) is is_own)
        for is_own in (True, False)
    )
    parts = []
    ours, theirs = _figures(own, idle), _figures(other, idle)
    cost, whole, asked = ours["cost_per_call"], ours["whole_cost_per_call"], theirs["cost_per_call"]
    if cost and asked:
        text = f"{_times(cost, asked, told)} a call"
        parts.append(f"{text}, {_times(whole, asked, told)} with idle" if idle and whole else text)
    if ours["p50_ms"] and theirs["p50_ms"]:
        parts.append(f"{_times(ours['p50_ms'], theirs['p50_ms'], told)} the time of half the calls")
    names = [each.key[4] or "unknown model" for each in (own, other)]
    return f"{names[0]} beside {names[1]}: {'; '.join(parts)}." if parts else ""


def _times(one: Decimal | int, other: Decimal | int, told: Formats) -> str:
    share = Decimal(one) / Decimal(other)
    return f"{told.number(round(share, 0 if share >= 10 else 2))} times"  # noqa: PLR2004 - digits that say something


def _figures(group: Group, idle: Decimal | None) -> dict[str, Decimal | int | None]:
    cost, own = group.cost_per_call, group.key[-1] == SELF_HOSTED
    p50, p95, ttft = group.latency("p50"), group.latency("p95"), group.ttft("p50")
    speed, failed = group.went.output_per_second, group.error_rate
    return {
        "calls": group.went.calls,
        "cost_per_call": cost,
        "whole_cost_per_call": cost * idle if own and cost is not None and idle else cost,
        "per_million_tokens": group.cost_per_million,
        "p50_ms": None if p50 is None else round(p50),
        "p95_ms": None if p95 is None else round(p95),
        "ttft_p50_ms": None if ttft is None else round(ttft),
        "tokens_per_second": None if speed is None else round(Decimal(speed), 1),
        "error_rate": None if failed is None else round(Decimal(failed), 6),
    }


def _best(rows: Sequence[Mapping[str, Decimal | int | None]], name: str) -> Decimal | int | None:
    known = [value for row in rows if (value := row[name]) is not None]
    if len(known) < len(rows):
        return None
    return min(known) if name in _LESS else max(known)
