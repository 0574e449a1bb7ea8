"""What if: what calls cost, beside what they would have cost elsewhere. Nothing is written."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api.dependencies import Reading, Tenant
from api.pages.capacity.what_if_asked import GROUPS, TIERS, Asking, WhatIfPageAsked, answered
from api.pages.capacity.what_if_words import Told, told_of
from api.pages.charts import Chart, Legend
from api.pages.explore.filters import named
from api.pages.ranges import Range, name_of, range_of
from api.pages.shell import page
from api.pages.tables import Cell, Column, Table, sorted_rows
from api.pages.visitor import Visiting, Visitor
from reports.charts.palette import NOBODY, OWN, hue_of
from reports.charts.what_if_chart import Side, beside_each_other
from spend.capacity.what_if import Answer, Key, Rated, WhatIf, difference
from spend.capacity.what_if_terms import UNKNOWN
from spend.slots import slot_of
from store.capacity import pools
from store.completeness import complete_until
from store.prices.offers import priced_targets
from store.spending.seen_values import seen_values

router = APIRouter(include_in_schema=False)

MOST_BARS: Final = 8
"""Groups that are drawn, the dearest."""


@router.get("/what-if")
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    query: Annotated[WhatIfPageAsked, Query()],
) -> Response:
    """The form, and the answer where a place was named."""
    time = range_of(visitor, query)
    every = pools.all_pools(session, tenant)
    asking = Asking(None, None)
    if query.is_asked:
        asking = answered(session, tenant, visitor, query, time, every)
    found = asking.found
    tables = {} if found is None else _tables(found, query, time, visitor)
    return page(
        request,
        visitor,
        "what_if.html",
        title="What if",
        status=422 if asking.problem else 200,
        tables=tables,
        query=query,
        asking=asking,
        asked=time,
        name=name_of(time, visitor),
        found=found,
        answers=[] if found is None else _told(found, visitor),
        chart=None if found is None else _chart(found, query, visitor),
        unknown=UNKNOWN,
        groups=GROUPS,
        tiers=TIERS,
        complete=complete_until(session),
        pools=[] if visitor.team else [(each.name, named(each.name)) for each in every],
        **_offered(session, tenant, time, visitor),
    )


def _offered(session: Session, tenant: int, time: Range, visitor: Visitor) -> dict[str, Any]:
    """What can be chosen: values of calls, and models that have a price."""
    seen = seen_values(session, visitor.question(time.period), tenant)
    providers = [each for each in seen.get("provider", ()) if each]
    targets = priced_targets(
        session, tenant, providers, currency=visitor.currency, at=slot_of(visitor.now)
    )
    return {
        "seen": {
            name: {each: named(each) for each in values if each} for name, values in seen.items()
        },
        "targets": [each.name for each in targets],
    }


def _told(found: WhatIf, visitor: Visitor) -> list[Told]:
    return [told_of(found, answer, visitor.formats, visitor.currency) for answer in found.there]


def _tables(
    found: WhatIf, query: WhatIfPageAsked, time: Range, visitor: Visitor
) -> dict[str, Table]:
    """By group, a cost and a difference for each place."""
    title = dict(GROUPS)[query.by]
    columns = [
        Column(query.by, title),
        Column("calls", "Calls", "number", narrow=False),
        Column(
            "cost", "Now", "money", "Charges, with their part of idle hours of pools", narrow=False
        ),
    ]
    for answer in found.there:
        several = len(found.there) > 1
        columns += [
            Column(f"cost {answer.name}", answer.name if several else "There", "money"),
            Column(f"difference {answer.name}", "Difference", "difference", "Below 0: less there"),
        ]
    rows = [_row(key, found, query.by) for key in found.here]
    sort = query.sort or "-cost"
    if sort.removeprefix("-") not in {column.name for column in columns}:
        sort = "-cost"
    whole: dict[str, Any] = {
        query.by: "All",
        "calls": found.whole.totals.calls,
        "cost": found.whole.cost,
    }
    for answer in found.there:
        whole |= _there(found, answer, None)
    return {
        "groups": Table(
            columns=columns,
            rows=sorted_rows(rows, sort),
            caption=f"By {title.lower()}",
            file=f"what-if-{time.file}",
            currency=visitor.currency,
            total=whole,
            empty="No calls fit in this time.",
            sort=sort,
        )
    }


def _row(key: Key, found: WhatIf, by: str) -> dict[str, Any]:
    here = found.here[key]
    unpriced = here.totals.unpriced_calls
    row: dict[str, Any] = {
        by: Cell(key[0], show=named(key[0])),
        "calls": here.totals.calls,
        "cost": Cell(here.cost, note=f"{unpriced:,} without a price" if unpriced else None),
    }
    for answer in found.there:
        row |= _there(found, answer, key)
    return row


def _there(found: WhatIf, answer: Answer, key: Key | None) -> dict[str, Cell]:
    here = found.whole if key is None else found.here[key]
    there = answer.whole if key is None else answer.by_group.get(key, Rated())
    more = difference(here, there)
    missing = f"{there.unpriced_calls:,} calls not known" if there.unpriced_calls else None
    if there.of_unpriced and missing is None:
        missing = f"{there.of_unpriced:,.2f} of it has no price now"
    tone = "" if not more else ("bad" if more > 0 else "good")
    return {
        f"cost {answer.name}": Cell(there.cost, note=missing),
        f"difference {answer.name}": Cell(more, tone=tone),
    }


def _chart(found: WhatIf, query: WhatIfPageAsked, visitor: Visitor) -> Chart | None:
    """Now beside there, of the dearest groups."""
    dearest = sorted(found.here.items(), key=lambda row: -(row[1].cost or Decimal(0)))[:MOST_BARS]
    if not dearest or not any(here.cost for _key, here in dearest):
        return None
    names = _names([key for key, _here in dearest])
    sides = [Side("now", NOBODY, {names[key]: here.cost for key, here in dearest})]
    for answer in found.there:
        amounts = {names[key]: answer.by_group.get(key, Rated()).cost for key, _here in dearest}
        if any(amount is not None for amount in amounts.values()):
            sides.append(Side(answer.name, _colour(answer), amounts))
    legend = tuple(
        Legend("Now, as they were" if side.name == "now" else side.name, side.colour)
        for side in sides
    )
    title = f"What calls cost now, and there, by {query.by}"
    spec = beside_each_other(list(names.values()), sides, currency=visitor.currency)
    return Chart(spec, title, legend)


def _names(keys: Sequence[Key]) -> Mapping[Key, str]:
    """Groups by a short name each, no two the same."""
    found: dict[Key, str] = {}
    for key in keys:
        name = named(key[0])
        found[key] = name if name not in found.values() else f"{name} {len(found) + 1}"
    return found


def _colour(answer: Answer) -> str:
    if "/" not in answer.name or answer.on_pool is not None:
        return OWN
    return hue_of(answer.name.partition("/")[0])
