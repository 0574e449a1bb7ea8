"""Reads what is needed to expect something of budgets' present periods, in a few statements."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from spend.budgets.budget_periods import period_of
from spend.budgets.budgets import Budget
from spend.budgets.outlooks import Asked, Outlook, outlooks
from spend.periods import Period
from store.budgets.budget_spend import read_spend
from store.budgets.day_series import day_series
from store.completeness import complete_until


def present_outlooks(
    session: Session, tenant: int, budgets: Iterable[Budget], now: datetime
) -> tuple[dict[int, Outlook], dict[int, Period]]:
    """What each budget's present period should come to, and which one that is, by budget.

    A budget that has no period now is in neither; one that cannot be looked at harms no other.
    """
    through = min(now, complete_until(session) or now)
    found: dict[int, Outlook] = {}
    present: dict[int, Period] = {}
    held: list[Budget] = []
    for budget in budgets:
        try:
            period = period_of(budget.terms, now)
        except Exception as error:  # noqa: BLE001  # a zone that this machine does not have, ...
            found[budget.id] = Outlook(None, str(error)[:200])
            continue
        if period is not None:
            present[budget.id] = period
            held.append(budget)
    if not held:
        return found, present
    filters = [each.terms.filter for each in held]
    currencies = {each.terms.currency for each in held}
    read = read_spend(session, tenant, present.values(), filters, currencies, now=now)
    asked = []
    for budget in held:
        terms, its = budget.terms, present[budget.id]
        try:
            spent = read.on(terms.filter, terms.currency, its).amount
        except KeyError as unknown:
            found[budget.id] = Outlook(None, f"{unknown.args[0]!r} is not known to this version")
            continue
        asked.append(Asked(budget.id, budget.version, its, terms.filter, terms.currency, spent))
    last = through.astimezone(UTC).date() - timedelta(days=1)
    series = day_series(session, tenant, filters, currencies, last=last, now=now)
    return found | outlooks(asked, series, through=through, made_at=now), present
