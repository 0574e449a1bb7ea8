"""A call as the API shows it: what happened, and how its cost came about."""

from typing import Any

from pydantic import BaseModel, Field

from api.shapes import instant
from spend.calls import Outcome, Owner, Route
from spend.capacity.pools import hour_of
from spend.ids import unsigned
from spend.meters import INPUTS, METERS
from spend.money import plain
from spend.prices.bands import band_of
from spend.prices.discounts import Discount
from spend.prices.rating import Line
from store.calls.call_costs import CallCost, PoolShare
from store.calls.call_lookup import FoundCall
from store.calls.call_pages import ListedCall
from store.twins.twins import Stored


class OwnerAnswer(BaseModel):
    """A team with what else was told of it, and the rule that chose the team."""

    team: str
    project: str | None
    service: str | None
    environment: str | None
    feature: str | None
    customer: str | None
    rule: str = Field(description="What the team was told by.")


class RouteAnswer(BaseModel):
    """What was called, where."""

    provider: str | None
    model: str | None = Field(description="The model that answered, else the one asked for.")
    request_model: str | None
    operation: str | None
    deployment: str | None
    region: str | None
    server: str | None
    service_tier: str | None


class CallAnswer(BaseModel):
    """One request to one model."""

    trace_id: str = Field(description="32 hex digits.")
    span_id: str = Field(description="16 hex digits.")
    started_at: str
    duration_ms: float | None
    ttft_ms: float | None = Field(description="Time to the first token.")
    outcome: str = Field(
        description="One of " + ", ".join(each.name.lower() for each in Outcome) + "."
    )
    owner: OwnerAnswer = Field(description="Who was heard.")
    payer: OwnerAnswer = Field(
        description="Who pays: the owner, or who an ownership rule gives; its `rule` tells which."
    )
    route: RouteAnswer
    usage: dict[str, int] = Field(
        description="Tokens by class, as `usage` of /v1/spend; a class that nobody told is absent."
    )


class PriceUsed(BaseModel):
    """The price line that a meter was charged by."""

    id: int | None
    book: str = Field(description="`contract`, `list` or `supplement`.")
    provider: str
    model: str
    meter: str = Field(description="A cache meter without its own price takes another's.")
    region: str = Field(description="Empty: every region.")
    service_tier: str
    above_tokens: int = Field(description="Holds for prompts larger than this.")
    above_monthly: int = Field(
        description="A volume step: holds for what is used of it above so many units in a month"
        " (UTC)."
    )
    unit_price: str = Field(
        description="For 1,000,000 units; what was paid is the line's `unit_price`."
    )
    valid_from: str | None
    valid_to: str | None
    source: str
    reference: str | None


class PerCent(BaseModel):
    """A discount, or the surcharge of a region."""

    id: int | None
    model: str = Field(description="Whose prices it changes: a name, or its beginning with `*`.")
    percent: str
    source: str
    reference: str | None


class LineCharged(BaseModel):
    """One meter: quantity x unit price / 1,000,000 = amount, exact.

    A meter whose price depends on the month's volume has a line for each step that it is in.
    """

    meter: str
    quantity: int
    amount: str
    currency: str
    unit_price: str = Field(
        description="For 1,000,000 units: our contract's, or the list's less the discount."
    )
    list_amount: str | None = Field(description="At list price. Null: no list has it.")
    list_unit_price: str | None = Field(description="With the surcharge of the region.")
    uplift: PerCent | None = Field(description="The surcharge.")
    discount: PerCent | None
    price: PriceUsed


class ShareCharged(BaseModel):
    """A share of a pool-hour: place_amount x work / place_work.

    The place is the call's quarter hour, owner, route and size of prompt.
    """

    pool_id: int
    pool: str
    hour: str | None = Field(description="The hour that was split, UTC.")
    cost_per_hour: str = Field(description="What that hour cost.")
    work: str = Field(
        description="What the call weighed in the split: work units, where nothing else is agreed."
    )
    place_work: str = Field(description="What all calls at its place weighed.")
    place_amount: str = Field(description="What the ledger charges its place.")


