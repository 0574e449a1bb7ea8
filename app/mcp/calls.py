"""Tools of single calls: which there were, and how one came to cost what it did."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import Field

from app.mcp import telling
from app.mcp.answers import Amount, Watermark, watermark
from app.mcp.asking import Api
from app.mcp.questions import FiltersAsked, SpanId, TraceId, parameters
from app.mcp.telling import money, number, quoted
from app.mcp.tool import Asked, Found, Told, Tool


class CallsAsked(FiltersAsked):
    """Which calls there were."""

    limit: int = Field(20, ge=1, le=100, description="At most so many calls.")
    cursor: str | None = Field(None, description="`next` of the page before.")


class CallTold(Told):
    """A call: one request to one model."""

    trace_id: str
    span_id: str
    started_at: str
    duration_ms: float | None
    ttft_ms: float | None = Field(description="Time to the first token.")
    outcome: str = Field(description="ok, or the kind of error.")
    owner: Told = Field(description="Who was heard.")
    payer: Told = Field(description="Who pays.")
    route: Told = Field(description="What was called: provider, model, …")
    usage: dict[str, int] = Field(description="Tokens by class; one that nobody told is absent.")
    cost: Amount | None = Field(description="In `currency`; null: unknown.")
    currency: str


class CallsTold(Watermark):
    """Calls, latest first."""

    calls: list[CallTold]
    next: str | None = Field(description="`cursor` of the next page; null: this is the last.")
    listed_from: str | None = Field(
        description="Earlier calls are in no list: their days are no longer kept."
    )


async def _calls(api: Api, asked: CallsAsked) -> Found:
    until = await watermark(api)
    found: Found = await api.get("calls", asked=parameters(asked))
    return {**found, **until}


def _calls_text(found: Mapping[str, Any]) -> str:
    lines = [
        [
            each["started_at"], quoted(each["payer"]["team"]), quoted(each["route"]["model"]),
            each["outcome"], number(each["duration_ms"], " ms"),
            money(each["cost"], each["currency"]), each["trace_id"], each["span_id"],
        ]
        for each in found["calls"]
    ]  # fmt: skip
    header = ["started", "team", "model", "outcome", "took", "cost", "trace_id", "span_id"]
    return telling.told(
        f"{len(lines)} calls, latest first, as they are known now. {telling.watermark(found)}"
        " Later ones may be told twice, and have no cost yet.",
        telling.rows(header, lines),
        f"More: cursor={found['next']}" if found["next"] else "",
    )


CALLS: Final = Tool(
    name="calls",
    title="Single calls",
    does="Single calls, latest first, each with its cost, by period and filters. Its list is read"
    " as it is now: the last minute may tell a call twice. To sum up calls take"
    " `spend`, never this. A call's ids lead to `explain_call`.",
    asks=CallsAsked,
    tells=CallsTold,
    answer=_calls,
    text=_calls_text,
)


class CallAsked(Asked):
    """Which call."""

    trace_id: TraceId
    span_id: SpanId


class HowTold(Told):
    """How a cost came about."""

    reason: str
    posted: bool = Field(description="Whether the ledger has it.")
    lines: list[Told] = Field(description="Meter, quantity, unit price (a million), amount, price.")
    share: Told | None = Field(description="Of a pool's hour; null: it ran on none.")


class ExplainedTold(CallTold, Watermark):
    """A call, and how its cost came about."""

    counts: bool = Field(description="False: it repeats other calls, and is in no report.")
    how: HowTold
    sightings: list[Told] = Field(description="Who reported it, the best witness first.")
    usage_conflict: bool = Field(description="Whether these contradict each other.")


_MOST_SIGHTINGS: Final = 10


async def _explained(api: Api, asked: CallAsked) -> Found:
    until = await watermark(api)
    found = await api.get("calls", asked.trace_id.lower(), asked.span_id.lower())
    seen = found["sightings"]
    told = {"sightings": seen[:_MOST_SIGHTINGS], "sightings_in_all": len(seen)}
    return {**found, **told, **until}


def _explained_text(found: Mapping[str, Any]) -> str:
    how, currency = found["how"], found["currency"]
    lines = [
        [each["meter"], each["quantity"], each["unit_price"],
         money(each["amount"], each["currency"]), each["price"]["book"],
         quoted(each["price"]["source"])]
        for each in how["lines"]
    ]  # fmt: skip
    share = how["share"]
    return telling.told(
        f"A call of {found['started_at']} to {quoted(found['route']['model'])} of"
        f" {quoted(found['route']['provider'])}, paid by {quoted(found['payer']['team'])}:"
        f" {money(found['cost'], currency)}, {found['outcome']}.",
        f"Why: {quoted(how['reason'])}",
        telling.rows(["meter", "quantity", "price of a million", "amount", "book", "source"], lines)
        if lines
        else "",
        f"Share of pool {quoted(share['pool'])}: work {share['work']} of {share['place_work']} at"
        f" its place, which was charged {money(share['place_amount'], currency)}."
        if share
        else "",
        f"Sightings of it: {found['sightings_in_all']}; it is counted once." if found["counts"] else
        "It repeats other calls, and counts nowhere.",
        telling.watermark(found),
    )  # fmt: skip


EXPLAIN_CALL: Final = Tool(
    name="explain_call",
    title="How a call's cost came about",
    does="One call: each meter's quantity times its price line (with book and source), or its share"
    " of a pool's hour; who pays and by which rule; who reported it. Take it for `why does this"
    " cost so much` and `is this right`.",
    asks=CallAsked,
    tells=ExplainedTold,
    answer=_explained,
    text=_explained_text,
)
