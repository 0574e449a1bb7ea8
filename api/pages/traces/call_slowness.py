"""Why a call was slow: how it went beside other calls of its model on the same day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy.orm import Session

from api.pages.formats import Formats
from api.pages.tables import Column, Table
from api.pages.visitor import Visitor
from spend.calls import Outcome
from spend.capacity.pools import HOUR, hour_of
from spend.histograms import bucket_of
from spend.performance import Performance, percentiles_ms, together
from spend.periods import Period, day_start, local_day
from store.calls.call_lookup import FoundCall
from store.spending.performance_by import performance_by

_MUCH: Final = 1.5
"""So many times what is usual is worth a word."""
_FEWEST: Final = 2
"""Calls of a day, this one among them, from which on it stands beside others."""


@dataclass(frozen=True, slots=True)
class Beside:
    """Calls of a call's provider and model: of its local day, and of its hour."""

    call: FoundCall
    day: Performance
    hour: Performance

    @property
    def alone(self) -> bool:
        """Whether it would be compared with itself."""
        return self.day.calls < _FEWEST

    @property
    def slower_than(self) -> float | None:
        """The share of the day's calls that took less time, 0 to 1; None: nothing to compare."""
        known = sum(self.day.latency.values())
        if self.call.duration_us is None or known < _FEWEST:
            return None
        own = bucket_of(self.call.duration_us)
        return sum(count for bucket, count in self.day.latency.items() if bucket < own) / known


def beside(session: Session, tenant: int, visitor: Visitor, call: FoundCall) -> Beside:
    """The calls of its day and hour that the visitor may see."""
    first = local_day(call.start_at, visitor.zone)
    end = day_start(first + timedelta(days=1), visitor.zone)
    hour = hour_of(call.start_at)
    filters = {"provider": (call.route.provider or "",), "model": (call.route.model or "",)}

    def of(period: Period) -> Performance:
        asked = visitor.question(period, filters=filters)
        return together(performance_by(session, asked, tenant).values())

    return Beside(
        call, of(Period(day_start(first, visitor.zone), end)), of(Period(hour, hour + HOUR))
    )


def speed_of(call: FoundCall) -> float | None:
    """Output tokens for each second of its duration."""
    output = call.usage.get("output")
    if not output or not call.duration_us:
        return None
    return output / call.duration_us * 1_000_000


def table(found: Beside, told: Formats) -> Table:
    """What the call took beside p50 and p95 of its day and p50 of its hour."""
    call, day, hour = found.call, found.day, found.hour
    rows = [
        {
            "measure": name,
            "call_ms": None if own is None else round(own / 1000),
            "p50_ms": _whole(percentiles_ms(of_day)["p50"]),
            "p95_ms": _whole(percentiles_ms(of_day)["p95"]),
            "hour_p50_ms": _whole(percentiles_ms(of_hour)["p50"]),
        }
        for name, own, of_day, of_hour in (
            ("Latency", call.duration_us, day.latency, hour.latency),
            ("Time to the first token", call.ttft_us, day.ttft, hour.ttft),
        )
    ]
    return Table(
        columns=(
            Column("measure", "Measure"),
            Column("call_ms", "This call", "ms"),
            Column("p50_ms", "p50 that day", "ms"),
            Column("p95_ms", "p95 that day", "ms"),
            Column("hour_p50_ms", "p50 that hour", "ms"),
        ),
        rows=rows,
        caption=f"Beside the calls of this model that day: {told.number(day.calls)}",
        file="beside",
    )


def reasons(found: Beside, told: Formats) -> list[str]:
    """What made the call slower, or faster, than others: one sentence each."""
    return list(_reasons(found, told))


def _reasons(found: Beside, told: Formats) -> Iterator[str]:
    call, day = found.call, found.day
    share = found.slower_than
    if share is None:
        yield (
            "No other call of this model is counted that day, to compare it with."
            if found.alone
            else "Its duration, or that of others that day, is not known."
        )
        return
    percent = told.percent(share, 0)
    yield f"Slower than {percent} of the {told.number(day.calls)} calls of this model that day."
    if call.outcome is not Outcome.OK:
        yield f"It did not end well: {outcome_name(call.outcome)}."
    yield from _by_output(found, told)
    late = percentiles_ms(day.ttft)["p95"]
    if call.ttft_us is not None and late is not None and call.ttft_us / 1000 > late:
        yield (
            f"It waited: its first token came after {told.ms(call.ttft_us / 1000)}, later than of"
            " 19 in 20 that day."
        )
    of_hour, of_day = (percentiles_ms(each.latency)["p50"] for each in (found.hour, day))
    if of_hour and of_day and of_hour > _MUCH * of_day:
        yield (
            f"Its hour was slow: half of the calls took more than {told.ms(of_hour)},"
            f" {told.ms(of_day)} over the day."
        )


def _by_output(found: Beside, told: Formats) -> Iterator[str]:
    day, output = found.day, found.call.usage.get("output")
    ended_well = day.calls - day.errors
    usual = day.timed_output / ended_well if ended_well else 0
    if output and usual:
        long = output > _MUCH * usual
        yield (
            f"It wrote {told.number(output)} tokens, {told.number(round(usual))} are usual"
            f"{': a long answer takes its time' if long else ''}."
        )
    own, others = speed_of(found.call), day.output_per_second
    if own and others and own * _MUCH < others:
        yield f"It wrote slowly: {own:,.0f} tokens a second, {others:,.0f} are usual."


def outcome_name(outcome: Outcome) -> str:
    """How a call ended, for people."""
    return outcome.name.lower().replace("_", " ")


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)
