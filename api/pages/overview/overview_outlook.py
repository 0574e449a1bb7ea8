"""What the month should come to: by the method that budgets are expected by, on all spend.

What is left of the month is expected once a quarter of an hour, as the job does for budgets: it
reads half a year. What is spent is always that of now.
"""

from dataclasses import replace
from datetime import UTC, timedelta
from decimal import Decimal
from typing import Final

from fastapi import Request
from sqlalchemy.orm import Session

from api.pages.overview.answer_cache import kept_of
from api.pages.overview.overview_month import ShownMonth
from api.pages.visitor import Visitor
from spend.budgets.outlooks import Asked, Outlook, outlooks
from spend.money import EXACT
from store.budgets.day_series import day_series

_OF_ALL: Final = 0
_NOTHING: Final = Decimal(0)


def month_outlook(
    request: Request,
    session: Session,
    tenant: int,
    visitor: Visitor,
    shown: ShownMonth,
    spent: Decimal,
) -> Outlook | None:
    """Of what the visitor may see; None: the month does not go on. Converted at daily rates."""
    if not shown.is_present:
        return None
    key = ("rest", tenant, visitor.team, visitor.currency, shown.period)
    rest = kept_of(request).get(key, shown.through, lambda: _rest(session, tenant, visitor, shown))
    return _with(rest, spent)


def _rest(session: Session, tenant: int, visitor: Visitor, shown: ShownMonth) -> Outlook:
    currency = visitor.currency
    wanted = {} if visitor.team is None else {"team": (visitor.team,)}
    last = shown.through.astimezone(UTC).date() - timedelta(days=1)
    series = day_series(session, tenant, [wanted], {currency}, last=last, now=visitor.now)
    asked = Asked(_OF_ALL, 1, shown.period, wanted, currency, _NOTHING)
    return outlooks([asked], series, through=shown.through, made_at=visitor.now)[_OF_ALL]


def _with(rest: Outlook, spent: Decimal) -> Outlook:
    forecast = rest.forecast
    if forecast is None:
        return rest
    return replace(
        rest,
        forecast=replace(
            forecast,
            expected=EXACT.add(spent, forecast.expected),
            low=EXACT.add(spent, forecast.low),
            high=EXACT.add(spent, forecast.high),
        ),
    )
