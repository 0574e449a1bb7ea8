"""One pool: what its tokens cost, an API beside it, where it begins to pay, who used it."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api.capacity.pools import PoolId
from api.dependencies import Reading, Tenant
from api.pages.asked import Text
from api.pages.capacity.capacity_board import beside, same_weights, share, shown
from api.pages.capacity.pool_days import price_of_days
from api.pages.capacity.pool_shown import PoolShown, head, pool_shown
from api.pages.charts import Chart, Legend
from api.pages.links import here
from api.pages.ranges import RangeAsked
from api.pages.shell import page
from api.pages.tables import Cell, Column, Table
from api.pages.visitor import Visiting, Visitor
from reports.charts.break_even_chart import BreakEvenLines, Stair, break_even_chart
from reports.charts.palette import IDLE as IDLE_COLOUR
from reports.charts.palette import OWN, hue_of
from spend import money
from spend.capacity.against_api import Comparison, PoolEconomics, machines
from spend.capacity.economics import MILLION, per_million, token_cost
from spend.capacity.targets import ApiTarget, TargetRefusedError, target_named
from spend.owners import IDLE, UNALLOCATED
from spend.slots import slot_of
from store.capacity.pool_economics import book_of, pool_economics
from store.prices.offers import offers_of

router = APIRouter(include_in_schema=False)


class PoolAsked(RangeAsked):
    """A time, an API to hold the pool against, and who is shown to bear what nobody used."""

    against: Text | None = None
    idle: Literal["own", "weighted", "even"] = "own"


@router.get("/capacity/{pool_id}")
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    pool_id: PoolId,
    query: Annotated[PoolAsked, Query()],
) -> Response:
    """A pool's economics over a month, or other days."""
    shown_pool = pool_shown(session, tenant, visitor, query, pool_id)
    target, offers, wrong = _targets(session, tenant, shown_pool, query, visitor)
    found = _economics(session, tenant, shown_pool, offers, visitor)
    compared = dict(found.against) if found.whole.whole.tokens else {}
    if target is None and compared:
        target = min(compared, key=lambda each: _asks(compared[each]))
    against = compared.get(target) if target else None
    whole = found.whole
    tables = {
        "teams": _teams(found, query.idle, shown_pool),
        "apis": _apis(request, found, target, shown_pool),
    }
    daily, days = price_of_days(session, tenant, shown_pool, found, target, visitor)
    return page(
        request,
        visitor,
        "pool.html",
        status=422 if wrong else 200,
        tables=tables | {"days": days},
        found=found,
        whole=whole,
        idle_share=share(whole.idle_cost, whole.cost),
        busy=shown(whole.busy_share),
        of_capacity=shown(whole.of_capacity),
        own_price=whole.allocation,
        used_price=whole.used,
        target=target,
        against=against,
        api_price=None if against is None else _price(against),
        even=_even(shown_pool, found, target, against),
        daily=daily,
        wrong=wrong,
        query=query,
        offers=offers,
        sums=_sums(found),
        utilisation=None if against is None else shown(against.even.utilisation),
        **_words(found, target, against, visitor),
        **head(request, session, visitor, shown_pool, ""),
    )


def _targets(
    session: Session, tenant: int, of: PoolShown, query: PoolAsked, visitor: Visitor
) -> tuple[ApiTarget | None, list[ApiTarget], str | None]:
    """The API that was asked for, all that are compared, and what is wrong with the one."""
    at = min(slot_of(visitor.now), slot_of(of.asked.period.end - timedelta(microseconds=1)))
    currency = of.pool.currency
    known = offers_of(session, tenant, of.models, currency=currency, at=at)
    offers = same_weights(known, of.models)
    if query.against is None:
        return None, offers, None
    try:
        target = target_named(query.against)
        book_of(session, tenant, [target], currency=currency)
    except TargetRefusedError as refused:
        return None, offers, str(refused)
    return target, [target, *(each for each in offers if each != target)], None


def _economics(
    session: Session, tenant: int, of: PoolShown, targets: Sequence[ApiTarget], visitor: Visitor
) -> PoolEconomics:
    return pool_economics(
        session, tenant, of.pool, of.asked.period, visitor.zone, targets, now=visitor.now
    )


def _words(
    found: PoolEconomics, target: ApiTarget | None, against: Comparison | None, visitor: Visitor
) -> dict[str, Any]:
    """Which is cheaper, in words."""
    told, whole, currency = visitor.formats, found.whole, found.pool.currency
    if target is None or against is None:
        why = "No API has a price of this model under a name that we know: name one below."
        if not whole.whole.tokens:
            why = "No tokens are known of these hours, so there is nothing to compare."
        return {"verdict": ("", ""), "beside": "", "why_not_even": why}
    price = _price(against)
    if against.api_cost is None or price is None or whole.allocation.blended is None:
        why = against.reasons.get("api_cost") or against.reasons.get("break_even_tokens", "")
        return {"verdict": ("", why), "beside": "", "why_not_even": f"Not known: {why}."}
    verdict = beside(whole.allocation.blended, price, told)
    more = against.difference or Decimal(0)
    which = "less" if more < 0 else "more"
    said = (
        f"{target.name} would have asked {told.money(against.api_cost, currency)} for the same"
        f" calls, {told.money(abs(more), currency)} {which} than the pool cost."
    )
    return {
        "verdict": (verdict[0], f"the pool is {verdict[1]}"),
        "beside": said,
        "why_not_even": "",
    }


def _asks(compared: Comparison) -> tuple[bool, Decimal]:
    return compared.api_cost is None, compared.api_cost or Decimal(0)