class HowItCost(BaseModel):
    """How the cost came about."""

    reason: str
    method: str | None = Field(description="The rule, with its version.")
    posted: bool = Field(description="Whether the ledger has it.")
    prompt_band: int = Field(description="Which prices by size of the prompt apply.")
    lines: list[LineCharged]
    share: ShareCharged | None


class SightingAnswer(BaseModel):
    """What one emitter reported of the call."""

    trace_id: str
    span_id: str
    parent_span_id: str | None
    started_at: str
    duration_ms: float | None
    ttft_ms: float | None
    outcome: str
    role: str = Field(description="`call`, `server` or `aggregate`.")
    standing: str = Field(description="`counts`, `merged` or `held`: it repeats others.")
    evidence: str = Field(description="Why it is of this call.")
    scope: str = Field(description="The instrumentation that reported it.")
    version: str | None
    dialect: str
    team: str
    response_id_sha256: str | None = Field(
        description="First 16 hex digits of the SHA-256 of the provider's id of its answer; the id"
        " itself is not kept."
    )
    usage: dict[str, int]


class ExplainedCall(CallAnswer):
    """A call, how its cost came about, and who saw it."""

    counts: bool = Field(description="False: it repeats other calls, and is not in the reports.")
    cost: str | None = Field(
        description="In `currency`: the sum of the lines, exact; or a share of a pool, rounded to"
        " 12 decimals. Null where it is unknown: see `how.reason`."
    )
    currency: str
    how: HowItCost
    sightings: list[SightingAnswer] = Field(description="Best witness of its usage first.")
    usage_conflict: bool = Field(description="Whether the sightings contradict each other.")
    details: dict[str, Any] = Field(description="What else was told of it.")
    archived: bool = Field(
        description="Whether it was read from the archive, as its day is no longer kept."
    )


class ListedCallAnswer(CallAnswer):
    """A call of a page, with its cost: how that came about, the call itself tells."""

    cost: str | None = Field(
        description="In `currency`, 12 decimals at most. Null where it is unknown."
    )
    currency: str


class CallsAnswer(BaseModel):
    """A page of calls."""

    calls: list[ListedCallAnswer] = Field(description="Latest first.")
    next: str | None = Field(description="`cursor` of the next page; null: this is the last.")
    listed_from: str | None = Field(
        description="Calls that began before this are not listed, as their days are no longer"
        " kept; each is found by its ids, where it was archived. Null: none of the time asked for."
    )


def listed_call(call: ListedCall, cost: CallCost, currency: str) -> ListedCallAnswer:
    """A call of a page with its cost; ``currency`` is what goes without saying."""
    row = call.row
    return ListedCallAnswer(
        trace_id=row.trace_id.hex,
        span_id=unsigned(row.span_id),
        started_at=instant(row.start_at) or "",
        duration_ms=_ms(row.duration_us),
        ttft_ms=_ms(row.ttft_us),
        outcome=Outcome(row.outcome).name.lower(),
        owner=_owner(call.owner),
        payer=_owner(call.payer),
        route=_route(call.route),
        usage=_told(call.usage),
        cost=None if cost.amount is None else plain(cost.amount),
        currency=cost.currency or currency,
    )


