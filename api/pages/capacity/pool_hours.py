"""How full a pool's hours were, and how one of them was split."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api.capacity.pools import PoolId
from api.dependencies import Reading, Tenant
from api.grouping import wrong
from api.instants import DATE, INSTANT
from api.pages.asked import Text
from api.pages.capacity.capacity_board import share
from api.pages.capacity.pool_shown import PoolShown, head, pool_shown
from api.pages.charts import Chart, Legend
from api.pages.links import here
from api.pages.ranges import RangeAsked
from api.pages.shell import page
from api.pages.tables import Cell, Column, Held, Table
from api.pages.visitor import Visiting, Visitor
from reports.charts.palette import ACCENT, GRID
from reports.charts.palette import IDLE as IDLE_COLOUR
from reports.charts.pool_charts import HourUse, hours_map
from spend import money
from spend.capacity.economics import Economics, token_cost
from spend.capacity.pools import HOUR
from spend.moments import moment_text
from spend.owners import IDLE, UNALLOCATED
from spend.periods import Period, local_day
from store.capacity import pool_board, pool_hours
from store.capacity.pool_hours import PoolHour
from store.capacity.pool_use import pool_use

router = APIRouter(include_in_schema=False)

MOST_DAYS: Final = 31
"""That have a row each; beyond, weekdays have."""
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class HoursAsked(RangeAsked):
    """A time, and an hour or a day of it to look into."""

    day: Annotated[Text | None, Query(description="A local day.")] = None
    hour: Annotated[Text | None, Query(description="The start of an hour of UTC.")] = None


@dataclass(frozen=True, slots=True)
class Split:
    """One hour, and who was charged what of it."""

    hour: PoolHour
    economics: Economics


@router.get("/capacity/{pool_id}/hours")
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    pool_id: PoolId,
    query: Annotated[HoursAsked, Query()],
) -> Response:
    """Each hour of a month by how much of it was used; one of them split."""
    of = pool_shown(session, tenant, visitor, query, pool_id)
    period = pool_board.full_hours(of.asked.period)
    settled = pool_hours.hours(session, tenant, of.pool.id, period.start, period.end)
    chosen = _chosen(settled, query, visitor)
    day = _day(settled, query, chosen, visitor)
    split = None if chosen is None else _split(session, tenant, of, chosen, visitor)
    tables = {
        "day": _day_table(request, _of_day(settled, day, visitor), of, chosen, visitor),
        "every-hour": _every_hour(settled, of),
        "split": _split_table(split, of),
        "components": _components(split, of),
    }
    return page(
        request,
        visitor,
        "pool_hours.html",
        tables=tables,
        chart=_map(settled, of, visitor),
        settled=settled,
        split=split,
        chosen=chosen,
        day=day,
        by_weekday=len(of.days) > MOST_DAYS,
        sums=None if split is None else _sums(split),
        busy=None if split is None else used_of(split.hour),
        **head(request, session, visitor, of, "/hours"),
    )


def used_of(hour: PoolHour) -> Decimal:
    """How much of an hour calls used, 0 to 1: by its cost, or by its work where it cost nothing."""
    busy = money.EXACT.subtract(hour.cost, hour.idle)
    of_cost = share(busy, hour.cost)
    if of_cost is not None:
        return of_cost
    of_work = share(hour.work_units, hour.capacity) if hour.capacity else None
    return min(of_work or Decimal(0), Decimal(1))


def _chosen(settled: Sequence[PoolHour], query: HoursAsked, visitor: Visitor) -> PoolHour | None:
    """The hour that was asked for, else the last one that was used, of the day if one is said."""
    if query.hour is not None:
        if not INSTANT.fullmatch(query.hour.replace(" ", "+")):
            raise wrong("hour", f"{query.hour[:100]!r} is no hour such as 2026-11-03T14:00:00Z")
        try:
            at = datetime.fromisoformat(query.hour.replace(" ", "+").upper())
        except ValueError as error:
            raise wrong("hour", str(error)[:200]) from None
        return next((each for each in settled if each.hour == at), None)
    among = settled
    if query.day is not None:
        among = _of_day(settled, _said_day(query.day), visitor)
    used = [each for each in among if each.idle < each.cost]
    found = used or among
    return found[-1] if found else None


def _said_day(text: str) -> date:
    try:
        if DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise wrong("day", f"{text[:100]!r} is no day such as 2026-11-03")


def _day(
    settled: Sequence[PoolHour], query: HoursAsked, chosen: PoolHour | None, visitor: Visitor
) -> date | None:
    if query.day is not None:
        return _said_day(query.day)
    last = chosen or (settled[-1] if settled else None)
    return None if last is None else local_day(last.hour, visitor.zone)


def _of_day(settled: Sequence[PoolHour], day: date | None, visitor: Visitor) -> list[PoolHour]:
    return [each for each in settled if local_day(each.hour, visitor.zone) == day]


def _map(settled: Sequence[PoolHour], of: PoolShown, visitor: Visitor) -> Chart | None:
    """Squares of hours: a row a day, or a weekday where there are many days."""
    if not settled:
        return None
    many = len(of.days) > MOST_DAYS
    squares: dict[tuple[str, int], list[PoolHour]] = defaultdict(list)
    for each in settled:
        local = each.hour.astimezone(visitor.zone)
        row = WEEKDAYS[local.weekday()] if many else _row_name(local.date())
        squares[row, local.hour].append(each)
    rows = list(WEEKDAYS) if many else [_row_name(day) for day in of.days]
    uses = [_square(row, hour, found, visitor) for (row, hour), found in squares.items()]
    cost = money.total([each.cost for each in settled])
    idle = money.total([each.idle for each in settled])
    used = share(money.EXACT.subtract(cost, idle), cost)
    legend = (
        Legend("Idle: used by no call", GRID),
        Legend("Used: the stronger, the fuller", ACCENT),
    )
    title = f"How full each hour was; {visitor.formats.percent(used)} of all that was paid"
    return Chart(hours_map(rows, uses, currency=of.pool.currency), title, legend)


def _row_name(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b}"


def _square(row: str, hour: int, found: Sequence[PoolHour], visitor: Visitor) -> HourUse:
    cost = money.total([each.cost for each in found])
    idle = money.total([each.idle for each in found])
    told = f"{row}, {hour:02d}:00"
    if len(found) == 1:
        told = visitor.formats.when(found[0].hour)
    used = sum((used_of(each) for each in found), Decimal(0)) / len(found)
    return HourUse(row, hour, round(used, 4), told, cost, idle)


def _row(each: PoolHour) -> dict[str, Held | Cell]:
    return {
        "hour": each.hour,
        "used": Cell(used_of(each), bar=""),
        "cost": each.cost,
        "idle_cost": Cell(each.idle, tone="quiet"),
        "work_units": each.work_units,
        "capacity": each.capacity,
        "method": each.method,
    }


_COLUMNS: Final = (
    Column("hour", "Hour", "when"),
    Column("used", "Used", "percent", "Of the cost, what calls were charged"),
    Column("cost", "Cost", "money"),
    Column("idle_cost", "Idle", "money"),
    Column("work_units", "Work", "short", "Work units that were done", narrow=False),
)


def _day_table(
    request: Request,
    hours: Sequence[PoolHour],
    of: PoolShown,
    chosen: PoolHour | None,
    visitor: Visitor,
) -> Table:
    """The hours of one day, each a way to how it was split."""
    rows = []
    for each in hours:
        href = f"{here(request, hour=moment_text(each.hour), day=None)}#split"
        is_chosen = each == chosen
        clock = each.hour.astimezone(visitor.zone).strftime("%H:%M")
        hour = Cell(each.hour, show=clock, href=None if is_chosen else href)
        rows.append(_row(each) | {"hour": replace(hour, tone="here") if is_chosen else hour})
    day = visitor.formats.day(local_day(hours[0].hour, visitor.zone)) if hours else "the day"
    return Table(
        columns=_COLUMNS,
        rows=rows,
        caption=f"The hours of {day}",
        file=f"{of.file}-day",
        currency=of.pool.currency,
        empty="No hour of this day is posted.",
    )


def _every_hour(settled: Sequence[PoolHour], of: PoolShown) -> Table:
    """All hours of the range: for CSV alone."""
    more = (
        Column("capacity", "Capacity", "short", "Work units that it could do"),
        Column("method", "Method"),
    )
    return Table(
        columns=(*_COLUMNS, *more),
        rows=[_row(each) for each in settled],
        caption="Every hour",
        file=f"{of.file}-hours",
        currency=of.pool.currency,
    )


def _split(session: Session, tenant: int, of: PoolShown, hour: PoolHour, visitor: Visitor) -> Split:
    period = Period(hour.hour, hour.hour + HOUR)
    economics, _bands = pool_use(session, tenant, of.pool, period, visitor.zone)
    return Split(hour, economics)


def _sums(split: Split) -> dict[str, Decimal]:
    whole = split.economics
    nobody = money.total(
        [use.busy_cost for team, use in whole.by_team.items() if team == UNALLOCATED]
    )
    return {
        "teams": money.EXACT.subtract(whole.whole.busy_cost, nobody),
        "unallocated": nobody,
        "idle": whole.idle_cost,
        "cost": split.hour.cost,
        "off": money.EXACT.subtract(split.hour.cost, whole.cost),
    }


def _split_table(split: Split | None, of: PoolShown) -> Table:
    rows: list[dict[str, Any]] = []
    lines = [] if split is None else split.economics.teams("own")
    cost = Decimal(0) if split is None else split.hour.cost
    for line in sorted(lines, key=lambda each: each.team == IDLE):
        is_idle = line.team == IDLE
        rows.append(
            {
                "team": Cell(
                    line.team or "unknown",
                    colour=IDLE_COLOUR if is_idle else None,
                    note="used by no call" if is_idle else None,
                    tone="quiet" if is_idle or line.team == UNALLOCATED else "",
                ),
                "calls": None if is_idle else line.use.calls,
                "tokens": None if is_idle else line.use.tokens,
                "cost": line.cost,
                "share": share(line.cost, cost),
                "per_million_tokens": token_cost(line.cost, line.use.usage).blended,
            }
        )
    return Table(
        columns=(
            Column("team", "Team"),
            Column("calls", "Calls", "number"),
            Column("tokens", "Tokens", "short", narrow=False),
            Column("cost", "Cost", "money"),
            Column("share", "Share", "percent"),
            Column("per_million_tokens", "1 M tokens", "money", narrow=False),
        ),
        rows=rows,
        caption="Split over",
        file=f"pool-{of.pool.id}-split",
        currency=of.pool.currency,
        total=None
        if split is None
        else {
            "team": "The hour",
            "calls": split.economics.whole.calls,
            "tokens": split.economics.whole.tokens,
            "cost": cost,
            "share": share(cost, cost),
            "per_million_tokens": split.economics.allocation.blended,
        },
        empty="No hour is chosen.",
    )


def _components(split: Split | None, of: PoolShown) -> Table:
    parts = () if split is None else split.hour.components
    return Table(
        columns=(
            Column("component", "Component"),
            Column("cost", "Cost", "money"),
            Column("kwh", "kWh", "number", "At the machines, without PUE", narrow=False),
        ),
        rows=[{"component": part.name, "cost": part.amount, "kwh": part.kwh} for part in parts],
        caption="Made of",
        file=f"pool-{of.pool.id}-hour",
        currency=of.pool.currency,
        empty="Nothing was in force in this hour.",
    )
