"""Commitments: credits bought in advance and minimums promised; how far each is used."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api.commitments.commitments import CommitmentId
from api.dependencies import Reading, Tenant
from api.grouping import wrong
from api.pages.asked import PageAsked, Text
from api.pages.charts import Chart, Legend
from api.pages.links import elsewhere, here
from api.pages.shell import page
from api.pages.tables import Cell, Column, Held, Table
from api.pages.visitor import Visiting, Visitor
from api.problems import Problem
from reports.charts.commitment_chart import Burn, burn_chart
from reports.charts.palette import ACCENT, BAD, SOFT, shown_name
from spend import money
from spend.commitments.commitment_use import Forecast, Use
from spend.commitments.commitments import FOREVER, Commitment
from store.commitments import commitment_use, commitments
from store.completeness import complete_until

router = APIRouter(include_in_schema=False)

_DAY: Final = timedelta(days=1)
_BEYOND: Final = timedelta(days=30)
"""That an axis shows of a commitment without an end."""


@router.get("/commitments")
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    _query: Annotated[PageAsked, Query()],
) -> Response:
    """Those that hold, each with its latest period."""
    visitor.whole_ledger()
    held = commitments.held(session, tenant)
    uses = [(each, _latest(session, tenant, each, visitor.now)) for each in held]
    return page(
        request,
        visitor,
        "commitments.html",
        title="Commitments",
        tables={"commitments": _table(request, uses, visitor)},
        held=held,
        sums=_sums(uses, visitor),
        complete=complete_until(session),
    )


class CommitmentAsked(PageAsked):
    """Which of its periods to look at."""

    period: Annotated[Text | None, Query(description="The day that it begins on, UTC.")] = None


@router.get("/commitments/{commitment_id}")
def one(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    commitment_id: CommitmentId,
    query: Annotated[CommitmentAsked, Query()],
) -> Response:
    """One of them: a period's burn-down, and all periods."""
    visitor.whole_ledger()
    found = commitments.one(session, tenant, commitment_id)
    if found is None:
        detail = f"There is no commitment {commitment_id}."
        raise Problem(404, "No such commitment", detail)
    begun = list(found.periods(visitor.now)) if found.known_to is None else []
    uses = commitment_use.used(session, tenant, found, begun)
    chosen = _chosen(uses, query.period)
    chart = None if chosen is None else _chart(session, tenant, chosen, visitor.now)
    return page(
        request,
        visitor,
        "commitment.html",
        title=found.name,
        tables={"periods": _periods(request, uses, chosen, found, visitor)},
        commitment=found,
        match={of: names_of(of, values) for of, values in found.match.items()},
        use=chosen,
        over=chosen is not None and chosen.is_over(visitor.now),
        unused=None if chosen is None else chosen.unused(visitor.now),
        rate=None if chosen is None else chosen.effective_rate(visitor.now),
        forecast=None if chosen is None else chosen.forecast(visitor.now),
        endless=chosen is not None and chosen.period.end == FOREVER,
        chart=chart,
        complete=complete_until(session),
    )


def _latest(session: Session, tenant: int, each: Commitment, now: datetime) -> Use | None:
    uses = commitment_use.used(session, tenant, each, list(each.periods(now))[-1:])
    return uses[-1] if uses else None


def _sums(
    uses: Sequence[tuple[Commitment, Use | None]], visitor: Visitor
) -> dict[str, Decimal | int]:
    """Of the latest periods in the visitor's currency that are running."""
    running = [
        use
        for each, use in uses
        if use is not None and each.currency == visitor.currency and not use.is_over(visitor.now)
    ]
    forecasts = [use.forecast(visitor.now) for use in running]
    return {
        "running": len(running),
        "committed": money.total([use.commitment.amount for use in running]),
        "used": money.total([use.used for use in running]),
        "left": money.total([use.left for use in running]),
        "at_risk": money.total([each.unused for each in forecasts if each and each.unused]),
    }


