"""GET /v1/performance: how calls went."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from api.answers import json_answer
from api.auth import Who
from api.dependencies import Clock, Config, Reading, Tenant
from api.grouping import GroupedAsked, checked, too_many_rows
from api.problems import answers
from api.shapes import BoundsAnswer, DimensionsAnswer, bounds_of
from spend.calls import Outcome
from spend.performance import Performance, percentiles_ms, together
from store.breakdowns.grouping import Key, TooManyRowsError
from store.completeness import complete_until
from store.spending.performance_by import performance_by

router = APIRouter(prefix="/v1", tags=["performance"])


class Percentiles(BaseModel):
    """Milliseconds, within 1 %; null where no call reported the measure."""

    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None


class PerformanceFigures(BaseModel):
    """How a group of calls went."""

    calls: int = Field(description="Requests to a model.")
    errors: int = Field(description="Calls that did not end well.")
    error_rate: float | None = Field(description="Errors for each call, 0 to 1.")
    errors_by_kind: dict[str, int] = Field(
        description="Errors by kind: "
        + ", ".join(f"`{each.name.lower()}`" for each in Outcome if each != Outcome.OK)
        + "."
    )
    latency_ms: Percentiles = Field(description="From the request to the end of the answer.")
    ttft_ms: Percentiles = Field(description="From the request to the first token.")
    output_tokens_per_second: float | None = Field(
        description="Output tokens for each second of their calls' duration."
    )
    cache_hit_share: float | None = Field(
        description="Input tokens read from a cache, of all input tokens, 0 to 1."
    )


class PerformanceRow(PerformanceFigures, DimensionsAnswer):
    """One group. Of the dimensions only those of `group_by` are there."""


class PerformanceAnswer(BoundsAnswer):
    """How calls went, by group, the most calls first."""

    rows: list[PerformanceRow] = Field(description="Groups that have calls.")
    total: PerformanceFigures = Field(description="All of them together.")


@router.get(
    "/performance",
    summary="How calls went",
    response_model=PerformanceAnswer,
    responses=answers(401, 403, 422, 503),
)
def performance(
    request: Request,
    session: Reading,
    tenant: Tenant,
    config: Config,
    clock: Clock,
    who: Who,
    query: Annotated[GroupedAsked, Query()],
) -> Response:
    """Errors by kind, latency, time to the first token, speed and cache hits, for each group.

    Percentiles come from histograms that add up, so they hold for any period and grouping.
    """
    asked = checked(query, default_zone=config.timezone, now=clock(), caller=who)
    try:
        found = performance_by(session, asked.question, tenant)
    except TooManyRowsError:
        raise too_many_rows() from None
    names = asked.question.group_by
    body: dict[str, Any] = {
        **bounds_of(asked, complete_until(session)),
        "rows": [
            dict(zip(names, key, strict=True)) | _figures(each)
            for key, each in sorted(found.items(), key=_most_calls_first)
        ],
        "total": _figures(together(found.values())),
    }
    return json_answer(request, PerformanceAnswer.model_validate(body))


def _most_calls_first(row: tuple[Key, Performance]) -> tuple[Any, ...]:
    key, each = row
    return (-each.calls, [(value is None, value or "") for value in key])


def _figures(each: Performance) -> dict[str, Any]:
    kinds = {
        outcome.name.lower(): calls
        for outcome, calls in each.outcomes.items()
        if outcome != Outcome.OK
    }
    return {
        "calls": each.calls,
        "errors": each.errors,
        "error_rate": _rounded(each.errors / each.calls if each.calls else None),
        "errors_by_kind": kinds,
        "latency_ms": _all_rounded(percentiles_ms(each.latency)),
        "ttft_ms": _all_rounded(percentiles_ms(each.ttft)),
        "output_tokens_per_second": _rounded(each.output_per_second),
        "cache_hit_share": _rounded(each.cache_hit_share),
    }


def _all_rounded(figures: dict[str, float | None]) -> dict[str, float | None]:
    return {name: _rounded(value) for name, value in figures.items()}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
