"""What the month should come to: by the method that budgets are expected by, on all spend."""

from datetime import UTC, timedelta
from decimal import Decimal

from sqlalchemy.orm import Session

from api.pages.overview_month import ShownMonth
from api.pages.visitor import Visitor
from spend.outlooks import Asked, Outlook, outlooks
from store.day_series import day_series

_OF_ALL = 0


def month_outlook(
    session: Session, tenant: int, visitor: Visitor, shown: ShownMonth, spent: Decimal
) -> Outlook | None:
    """Of what the visitor may see; None: the month does not go on. Converted at daily rates."""
    if not shown.is_present:
        return None
    currency = visitor.currency
    wanted = {} if visitor.team is None else {"team": (visitor.team,)}
    last = shown.through.astimezone(UTC).date() - timedelta(days=1)
    series = day_series(session, tenant, [wanted], {currency}, last=last, now=visitor.now)
    asked = Asked(_OF_ALL, 1, shown.period, wanted, currency, spent)
    return outlooks([asked], series, through=shown.through, made_at=visitor.now)[_OF_ALL]