def _table(
    request: Request, uses: Sequence[tuple[Commitment, Use | None]], visitor: Visitor
) -> Table:
    return Table(
        columns=(
            Column("commitment", "Commitment"),
            Column("period", "Period", narrow=False),
            Column(
                "committed",
                "Committed",
                "money",
                "Usage that it covers, as contracted",
                narrow=False,
            ),
            Column("used", "Used", "money", narrow=False),
            Column("utilisation", "Of it", "percent", "Used of what is committed"),
            Column("left", "Left", "money", narrow=False),
            Column("runs_out", "Runs out", "when", narrow=False),
            Column("unused", "Unused", "money", "Paid, and covers nothing: so far, or expected"),
        ),
        rows=[_row(request, each, use, visitor) for each, use in uses],
        caption="Credits and minimums",
        file="commitments",
        currency=visitor.currency,
    )


def _row(
    request: Request, each: Commitment, use: Use | None, visitor: Visitor
) -> dict[str, Held | Cell]:
    told = visitor.formats
    name = Cell(
        each.name,
        href=elsewhere(request, f"/commitments/{each.id}"),
        note=f"{kind_of(each)}, {covers(each)}",
    )
    if use is None:
        return {
            "commitment": name,
            "period": f"begins {told.when(each.valid_from)}",
            "committed": Cell(each.amount, currency=each.currency),
        }
    return {
        "commitment": name,
        "period": span_of(use, visitor),
        **_figures(use, visitor),
    }


def _figures(use: Use, visitor: Visitor) -> dict[str, Held | Cell]:
    """How far a period is used, when it runs out, what of it is lost."""
    currency, now = use.commitment.currency, visitor.now
    forecast, over = use.forecast(now), use.is_over(now)
    return {
        "committed": Cell(use.commitment.amount, currency=currency),
        "used": Cell(use.used, currency=currency),
        "utilisation": Cell(use.utilisation, bar="good" if use.utilisation >= 1 else ""),
        "left": Cell(use.left, currency=currency),
        "runs_out": _runs_out(use, forecast, over),
        "unused": _unused(use, forecast, now),
    }


def _runs_out(use: Use, forecast: Forecast | None, over: bool) -> Cell:
    if use.ran_out is not None:
        return Cell(use.ran_out, note="used up")
    if forecast is not None and forecast.runs_out is not None:
        return Cell(forecast.runs_out, note="expected")
    if over:
        return Cell(None, note="it was not used up")
    return Cell(None, note="not in this period" if forecast else "too early to say")


def _unused(use: Use, forecast: Forecast | None, now: datetime) -> Cell:
    currency = use.commitment.currency
    lost = use.unused(now)
    if lost is not None:
        return Cell(
            lost, currency=currency, tone="bad" if lost else "", note="lost" if lost else None
        )
    if forecast is None or forecast.unused is None:
        return Cell(None, currency=currency)
    tone = "warn" if forecast.unused else ""
    return Cell(forecast.unused, currency=currency, tone=tone, note="expected")


def kind_of(each: Commitment) -> str:
    """What it is, in words."""
    if each.kind == "prepaid":
        return "credits"
    return "minimum for its term" if each.period == "term" else f"minimum a {each.period}"


def covers(each: Commitment) -> str:
    """Whose usage counts, in words."""
    return ", ".join(" or ".join(names_of(of, each.match[of])) for of in each.match) or "everything"


def names_of(dimension: str, values: Iterable[str]) -> list[str]:
    """Values as people read them: providers by their names."""
    return [shown_name(each) if dimension == "provider" else each for each in values]


def span_of(use: Use, visitor: Visitor) -> str:
    """A period by its days of UTC."""
    told = visitor.formats
    first = use.period.start.astimezone(UTC).date()
    if use.period.end == FOREVER:
        return f"from {told.day(first)}"
    last = (use.period.end - timedelta(microseconds=1)).astimezone(UTC).date()
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} to {told.day(last)}"
    return f"{told.day(first)} to {told.day(last)}"