def explained_call(
    call: FoundCall, cost: CallCost, currency: str, *, payer: Owner
) -> ExplainedCall:
    """A call with its cost and who pays it."""
    prompt = sum(call.usage.get(name, 0) for name in INPUTS)
    return ExplainedCall(
        trace_id=call.trace_id.hex,
        span_id=unsigned(call.span_id),
        started_at=instant(call.start_at) or "",
        duration_ms=_ms(call.duration_us),
        ttft_ms=_ms(call.ttft_us),
        outcome=call.outcome.name.lower(),
        owner=_owner(call.owner),
        payer=_owner(payer),
        route=_route(call.route),
        usage=_told(call.usage),
        counts=call.counts,
        cost=None if cost.amount is None else plain(cost.amount),
        currency=cost.currency or currency,
        how=HowItCost(
            reason=cost.reason,
            method=cost.method,
            posted=cost.posted,
            prompt_band=band_of(prompt),
            lines=[_line(line) for line in cost.lines],
            share=None if cost.share is None else _share(cost.share, call),
        ),
        sightings=[_sighting(stored, evidence) for stored, evidence in call.sightings],
        usage_conflict=call.usage_conflict,
        details=dict(call.details),
        archived=call.archived,
    )


def _owner(owner: Owner) -> OwnerAnswer:
    return OwnerAnswer(**{name: getattr(owner, name) for name in OwnerAnswer.model_fields})


def _route(route: Route) -> RouteAnswer:
    return RouteAnswer(**{name: getattr(route, name) for name in RouteAnswer.model_fields})


def _told(usage: Any) -> dict[str, int]:
    return {meter.asked_as: usage[meter.name] for meter in METERS if meter.name in usage}


def _line(line: Line) -> LineCharged:
    price = line.price
    return LineCharged(
        meter=line.meter,
        quantity=line.quantity,
        amount=plain(line.amount),
        currency=line.price.currency,
        unit_price=plain(line.rate.unit_price),
        list_amount=None if line.list_amount is None else plain(line.list_amount),
        list_unit_price=(
            None if line.rate.list_unit_price is None else plain(line.rate.list_unit_price)
        ),
        uplift=_per_cent(line.rate.uplift),
        discount=_per_cent(line.rate.discount),
        price=PriceUsed(
            id=price.id,
            book=price.book,
            provider=price.provider,
            model=price.model,
            meter=price.meter,
            region=price.region,
            service_tier=price.service_tier,
            above_tokens=price.above_tokens,
            above_monthly=price.above_monthly,
            unit_price=plain(price.unit_price),
            valid_from=instant(price.valid_from),
            valid_to=instant(price.valid_to),
            source=price.source,
            reference=price.reference,
        ),
    )


def _per_cent(discount: Discount | None) -> PerCent | None:
    if discount is None:
        return None
    return PerCent(
        id=discount.id,
        model=discount.model,
        percent=f"{discount.percent.normalize():f}",
        source=discount.source,
        reference=discount.reference,
    )


def _share(share: PoolShare, call: FoundCall) -> ShareCharged:
    return ShareCharged(
        pool_id=share.pool.id,
        pool=share.pool.name,
        hour=instant(hour_of(call.start_at)),
        cost_per_hour=plain(share.hour_cost),
        work=f"{share.work.normalize():f}",
        place_work=f"{share.place_work.normalize():f}",
        place_amount=plain(share.place_amount),
    )


def _sighting(stored: Stored, evidence: str) -> SightingAnswer:
    seen = stored.sighting
    parent = seen.parent_span_id
    return SightingAnswer(
        trace_id=seen.trace_id.hex,
        span_id=unsigned(seen.span_id),
        parent_span_id=None if parent is None else unsigned(parent),
        started_at=instant(seen.start_at) or "",
        duration_ms=_ms(seen.duration_us),
        ttft_ms=_ms(seen.ttft_us),
        outcome=seen.outcome.name.lower(),
        role=seen.role.name.lower(),
        standing=stored.standing.name.lower(),
        evidence=evidence,
        scope=seen.emitter.scope,
        version=seen.emitter.version,
        dialect=seen.emitter.dialect,
        team=seen.owner.team,
        response_id_sha256=seen.response_id,
        usage=_told(seen.usage),
    )


def _ms(microseconds: int | None) -> float | None:
    return None if microseconds is None else microseconds / 1000
