"""What a month's days cost: by provider beside self-hosted and idle, and by team."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeVar

from fastapi import Request
from sqlalchemy.orm import Session

from api.pages.charts import Chart, Legend
from api.pages.links import elsewhere
from api.pages.overview.answer_cache import kept_of, version_of
from api.pages.overview.overview_month import ShownMonth
from api.pages.tables import Column, Table
from api.pages.visitor import Visitor
from reports.charts.palette import IDLE as GREY
from reports.charts.palette import OWN, REST, hue_of, shown_name
from reports.charts.spend_chart import Part, daily_stack
from spend.money import EXACT
from spend.owners import IDLE, UNUSED
from spend.periods import Period, day_period
from spend.providers import API, SELF_HOSTED
from spend.statements.statement_sides import exact_sum
from store.budgets.spent_apart import SpentApart, spent_apart

MOST_PROVIDERS: Final = 7
"""Told apart in the chart; the others are one part."""

_TOLD_BY: Final = ("team", "provider", "deployment")
_Place = tuple[str, str]
"""api, self-hosted or idle; and who bills, of APIs."""
_Key = TypeVar("_Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class MonthSpend:
    """What was spent in a month so far, and in the same part of the month before. Exact."""

    by_day: tuple[Mapping[_Place, Decimal], ...]
    teams: Mapping[str, Decimal]
    teams_before: Mapping[str, Decimal]
    """In the same part of the month before."""
    elsewhere: Mapping[str, Decimal]
    """Currency -> what has no rate: it is in nothing here."""

    @property
    def places(self) -> dict[_Place, Decimal]:
        """The month's sums."""
        return _summed(place for day in self.by_day for place in day.items())

    @property
    def total(self) -> Decimal:
        """All of it."""
        return exact_sum(self.teams.values())

    @property
    def before(self) -> Decimal:
        """All of the same part of the month before."""
        return exact_sum(self.teams_before.values())

    def of_kind(self, kind: str) -> Decimal:
        """What api, self-hosted or idle comes to."""
        return exact_sum(cost for (its, _), cost in self.places.items() if its == kind)


def month_spend(
    request: Request, session: Session, tenant: int, visitor: Visitor, shown: ShownMonth
) -> MonthSpend:
    """By when it was used. Days that are over, and the month before, are kept for a minute."""
    days = [day_period(day, shown.zone) for day in shown.days]
    over = len(days) if shown.today is None else shown.days.index(shown.today)

    def spent(periods: Sequence[Period]) -> SpentApart:
        asked = visitor.conversion
        return spent_apart(session, tenant, periods, _TOLD_BY, asked, shown.period)

    def spent_before() -> SpentApart:
        part = shown.same_part
        return spent_apart(session, tenant, [part], ("team",), visitor.conversion, part)

    kept, version = kept_of(request), version_of(session, tenant, visitor.now)
    past = kept.get(
        ("days", tenant, visitor.currency, shown.month, shown.zone.key, over),
        version,
        lambda: spent(days[:over]),
    )
    before = kept.get(
        ("before", tenant, visitor.currency, shown.same_part),
        version,
        spent_before,
    )
    today = spent(days[over : over + 1])
    found = [
        *_seen(past, visitor),
        *((place + over, values, cost) for place, values, cost in _seen(today, visitor)),
    ]
    by_day: list[dict[_Place, Decimal]] = [{} for _ in days]
    for place, (team, provider, deployment), amount in found:
        where = _place(team, provider, deployment)
        by_day[place][where] = EXACT.add(by_day[place].get(where, Decimal(0)), amount)
    return MonthSpend(
        by_day=tuple(by_day),
        teams=_summed((values[0], cost) for _, values, cost in found),
        teams_before=_summed((values[0], cost) for _, values, cost in _seen(before, visitor)),
        elsewhere=_summed([*past.elsewhere.items(), *today.elsewhere.items()])
        if visitor.team is None
        else {},
    )


