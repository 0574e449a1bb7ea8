"""The tables of a call's page: how its cost came about, who saw it, and all else that was told."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from markupsafe import Markup

from api.calls.call_explained import Explained
from api.pages.tables import Cell, Column, Held, Table
from api.pages.traces.call_slowness import outcome_name
from spend.calls import Role
from spend.ids import unsigned
from spend.meters import DISJOINT, METERS
from spend.money import total
from spend.prices.rating import Line
from store.calls.call_lookup import FoundCall

_METERS = {
    "input": "Input",
    "cache_read": "Cache read",
    "cache_write": "Cache write",
    "cache_write_5m": "Cache write, 5 min",
    "cache_write_1h": "Cache write, 1 h",
    "output": "Output",
    "reasoning": "Reasoning",
    "input_audio": "Audio in",
    "output_audio": "Audio out",
    "input_image": "Images in",
    "output_image": "Images out",
    "tool_calls": "Tool calls",
    "images": "Images made",
    "seconds": "Seconds of audio",
    "prefill_ms": "Prefill, ms",
    "decode_ms": "Decode, ms",
    "requests": "Request",
}


def meter_name(meter: str) -> str:
    """A meter, for people."""
    return _METERS.get(meter, meter)


def cost_lines(found: Explained, currency: str) -> Table:
    """Each meter: quantity x unit price / 1,000,000 = amount, with the price line it came from."""
    lines = found.cost.lines
    return Table(
        columns=(
            Column("meter", "Meter"),
            Column("quantity", "Quantity", "number"),
            Column("unit_price", "Price of a million", "unit_price", narrow=False),
            Column("amount", "Amount", "money", "Quantity times price, by a million"),
            Column("list_amount", "At list price", "money", narrow=False),
            Column("price", "Price line", narrow=False),
        ),
        rows=[_line(each) for each in lines],
        caption="How the cost came about",
        file="cost",
        currency=found.cost.currency or currency,
        total=None
        if found.cost.amount is None or not lines
        else {
            "meter": "Cost",
            "quantity": Cell(None, show=""),
            "unit_price": Cell(None, show=""),
            "amount": found.cost.amount,
            "list_amount": _listed(lines),
            "price": Cell(None, show=""),
        },
        empty=found.cost.reason,
    )


def _listed(lines: Sequence[Line]) -> Decimal | None:
    """What it would cost by the list; None where a line has no price there."""
    known = [each.list_amount for each in lines if each.list_amount is not None]
    return total(known) if len(known) == len(lines) else None


def _line(line: Line) -> Mapping[str, Held | Cell]:
    price, rate = line.price, line.rate
    changes = [
        f"{sign}{each.percent.normalize():f} % {word}"
        for each, sign, word in (
            (rate.uplift, "+", "for its region"),
            (rate.discount, "−", "as agreed"),  # noqa: RUF001 - a minus, as print has it
        )
        if each is not None
    ]
    of = price.meter if price.meter != line.meter else ""
    told = [
        price.model,
        f"price of {meter_name(of).lower()}" if of else "",
        f"above {price.above_tokens:,} tokens" if price.above_tokens else "",
        f"above {price.above_monthly:,} a month" if price.above_monthly else "",
        price.region,
        price.service_tier,
        *changes,
        price.source,
    ]
    return {
        "meter": meter_name(line.meter),
        "quantity": line.quantity,
        "unit_price": Cell(rate.unit_price, currency=price.currency),
        "amount": Cell(line.amount, currency=price.currency),
        "list_amount": Cell(line.list_amount, currency=price.currency),
        "price": Cell(
            None if price.id is None else f"{price.book} {price.id}",
            show=f"{price.book.capitalize()} price of {price.provider}",
            note=", ".join(each for each in told if each),
        ),
    }


def sightings(found: Explained) -> Table:
    """What each emitter reported of the call, the witness of its usage first."""
    traces = {each.sighting.trace_id for each, _evidence in found.call.sightings}
    return Table(
        columns=(
            Column("scope", "Seen by"),
            Column("role", "As", narrow=False),
            Column("counts", "Counted"),
            Column("evidence", "Why it is this call"),
            Column("offset_ms", "Began", "ms", "After the call began", narrow=False),
            Column("duration_ms", "Took", "ms"),
            Column("ttft_ms", "First token", "ms"),
            Column("tokens", "Tokens", "number"),
            Column("outcome", "Ended", narrow=False),
            Column("span_id", "Span", narrow=False),
            Column("trace_id", "Trace", narrow=False, shown=len(traces) > 1),
        ),
        rows=[_sighting(found.call, place) for place in range(len(found.call.sightings))],
        caption="Who saw it",
        file="sightings",
    )


def _sighting(call: FoundCall, place: int) -> Mapping[str, Held | Cell]:
    stored, evidence = call.sightings[place]
    seen = stored.sighting
    witness = place == 0 and call.counts
    counted = "Witness: its usage counts" if witness else "Not counted again"
    emitter = seen.emitter
    signal = "" if emitter.signal == "span" else emitter.signal
    return {
        "scope": Cell(
            emitter.scope,
            show=short_scope(emitter.scope),
            note=" ".join(each for each in (emitter.version, emitter.dialect, signal) if each),
        ),
        "role": role_name(seen.role),
        "counts": Cell(
            counted if len(call.sightings) > 1 or not call.counts else "The only one",
            tone="good" if witness else "quiet",
        ),
        "evidence": evidence[:1].upper() + evidence[1:],
        "offset_ms": _ms(seen.start_at - call.start_at),
        "duration_ms": None if seen.duration_us is None else seen.duration_us // 1000,
        "ttft_ms": None if seen.ttft_us is None else seen.ttft_us // 1000,
        "tokens": _tokens(seen.usage),
        "outcome": outcome_name(seen.outcome),
        "span_id": _id(unsigned(seen.span_id)),
        "trace_id": _id(seen.trace_id.hex),
    }


def _id(text: str) -> Cell:
    return Cell(text, show=Markup('<span class="id cut">{}</span>').format(text))


def usage(found: Explained) -> Table:
    """What the call consumed, by meter."""
    told = found.call.usage
    return Table(
        columns=(Column("meter", "Meter"), Column("quantity", "Quantity", "number")),
        rows=[
            {
                "meter": Cell(
                    each.name,
                    show=meter_name(each.name),
                    note=f"of {meter_name(each.of_which).lower()}" if each.of_which else None,
                ),
                "quantity": told[each.name],
            }
            for each in METERS
            if each.name in told
        ],
        caption="What it used",
        file="usage",
        empty="It did not say what it used.",
    )


def role_name(role: Role) -> str:
    """What a sighting is of, for people."""
    return {
        Role.CALL: "Client",
        Role.SERVER: "Model server or gateway",
        Role.AGGREGATE: "Agent or chain",
    }[role]


def short_scope(scope: str) -> str:
    """An instrumentation by what differs in its name: of long ones who makes it, and the end."""
    for start in ("opentelemetry.instrumentation.", "openinference.instrumentation."):
        if scope.startswith(start):
            return f"{start.partition('.')[0]} {scope.removeprefix(start)}"
    return scope


def _tokens(used: Mapping[str, int]) -> int | None:
    known = [used[name] for name in DISJOINT if name in used]
    return sum(known) if known else None


def _ms(time: timedelta) -> int:
    return round(time / timedelta(milliseconds=1))


def details(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What else was told of it, as names and texts."""
    said = {True: "yes", False: "no"}
    return [
        (str(name), said[value] if isinstance(value, bool) else str(value))
        for name, value in told.items()
    ]