def _periods(
    request: Request,
    uses: Sequence[Use],
    chosen: Use | None,
    of: Commitment,
    visitor: Visitor,
) -> Table:
    rows: list[dict[str, Held | Cell]] = []
    for use in reversed(uses):
        start = use.period.start.date()
        name = Cell(
            start,
            show=span_of(use, visitor),
            href=None if use == chosen else here(request, period=start),
            note="shown above" if use == chosen else None,
        )
        rows.append(
            {
                "period": name,
                **_figures(use, visitor),
                "eligible": Cell(use.eligible, currency=of.currency),
                "coverage": use.coverage,
            }
        )
    return Table(
        columns=(
            Column("period", "Period"),
            Column("committed", "Committed", "money", narrow=False),
            Column("eligible", "Usage that fits", "money", narrow=False),
            Column("used", "Used", "money"),
            Column("utilisation", "Of it", "percent", "Used of what is committed"),
            Column("coverage", "Covered", "percent", "Used of the usage that fits", narrow=False),
            Column("left", "Left", "money", narrow=False),
            Column("runs_out", "Runs out", "when", narrow=False),
            Column("unused", "Unused", "money", "Paid, and covers nothing: so far, or expected"),
        ),
        rows=rows,
        caption="Period by period",
        file=f"commitment-{of.id}",
        currency=of.currency,
        empty="No period of it has begun.",
    )


def _chosen(uses: Sequence[Use], day: str | None) -> Use | None:
    if day is None:
        return uses[-1] if uses else None
    found = [use for use in uses if use.period.start.date().isoformat() == day]
    if not found:
        raise wrong("period", f"no period of it begins on {day[:100]!r}")
    return found[0]


def _chart(session: Session, tenant: int, use: Use, now: datetime) -> Chart:
    """Used so far by day, and what is expected."""
    start, end = use.period.start, use.period.end
    first = start.replace(hour=0, minute=0)
    until = min(now, end)
    last = until.replace(hour=0, minute=0, second=0, microsecond=0) + _DAY
    days = commitment_use.daily(session, tenant, use.commitment.id, first, last, covered=True)
    used, so_far = [(start, Decimal(0))], Decimal(0)
    for number, each in enumerate(days, 1):
        so_far = money.total([so_far, each])
        used.append((min(first + number * _DAY, until), so_far))
    forecast = use.forecast(now)
    burn = Burn(
        starts=start,
        ends=end if end != FOREVER else _axis_end(use, forecast, now),
        has_end=end != FOREVER,
        amount=use.commitment.amount,
        used=used,
        expected=_expected(use, forecast, until),
        currency=use.commitment.currency,
    )
    legend = [
        Legend("What it covers", BAD),
        Legend("Used", ACCENT, note="dotted: expected" if burn.expected else None),
    ]
    if burn.has_end:
        legend.append(Legend("Even rate", SOFT))
    return Chart(burn_chart(burn), f"Used of {use.commitment.name} by day", tuple(legend))


def _axis_end(use: Use, forecast: Forecast | None, now: datetime) -> datetime:
    runs_out = forecast.runs_out if forecast else use.ran_out
    return max(now, min(runs_out or now, now + 12 * _BEYOND)) + _DAY


def _expected(
    use: Use, forecast: Forecast | None, until: datetime
) -> list[tuple[datetime, Decimal]]:
    if forecast is None or use.ran_out is not None:
        return []
    here_ = (until, use.used)
    if forecast.runs_out is not None:
        ends = [(forecast.runs_out, use.commitment.amount)]
        if use.period.end != FOREVER:
            ends.append((use.period.end, use.commitment.amount))
        return [here_, *ends]
    if forecast.used is None:
        return []
    return [here_, (use.period.end, forecast.used)]