@dataclass(frozen=True, slots=True)
class _Stacked:
    """A part of the chart, and what asks Explore for it."""

    part: Part
    asked: Mapping[str, str]


def month_chart(request: Request, visitor: Visitor, shown: ShownMonth, spend: MonthSpend) -> Chart:
    """Its days, stacked: APIs below, the largest first, then self-hosted, then idle."""
    stack = _stack(spend)
    legend = tuple(
        Legend(
            each.part.name,
            each.part.colour,
            elsewhere(request, "/explore", **shown.asked, group_by="model", **each.asked),
            visitor.formats.rounded(exact_sum(each.part.amounts), visitor.currency),
        )
        for each in stack
    )
    total = visitor.formats.money(spend.total, visitor.currency)
    month = visitor.formats.month(str(shown.month))
    parts = [each.part for each in stack]
    return Chart(
        daily_stack(shown.days, parts, currency=visitor.currency, today=shown.today, of="Provider"),
        f"Spend by day and provider in {month}, {total} in all",
        legend,
    )


def days_table(visitor: Visitor, shown: ShownMonth, spend: MonthSpend) -> Table:
    """What the chart is of, as a table; days to come have nothing."""
    parts = [each.part for each in _stack(spend)]
    known = len(shown.days) if shown.today is None else shown.days.index(shown.today) + 1
    return Table(
        columns=(
            Column("day", "Day", "day"),
            *(Column(part.name, part.name, "money") for part in parts),
        ),
        rows=[
            {"day": day} | {part.name: part.amounts[place] for part in parts}
            for place, day in enumerate(shown.days[:known])
        ],
        caption="Spend by day",
        file=f"days-{shown.month}",
        currency=visitor.currency,
    )


def _stack(spend: MonthSpend) -> list[_Stacked]:
    """From the top."""
    sums = spend.places
    apis = sorted((place for place in sums if place[0] == API), key=lambda each: -sums[each])
    told, rest = apis[:MOST_PROVIDERS], apis[MOST_PROVIDERS:]
    groups: list[tuple[str, str, list[_Place], dict[str, str]]] = [
        ("Idle", GREY, [(IDLE, "")], {"team": IDLE}),
        ("Self-hosted", OWN, [(SELF_HOSTED, "")], {"deployment": SELF_HOSTED}),
        ("Other APIs", REST, rest, {}),
        *((shown_name(p), hue_of(p), [(API, p)], {"provider": p}) for _, p in reversed(told)),
    ]
    stack: dict[str, _Stacked] = {}
    for name, colour, its, asked in groups:
        if any(place in sums for place in its):
            own = name
            while own in stack:
                own = f"{own} (API)"  # A provider may be called as a part is.
            amounts = [_of(day, its) for day in spend.by_day]
            stack[own] = _Stacked(Part(own, colour, amounts), asked)
    return list(stack.values())


def _of(day: Mapping[_Place, Decimal], its: Iterable[_Place]) -> Decimal:
    return exact_sum(day.get(place, Decimal(0)) for place in its)


def _seen(found: SpentApart, visitor: Visitor) -> list[tuple[int, tuple[str, ...], Decimal]]:
    """Place, values and cost of what they may see: their team's, where they see one only."""
    return [
        (place, values, cost)
        for (place, values), cost in found.amounts.items()
        if visitor.team in {None, values[0]}
    ]


def _place(team: str, provider: str, deployment: str) -> _Place:
    if team in {IDLE, UNUSED}:
        return IDLE, ""
    return (SELF_HOSTED, "") if deployment == SELF_HOSTED else (API, provider)


def _summed(costs: Iterable[tuple[_Key, Decimal]]) -> dict[_Key, Decimal]:
    found: defaultdict[_Key, Decimal] = defaultdict(Decimal)
    for key, cost in costs:
        found[key] = EXACT.add(found[key], cost)
    return {key: cost for key, cost in found.items() if cost}