def _price(compared: Comparison) -> Decimal | None:
    return None if compared.price is None else per_million(compared.price * MILLION)


def _sums(found: PoolEconomics) -> dict[str, Decimal]:
    """Σ teams + idle + unallocated, and the cost that the hours have."""
    whole = found.whole
    nobody = [use.busy_cost for team, use in whole.by_team.items() if team == UNALLOCATED]
    unallocated = money.total(nobody)
    parts = money.total([part.amount for part in whole.components])
    return {
        "teams": money.EXACT.subtract(whole.whole.busy_cost, unallocated),
        "unallocated": unallocated,
        "idle": whole.idle_cost,
        "cost": parts,
        "off": money.EXACT.subtract(parts, whole.cost),
    }


def _teams(found: PoolEconomics, view: str, of: PoolShown) -> Table:
    whole = found.whole
    rows = []
    for line in sorted(whole.teams(view), key=lambda each: each.team == IDLE):
        is_idle = line.team == IDLE
        rows.append(
            {
                "team": Cell(
                    line.team or "unknown",
                    colour=IDLE_COLOUR if is_idle else None,
                    note="paid for, and used by no call" if is_idle else None,
                    tone="quiet" if is_idle or line.team == UNALLOCATED else "",
                ),
                "calls": None if is_idle else line.use.calls,
                "tokens": None if is_idle else line.use.tokens,
                "busy_cost": line.use.busy_cost,
                "idle_cost": Cell(line.idle_cost, tone="quiet"),
                "cost": line.cost,
                "share": share(line.cost, whole.cost),
                "per_million_tokens": token_cost(line.cost, line.use.usage).blended,
            }
        )
    return Table(
        columns=(
            Column("team", "Team"),
            Column("calls", "Calls", "number", narrow=False),
            Column("tokens", "Tokens", "short", narrow=False),
            Column("busy_cost", "Busy", "money", "What its calls were charged", narrow=False),
            Column("idle_cost", "Idle", "money", "Its part of what nobody used", narrow=False),
            Column("cost", "Cost", "money"),
            Column("share", "Share", "percent", narrow=False),
            Column("per_million_tokens", "1 M tokens", "money", "Cost over all its tokens"),
        ),
        rows=rows if whole.hours else [],
        caption="Who used it",
        file=f"{of.file}-teams",
        currency=of.pool.currency,
        empty="No hour of it is posted in this time.",
        total={
            "team": "The pool",
            "calls": whole.whole.calls,
            "tokens": whole.whole.tokens,
            "busy_cost": whole.whole.busy_cost,
            "idle_cost": whole.idle_cost,
            "cost": whole.cost,
            "share": share(whole.cost, whole.cost),
            "per_million_tokens": whole.allocation.blended,
        },
    )


def _apis(request: Request, found: PoolEconomics, target: ApiTarget | None, of: PoolShown) -> Table:
    rows: list[dict[str, Any]] = []
    against = found.against if found.whole.whole.tokens else ()
    for each, compared in sorted(against, key=lambda row: _asks(row[1])):
        is_chosen = each == target
        reason = compared.reasons.get("break_even_tokens")
        rows.append(
            {
                "api": Cell(
                    each.name,
                    href=None if is_chosen else here(request, against=each.name),
                    colour=hue_of(each.provider),
                    note="held against above" if is_chosen else None,
                ),
                "api_per_million_tokens": _price(compared),
                "api_cost": Cell(compared.api_cost, note=compared.reasons.get("api_cost")),
                "difference": Cell(compared.difference, tone=_tone(compared)),
                "break_even_tokens": Cell(
                    compared.even.tokens,
                    note=None if compared.even.tokens is not None else reason,
                ),
            }
        )
    return Table(
        columns=(
            Column("api", "API"),
            Column("api_per_million_tokens", "1 M tokens", "money", "Of this mix of tokens"),
            Column("api_cost", "Would have cost", "money", narrow=False),
            Column("difference", "Against the pool", "difference", "Below 0: the API is cheaper"),
            Column(
                "break_even_tokens",
                "Break-even, tokens a month",
                "short",
                "From so many on the pool costs no more",
                narrow=False,
            ),
        ),
        rows=rows,
        caption="APIs beside it",
        file=f"{of.file}-apis",
        currency=of.pool.currency,
        empty="There is nothing to compare."
        if not found.whole.whole.tokens
        else "No API has a price of this model under a name that we know.",
    )


def _tone(compared: Comparison) -> str:
    return {"api": "bad", "pool": "good"}.get(compared.cheaper or "", "")


def _even(
    of: PoolShown, found: PoolEconomics, target: ApiTarget | None, against: Comparison | None
) -> Chart | None:
    """Cost against volume; None: there is nothing to draw."""
    if target is None or against is None or against.price is None or against.tokens_now is None:
        return None
    stairs = [Stair(step.machines, step.cost, step.up_to) for step in against.steps]
    if not stairs:
        stairs = [Stair(1, machines(found.whole).cost(1), None)]
    colour = hue_of(target.provider)
    lines = BreakEvenLines(
        stairs=stairs,
        price=against.price,
        now=against.tokens_now,
        even=against.even.tokens,
        currency=of.pool.currency,
        api=target.name,
        colour=colour,
    )
    even = against.even.tokens
    at = f"even at {even / MILLION:,.0f} M tokens a month" if even else "never even"
    legend = (
        Legend("This pool, machine by machine", OWN),
        Legend(target.name, colour, note="for the same mix of tokens"),
    )
    return Chart(break_even_chart(lines), f"Cost a month against volume: {at}", legend)
