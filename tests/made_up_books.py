"""Rows of a month's books, as ``store/booked.py`` reads them, made up."""

from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from spend.booked import USAGE, Booked
from spend.fiscal import Calendar
from spend.totals import Totals

CALENDAR = Calendar(ZoneInfo("UTC"))
OCTOBER = CALENDAR.named("2026-10")
SEPTEMBER = CALENDAR.previous(OCTOBER)


def money(
    team: str,
    provider: str | None,
    model: str | None,
    *,
    cost: Decimal,
    listed: Decimal | None = None,
    contracted: Decimal | None = None,
    billed: Decimal | None = None,
    currency: str = "USD",
    kind: str = USAGE,
    place: tuple[str | None, str | None] = ("api", None),
    belongs_to: date | None = None,
) -> Booked:
    """Money in four bases; what is not given is as ``cost``, but for the list cost."""
    totals = Totals(
        cost=cost,
        list_cost=listed,
        contracted_cost=cost if contracted is None else contracted,
        billed_cost=cost if billed is None else billed,
    )
    return _row((team, provider, model), kind, currency, place, belongs_to, totals)


def usage(
    team: str,
    provider: str | None,
    model: str | None,
    *,
    calls: int,
    unpriced_calls: int = 0,
    unpriced_tokens: int = 0,
    place: tuple[str | None, str | None] = ("api", None),
    belongs_to: date | None = None,
    **meters: int,
) -> Booked:
    totals = Totals(
        calls=calls,
        unpriced_calls=unpriced_calls,
        unpriced_tokens=unpriced_tokens,
        usage=meters,
    )
    return _row((team, provider, model), None, None, place, belongs_to, totals)


def _row(
    line: tuple[str, str | None, str | None],
    kind: str | None,
    currency: str | None,
    place: tuple[str | None, str | None],
    belongs_to: date | None,
    totals: Totals,
) -> Booked:
    return Booked(
        team=line[0],
        provider=line[1],
        model=line[2],
        deployment=place[0],
        region=place[1],
        kind=kind,
        currency=currency,
        belongs_to=belongs_to,
        day=None,
        totals=totals,
    )
