"""The tool of how calls went."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import Field

from app.mcp import telling
from app.mcp.answers import Bounds, Cut, cut
from app.mcp.asking import Api
from app.mcp.questions import OF_THE_CUT, CutAsked, GroupedAsked, parameters
from app.mcp.telling import number, quoted
from app.mcp.tool import Found, Told, Tool


class PerformanceAsked(GroupedAsked, CutAsked):
    """How calls went."""


class Percentiles(Told):
    """Milliseconds, within 1 %; null: nobody reported it."""

    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None


class Figures(Told):
    """How a group of calls went."""

    calls: int
    errors: int
    error_rate: float | None = Field(description="0 to 1; null: there are no calls.")
    errors_by_kind: dict[str, int]
    latency_ms: Percentiles
    ttft_ms: Percentiles = Field(description="To the first token.")
    output_tokens_per_second: float | None
    cache_hit_share: float | None = Field(description="Of input tokens, 0 to 1; null: unknown.")


class PerformanceTold(Bounds, Cut):
    """How calls went, the most calls first."""

    rows: list[Figures] = Field(description="With the dimensions of `group_by`.")
    total: Figures = Field(description="Of all rows, also those not shown.")


async def _performance(api: Api, asked: PerformanceAsked) -> Found:
    return cut(await api.get("performance", asked=parameters(asked, OF_THE_CUT)), "rows", asked)


def _line(figures: Mapping[str, Any]) -> list[object]:
    return [
        figures["calls"],
        number(figures["error_rate"]),
        number(figures["latency_ms"]["p50"]),
        number(figures["latency_ms"]["p95"]),
        number(figures["ttft_ms"]["p50"]),
        number(figures["output_tokens_per_second"]),
        number(figures["cache_hit_share"]),
    ]


_HEADER: Final = (
    "calls", "error rate", "latency p50 ms", "p95 ms", "first token p50 ms", "tokens/s",
    "cache hits",
)  # fmt: skip


def _text(found: Mapping[str, Any]) -> str:
    names = [name for name in found["rows"][0] if name not in Figures.model_fields] if found[
        "rows"
    ] else []  # fmt: skip
    lines = [[*(quoted(row[name]) for name in names), *_line(row)] for row in found["rows"]]
    whole = [["all"] + [""] * (len(names) - 1) + _line(found["total"])] if names else []
    return telling.told(
        f"How calls went, {telling.period(found)}. {telling.watermark(found)}",
        telling.rows([*names, *_HEADER], [*lines, *whole]),
        telling.more(found),
    )


PERFORMANCE: Final = Tool(
    name="performance",
    title="How calls went",
    does="Error rates and kinds of errors, latency and time to the first token (p50 to p99, right"
    " over any period and grouping), speed and cache hits; by any dimensions, filtered by any.",
    asks=PerformanceAsked,
    tells=PerformanceTold,
    answer=_performance,
    text=_text,
)
