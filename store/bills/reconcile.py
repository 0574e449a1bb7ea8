"""Brings a bill and the estimate of its provider and period together, from sums made in Postgres.

Estimates know no accounts. So all bills of one issuer, period and currency that hold are compared
together; a difference is theirs, not one bill's.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from spend import money
from spend.currencies.exchange import DAILY
from spend.periods import Period
from spend.reconciliation.bill_pieces import Pieces, pieces_of
from spend.reconciliation.bills import Bill
from spend.reconciliation.reconcile import reconcile
from spend.reconciliation.reconciled import Reconciled
from spend.reconciliation.variance import Tolerance, Variance
from store import rates
from store.bills import bill_estimates, bill_sums, bills
from store.breakdowns.grouping import TooManyRowsError
from store.prices import listings
from store.tables.bills import bill_lines
from store.tables.bills import bills as bills_table
from store.tables.ledger import charges

_UTC: Final = ZoneInfo("UTC")


class SupersededError(ValueError):
    """The bill was replaced by a newer version: compare that one."""


class CurrenciesError(ValueError):
    """Bills of one issuer and period are in several currencies, and estimates know no accounts."""


def of_bill(
    session: Session,
    tenant: int,
    bill: Bill,
    *,
    now: datetime,
    tolerance: Tolerance | None = None,
    policy: str = DAILY,
) -> Reconciled:
    """A bill, with those of its issuer and period, beside the estimate; ``now`` is UTC.

    Raises SupersededError, CurrenciesError, NoRateError (spend/reconciliation/reconcile.py),
    TooManyRowsError.
    """
    held = [each for each in bills.held(session, tenant) if each.provider == bill.provider]
    if bill.id not in {each.id for each in held}:
        raise SupersededError(f"bill {bill.id} was replaced by a newer version")
    together = sorted(
        (each for each in held if _period(each) == _period(bill)), key=lambda each: each.id
    )
    currencies = sorted({each.currency for each in together})
    if len(currencies) > 1:
        raise CurrenciesError(
            f"bills of {bill.provider} for that time are in {' and '.join(currencies)}"
        )
    others = [each for each in held if each not in together]
    overlapping = [each for each in others if _overlap(_period(each), _period(bill))]
    beside = [each for each in others if each not in overlapping and each.currency == bill.currency]
    ids = [each.id for each in together]
    told = bill_sums.told_times(session, tenant, ids)
    pieces = pieces_of(_period(bill), told, map(_period, beside))
    near = [each for each in beside if _overlap(_period(each), pieces.whole)]
    providers = _providers(session, tenant, together)
    variance = _variance(session, tenant, together, near, providers, pieces, policy, now)
    return Reconciled(
        bills=tuple(together),
        overlapping=tuple(overlapping),
        providers=tuple(providers),
        variance=variance,
        other_services=bill_sums.for_other_services(session, tenant, ids, bill.provider),
        booked=_booked(session, tenant, bill, variance),
        tolerance=tolerance or Tolerance(),
    )


def _variance(
    session: Session,
    tenant: int,
    together: Sequence[Bill],
    near: Sequence[Bill],
    providers: Sequence[str],
    pieces: Pieces,
    policy: str,
    now: datetime,
) -> Variance:
    issuer, currency = together[0].provider, together[0].currency
    names = listings.names(session, tenant)
    said = bill_sums.billed(
        session,
        tenant,
        [each.id for each in together],
        beside=[each.id for each in near],
        pieces=pieces,
        issuer=issuer,
        names=names,
    )
    ours = bill_estimates.estimated(session, tenant, providers, pieces, names)
    exchange = rates.exchange(
        session,
        tenant,
        {each.currency for each in ours if each.currency} - {currency},
        pieces.period,
        _UTC,
        to=currency,
        policy=policy,
        now=now,
    )

    def rate_of(name: str, day: date) -> Decimal | None:
        used = exchange.rate(name, day)
        return None if used is None else used.rate

    return reconcile(
        ours,
        said,
        period=pieces.period,
        currency=currency,
        rate_of=rate_of,
        known=[_period(each) for each in near],
    )


def of_time(
    session: Session,
    tenant: int,
    period: Period,
    *,
    now: datetime,
    provider: str | None = None,
    tolerance: Tolerance | None = None,
    policy: str = DAILY,
) -> list[Reconciled]:
    """Every issuer's bills that belong to a period (UTC): whose middle it holds. By issuer."""
    return [
        of_bill(session, tenant, bill, now=now, tolerance=tolerance, policy=policy)
        for bill in first_of_each(session, tenant, period)
        if provider in {None, bill.provider}
    ]


