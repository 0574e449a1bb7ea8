"""The table of how groups of calls went, beside the time before."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from fastapi import Request

from api.pages.links import here
from api.pages.performance.performance_figures import FILTERS, Group, Groups
from api.pages.tables import Cell, Column, Held, Table, sorted_rows
from api.pages.traces.call_slowness import outcome_name
from api.pages.visitor import Visitor
from reports.charts.palette import hue_of, shown_name
from spend.calls import Outcome

_WORSE: Final = Decimal("1.25")
"""From so many times the time before on a figure is marked."""
_ENOUGH: Final = 30
"""Calls in both times, to be worth a mark."""
_WORTH: Final = Decimal("0.05")
"""Changes that are less are none."""


def table(
    request: Request,
    now: Groups,
    before: Groups,
    visitor: Visitor,
    *,
    by: str,
    title: str,
    sort: str,
) -> Table:
    """A row for each group; its name asks about it alone."""
    earlier = before.by_key
    rows = [_row(request, each, earlier.get(each.key), visitor, by) for each in now.rows]
    return Table(
        columns=(
            Column("group", title),
            Column("calls", "Calls", "short", narrow=False),
            Column("p50_ms", "p50", "ms", "Half of the calls took no longer"),
            Column("p90_ms", "p90", "ms", shown=False),
            Column("p95_ms", "p95", "ms"),
            Column("p99_ms", "p99", "ms", narrow=False),
            Column(
                "ttft_p50_ms", "First token", "ms", "Time to the first token, p50", narrow=False
            ),
            Column("ttft_p95_ms", "Its p95", "ms", "Time to the first token, p95", narrow=False),
            Column(
                "tokens_per_second", "Tokens/s", "number", "Over the whole duration", narrow=False
            ),
            Column("error_rate", "Failed", "percent"),
            Column("cache_share", "Cached", "percent", "Input read from a cache", narrow=False),
            Column("cost_per_call", "A call", "money", "What a call cost"),
            Column("per_million_tokens", "1 M tokens", "money", "Caches included", narrow=False),
        ),
        rows=sorted_rows(rows, sort),
        caption=f"By {title.lower()}",
        file="performance",
        currency=visitor.currency,
        sort=sort,
        empty="No calls in this time.",
    )


def _row(
    request: Request, now: Group, before: Group | None, visitor: Visitor, by: str
) -> Mapping[str, Held | Cell]:
    went = now.went
    marks = _Marks(now, before, visitor)
    kinds = [
        f"{calls} {outcome_name(kind)}"
        for kind, calls in sorted(went.outcomes.items(), key=lambda each: -each[1])
        if kind is not Outcome.OK and calls
    ]
    speed = went.output_per_second
    return {
        "group": _name(request, now, by),
        "calls": marks.cell(went.calls, before.went.calls if before else None, None),
        **{f"{share}_ms": marks.ms(lambda group, s=share: group.latency(s)) for share in _SHARES},
        "ttft_p50_ms": marks.ms(lambda group: group.ttft("p50")),
        "ttft_p95_ms": marks.ms(lambda group: group.ttft("p95")),
        "tokens_per_second": None if speed is None else round(Decimal(speed), 1),
        "error_rate": Cell(
            _share(now.error_rate),
            note=kinds[0] if kinds else None,
            tone=marks.tone(_share(now.error_rate), _share(before.error_rate) if before else None),
        ),
        "cache_share": _share(went.cache_hit_share),
        "cost_per_call": marks.cell(
            now.cost_per_call, before.cost_per_call if before else None, None
        ),
        "per_million_tokens": now.cost_per_million,
    }


_SHARES: Final = ("p50", "p90", "p95", "p99")


class _Marks:
    """What changed since the time before."""

    def __init__(self, now: Group, before: Group | None, visitor: Visitor) -> None:
        self._now, self._before, self._told = now, before, visitor.formats
        self._enough = before is not None and min(now.went.calls, before.went.calls) >= _ENOUGH

    def ms(self, of: Any) -> Cell:
        """A duration, marked where it is far longer than before."""
        value, earlier = _ms(of(self._now)), _ms(of(self._before)) if self._before else None
        return self.cell(value, earlier, self.tone(value, earlier))

    def cell(self, value: Any, earlier: Any, tone: str | None) -> Cell:
        """A figure, and by how much it changed."""
        return Cell(value, note=self._change(value, earlier), tone=tone or "")

    def tone(self, value: Any, earlier: Any) -> str:
        """Whether a figure of which less is better got far worse."""
        if not self._enough or value is None or not earlier:
            return ""
        return "bad" if Decimal(value) > _WORSE * Decimal(earlier) else ""

    def _change(self, value: Any, earlier: Any) -> str | None:
        if value is None or not earlier:
            return None
        share = Decimal(value) / Decimal(earlier) - 1
        if not self._enough or abs(share) < _WORTH:
            return None
        sign = "+" if share > 0 else ""
        return f"{sign}{self._told.percent(share, 0)}"


def _name(request: Request, group: Group, by: str) -> Cell:
    if by == "model":
        provider, model, deployment = group.key
        return Cell(
            " ".join(each for each in (provider, model) if each) or None,
            show=model or "Unknown model",
            note=" · ".join([shown_name(provider), *([deployment] if deployment else [])]),
            colour=hue_of(provider),
            href=here(request, provider=provider, model=model, sort=None) if model else None,
        )
    name = group.key[0]
    narrowed = {by: name, "group_by": None, "sort": None}
    href = here(request, **narrowed) if name and by in FILTERS else None
    if by == "provider":
        return Cell(name, show=shown_name(name), colour=hue_of(name), href=href)
    return Cell(name, show=name or "Not said", href=href)


def _ms(value: float | None) -> int | None:
    return None if value is None else round(value)


def _share(value: float | None) -> Decimal | None:
    return None if value is None else round(Decimal(value), 6)
