"""What is wrong with a month and nobody's to settle: it can be closed if somebody accepts it."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from spend.currencies.exchange import DAILY
from spend.money import rounded
from spend.months.months import LedgerMonth, Warned
from spend.periods import Period
from store import rates
from store.bills import reconcile
from store.breakdowns.booked_time import booked_in
from store.intake.heard_counts import refused_in_earnest
from store.prices.unpriced import unpriced
from store.tables.bills import bill_lines, bills
from store.tables.budgets import crossings, outbox
from store.tables.heard import batches, routes
from store.tables.ledger import charges

DEAD_LETTERS: Final = "dead-letters"
REFUSED: Final = "refused"
UNPRICED: Final = "unpriced"
BILLS: Final = "bills"
DIFFERENCES: Final = "differences"
RATES: Final = "rates"
NAMES: Final = (DEAD_LETTERS, REFUSED, UNPRICED, BILLS, DIFFERENCES, RATES)
"""All that a warning can be called."""

_MOST_NAMED: Final = 10
"""Of models without a price: the rest is a number."""
_MOST_COUNTED: Final = 1000


def warnings(
    session: Session, tenant: int, month: LedgerMonth, *, currency: str, now: datetime
) -> list[Warned]:
    """What somebody has to accept before a month is closed, each with its volume.

    ``currency``: what reports are in. ``now`` (UTC): up to when there are exchange rates.
    """
    period = month.period
    return [
        *_dead_letters(session, tenant, period),
        *_refused(session, tenant, period),
        *_unpriced(session, tenant, period),
        *_unbilled(session, tenant, period),
        *_differing(session, tenant, period, now),
        *_without_rates(session, tenant, month, currency, now),
    ]


def _dead_letters(session: Session, tenant: int, period: Period) -> Iterator[Warned]:
    """Alerts that nobody got: of this time, or of budgets of this time."""
    count = session.scalar(
        select(func.count())
        .select_from(
            outbox.join(
                crossings,
                and_(
                    crossings.c.tenant_id == outbox.c.tenant_id,
                    crossings.c.id == outbox.c.crossing_id,
                ),
            )
        )
        .where(
            outbox.c.tenant_id == tenant,
            outbox.c.status == "dead",
            crossings.c.period_start < period.end,
            crossings.c.crossed_at >= period.start,
        )
    )
    if count:
        yield Warned(DEAD_LETTERS, f"{_many(count, 'alert')} could not be delivered")


def _refused(session: Session, tenant: int, period: Period) -> Iterator[Warned]:
    count = session.scalar(
        select(func.sum(refused_in_earnest())).where(
            batches.c.tenant_id == tenant,
            batches.c.received_at >= period.start,
            batches.c.received_at < period.end,
        )
    )
    if count:
        yield Warned(REFUSED, f"{_many(count, 'span')} could not be understood, and were refused")


def _unpriced(session: Session, tenant: int, period: Period) -> Iterator[Warned]:
    found = unpriced(session, tenant, period.start, period.end, at_most=_MOST_COUNTED)
    if not found:
        return
    named = [
        f"{each.provider or 'no provider'} {each.model or 'no model'}"
        f" ({_many(each.calls, 'call')}, {each.reason})"
        for each in found[:_MOST_NAMED]
    ]
    more = [f"{len(found) - _MOST_NAMED} more"] if len(found) > _MOST_NAMED else []
    calls = _many(sum(each.calls for each in found), "call")
    yield Warned(UNPRICED, f"{calls} of unknown cost: {', '.join(named + more)}")


def _unbilled(session: Session, tenant: int, period: Period) -> Iterator[Warned]:
    """Of providers whose bills are imported, those that were paid and have none of this time."""
    whose = (bill_lines.c.tenant_id == tenant, bills.c.superseded_at.is_(None))
    there = bill_lines.join(
        bills, and_(bills.c.tenant_id == bill_lines.c.tenant_id, bills.c.id == bill_lines.c.bill_id)
    )
    billed = select(bill_lines.c.provider).select_from(there).where(*whose).distinct()
    in_time = (bill_lines.c.starts < period.end, bill_lines.c.ends > period.start)
    missing = set(session.scalars(billed)) - set(session.scalars(billed.where(*in_time)))
    if not missing:
        return
    spent = func.sum(charges.c.contracted_amount)
    rows = session.execute(
        select(routes.c.provider, charges.c.currency, spent)
        .join_from(
            charges,
            routes,
            and_(routes.c.tenant_id == charges.c.tenant_id, routes.c.id == charges.c.route_id),
        )
        .where(
            charges.c.tenant_id == tenant,
            booked_in(charges, period),
            routes.c.provider.in_(missing),
        )
        .group_by(routes.c.provider, charges.c.currency)
        .having(spent != 0)
        .order_by(routes.c.provider, charges.c.currency)
    )
    told = [f"{provider} ({_money(amount, code)})" for provider, code, amount in rows]
    if told:
        yield Warned(BILLS, f"no bill for what was used of: {', '.join(told)}")


def _differing(session: Session, tenant: int, period: Period, now: datetime) -> Iterator[Warned]:
    found = reconcile.open_differences(session, tenant, period, now=now)
    if found:
        yield Warned(DIFFERENCES, f"bills that are not explained: {'; '.join(found)}")


def _without_rates(
    session: Session, tenant: int, month: LedgerMonth, currency: str, now: datetime
) -> Iterator[Warned]:
    spent, moved = func.sum(charges.c.amount), func.sum(func.abs(charges.c.amount))
    rows = session.execute(
        select(charges.c.currency, spent, moved)
        .where(charges.c.tenant_id == tenant, booked_in(charges, month.period))
        .group_by(charges.c.currency)
        .order_by(charges.c.currency)
    )
    # What comes to no coin, as a canary's calls, is in no statement at any rate.
    others = {
        code: amount for code, amount, most in rows if code != currency and rounded(most, code)
    }
    if not others:
        return
    zone = month.calendar.zone
    exchange = rates.exchange(
        session, tenant, list(others), month.period, zone, to=currency, policy=DAILY, now=now
    )
    lacking = [code for code in others if exchange.of_period(code) is None]
    if lacking:
        told = ", ".join(_money(others[code], code) for code in lacking)
        yield Warned(RATES, f"no exchange rate to {currency} for {told}")


def _money(amount: Decimal, currency: str) -> str:
    return f"{rounded(amount, currency):,} {currency}"


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")