def open_differences(
    session: Session, tenant: int, period: Period, *, now: datetime, policy: str = DAILY
) -> list[str]:
    """What of a period's bills (UTC) is not explained, for people: empty where all is.

    Bills that differ from the estimate by more than their tolerance, and have no true-up; and
    those that cannot be compared.
    """
    said = []
    for bill in first_of_each(session, tenant, period):
        try:
            found = of_bill(session, tenant, bill, now=now, policy=policy)
        except (ValueError, TooManyRowsError) as error:
            why = str(error) or "it has too many lines"
            said.append(f"{bill.provider}: bill {bill.id} cannot be compared: {why}")
            continue
        if not found.within:
            said.append(_told(found))
    return said


def first_of_each(session: Session, tenant: int, period: Period) -> list[Bill]:
    """One bill of each issuer and period that belongs to a period (UTC), by issuer and time."""
    found: dict[tuple[str, datetime, datetime], Bill] = {}
    for bill in bills.held(session, tenant, period):
        if belongs(bill, period):
            found.setdefault((bill.provider, bill.starts, bill.ends), bill)
    return [found[key] for key in sorted(found)]


def _told(found: Reconciled) -> str:
    ids = ", ".join(str(each.id) for each in found.bills)
    return (
        f"{found.provider}: bill {ids} is {found.open:+.2f} {found.currency} off the estimate"
        f" ({found.allowed:.2f} is let through)"
    )


def belongs(bill: Bill, period: Period) -> bool:
    """Whether a period holds the middle of a bill's: fiscal months have other bounds than bills."""
    middle = bill.starts + (bill.ends - bill.starts) / 2
    return period.start <= middle < period.end


def _providers(session: Session, tenant: int, together: Sequence[Bill]) -> list[str]:
    """The issuer, and providers on its bills that issue none themselves in that time."""
    ids = [each.id for each in together]
    served = set(
        session.scalars(
            select(bill_lines.c.provider)
            .where(bill_lines.c.tenant_id == tenant, bill_lines.c.bill_id.in_(ids))
            .distinct()
        )
    )
    issuing = {each.provider for each in bills.held(session, tenant, _period(together[0]))}
    return sorted({together[0].provider} | (served - issuing))


def _booked(session: Session, tenant: int, bill: Bill, variance: Variance) -> Decimal:
    """What true-ups of a bill's period come to, in its currency; of replaced versions as well.

    What they took back in another currency, at what its estimate is in the bill's.
    """
    c, period = charges.c, variance.period
    found = session.execute(
        select(c.currency, func.sum(c.billed_amount))
        .where(
            c.tenant_id == tenant,
            c.slot >= period.start,
            c.slot < period.end,
            c.bill_id.in_(versions_of(tenant, bill)),
        )
        .group_by(c.currency)
    )
    booked = 0
    for currency, amount in found:
        estimated, ours = variance.sources.get(currency, (Decimal(0), Decimal(0)))
        if currency == bill.currency:
            booked += money.atoms(amount)
        elif estimated:
            booked += round(money.atoms(amount) * Fraction(ours) / Fraction(estimated))
    return money.amount(booked)


def versions_of(tenant: int, bill: Bill) -> Select[tuple[int]]:
    """Ids of all bills of an issuer and period, those that were replaced too."""
    b = bills_table.c
    return select(b.id).where(
        b.tenant_id == tenant,
        b.provider == bill.provider,
        b.starts == bill.starts,
        b.ends == bill.ends,
    )


def _period(bill: Bill) -> Period:
    return Period(bill.starts, bill.ends)


def _overlap(one: Period, other: Period) -> bool:
    return one.start < other.end and other.start < one.end
