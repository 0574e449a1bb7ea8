"""Posts what the ledger lacks of a bill: its provider's period then comes to what is billed.

What is posted is a target less what stands, so that doing it twice posts nothing, and late calls,
new rules or a newer version of the bill only move the difference. Lines are in the last slot of
the bill's period; where its month is soft-closed they are booked into it, as adjusting entries are,
and where it is closed in the open month.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from spend import money
from spend.calls import Route
from spend.currencies.exchange import DAILY, Exchange
from spend.fiscal import Calendar
from spend.ids import content_id
from spend.meters import DISJOINT
from spend.months.months import OPEN, SOFT_CLOSED
from spend.owners import UNALLOCATED
from spend.periods import Period
from spend.reconciliation.bills import USAGE, Bill
from spend.reconciliation.reconcile import NoRateError
from spend.reconciliation.reconciled import Reconciled
from spend.reconciliation.true_up import (
    METHOD,
    Place,
    Share,
    Targets,
    TrueUp,
    TrueUpLine,
    TrueUpRefusedError,
    targets_of,
)
from spend.slots import SLOT
from store import audit, dictionaries, parties, rates, waiting
from store.bills import reconcile
from store.bills.bill_estimates import is_estimate, lacks_price, of_providers, usage_kind
from store.ledger import ledger
from store.ledger.ledger import NewCharge
from store.months import months
from store.ownership import payers
from store.tables.heard import owners, routes
from store.tables.ledger import charges
from store.tables.rollups import cells

_UTC: Final = ZoneInfo("UTC")

_OF_ROUTE: Final = ("provider", "model", "deployment", "region")
"""What reports tell of a route."""

_Key = tuple[str, str, int, int, int, str]
"""Kind, meter, owner, payer, route and currency of lines of bills."""


def true_up(
    session: Session,
    tenant: int,
    bill: Bill,
    *,
    calendar: Calendar,
    clock: Callable[[], datetime],
    dry_run: bool = False,
    policy: str = DAILY,
) -> TrueUp:
    """Posts what lacks to a bill, and those of its issuer and period.

    ``clock`` (UTC) is asked once the ledger is locked: so nothing is posted at a moment that
    somebody has asked about already. Raises TrueUpRefusedError, and what ``reconcile.of_bill``
    does. A dry run posts nothing.
    """
    if not dry_run:
        waiting.lock_ledger(session)
    now = clock()
    compared = reconcile.of_bill(session, tenant, bill, now=now, policy=policy)
    period = compared.variance.period
    if period.end > now:
        raise TrueUpRefusedError(f"the period of bill {bill.id} is not over")
    if compared.overlapping:
        ids = ", ".join(str(each.id) for each in compared.overlapping)
        raise TrueUpRefusedError(f"bill {ids} overlaps it: some time would be billed twice")
    shares = [
        *_shares(session, tenant, compared, now=now, policy=policy),
        *_unpriced(session, tenant, compared),
    ]
    targets = targets_of(compared.variance, shares, provider=compared.provider)
    lacking = _lacking(_keyed(targets), _posted(session, tenant, bill, period))
    slot, booked_slot = _slots(session, tenant, bill, period, calendar)
    if not dry_run:
        _remember(session, tenant, targets)
        new = [_charge(key, atoms, bill, slot, booked_slot) for key, atoms in lacking.items()]
        ledger.post(session, tenant, new, now=now)
        if new:
            said = {"lines": len(new), "slot": slot}
            audit.note(session, tenant, did="trued up", noun="bill", noun_id=bill.id, after=said)
    return TrueUp(compared, slot, _shown(session, tenant, targets, lacking))


def _shares(
    session: Session, tenant: int, compared: Reconciled, *, now: datetime, policy: str
) -> list[Share]:
    """The estimate by who pays, and by what reports tell of a route."""
    c, period = charges.c, compared.variance.period
    kind = usage_kind().label("kind")
    by_id = (
        select(c.payer_id, c.route_id, kind, c.currency, func.sum(c.billed_amount).label("amount"))
        .where(
            c.tenant_id == tenant,
            c.slot >= period.start,
            c.slot < period.end,
            c.route_id.in_(of_providers(tenant, compared.providers)),
            is_estimate(),
        )
        .group_by(c.payer_id, c.route_id, kind, c.currency)
        .subquery("by_id")
    )
    key = [owners.c.team, *(routes.c[name] for name in _OF_ROUTE), by_id.c.kind, by_id.c.currency]
    found = session.execute(
        select(*key, func.sum(by_id.c.amount).label("amount"))
        .join_from(
            by_id, routes, and_(routes.c.tenant_id == tenant, routes.c.id == by_id.c.route_id)
        )
        # An outer join: money whose owner is not in the dictionary must still be counted.
        .outerjoin(owners, and_(owners.c.tenant_id == tenant, owners.c.id == by_id.c.payer_id))
        .group_by(*key)
    ).all()
    exchange = rates.exchange(
        session,
        tenant,
        {row.currency for row in found},
        period,
        _UTC,
        to=compared.currency,
        policy=policy,
        now=now,
    )
    return [
        Share(
            team=row.team or UNALLOCATED,
            route=Route(row.provider, row.model, deployment=row.deployment, region=row.region),
            kind=row.kind,
            currency=row.currency,
            amount=row.amount,
            weight=_weight(exchange, row.currency, row.amount, period),
        )
        for row in found
    ]


def _unpriced(session: Session, tenant: int, compared: Reconciled) -> list[Share]:
    """What has no price, by who would pay for it."""
    period = compared.variance.period
    source, payer = payers.joined(session, tenant, cells, cells.c.slot)
    key = [owners.c.team, *(routes.c[name] for name in _OF_ROUTE)]
    tokens = [func.sum(cells.c[name]) for name in DISJOINT]
    found = session.execute(
        select(*key, *tokens)
        .select_from(source)
        .join(routes, and_(routes.c.tenant_id == tenant, routes.c.id == cells.c.route_id))
        .outerjoin(owners, and_(owners.c.tenant_id == tenant, owners.c.id == payer))
        .where(
            cells.c.tenant_id == tenant,
            cells.c.slot >= period.start,
            cells.c.slot < period.end,
            routes.c.provider.in_(compared.providers),
            lacks_price(),
        )
        .group_by(*key)
    )
    return [
        Share(
            team=row.team or UNALLOCATED,
            route=Route(row.provider, row.model, deployment=row.deployment, region=row.region),
            kind=USAGE,
            currency=compared.currency,
            amount=Decimal(0),
            weight=0,
            unpriced=int(sum(row[len(key) :])),
        )
        for row in found
    ]


def _weight(exchange: Exchange, currency: str, amount: Decimal, period: Period) -> int:
    atoms = money.atoms(amount)
    if currency == exchange.to:
        return atoms
    day = (period.end - SLOT).date()
    used = exchange.rate(currency, day)
    if used is None:
        raise NoRateError(currency, exchange.to, day)
    return round(Fraction(used.rate) * atoms)


def _posted(session: Session, tenant: int, bill: Bill, period: Period) -> dict[_Key, int]:
    """What true-ups of these bills have posted, in 1e-12; of versions before, too."""
    c = charges.c
    key = (c.kind, c.meter, c.owner_id, c.payer_id, c.route_id, c.currency)
    rows = session.execute(
        select(*key, func.sum(c.billed_amount))
        .where(
            c.tenant_id == tenant,
            c.slot >= period.start,
            c.slot < period.end,
            c.bill_id.in_(reconcile.versions_of(tenant, bill)),
        )
        .group_by(*key)
    )
    return {tuple(row[:-1]): money.atoms(row[-1]) for row in rows}


def _keyed(targets: Targets) -> dict[_Key, int]:
    return {_key(place): atoms for place, atoms in targets.items()}


def _key(place: Place) -> _Key:
    owner_id = content_id(place.owner)
    return (
        place.kind,
        place.meter,
        owner_id,
        owner_id,
        content_id(place.route),
        place.currency,
    )


def _lacking(targets: Mapping[_Key, int], posted: Mapping[_Key, int]) -> dict[_Key, int]:
    """In one order, so that a ledger that is made again is the same."""
    lacking: dict[_Key, int] = defaultdict(int)
    for key in sorted(targets.keys() | posted.keys()):
        lacking[key] = targets.get(key, 0) - posted.get(key, 0)
    return {key: atoms for key, atoms in lacking.items() if atoms}


def _slots(
    session: Session, tenant: int, bill: Bill, period: Period, calendar: Calendar
) -> tuple[datetime, datetime | None]:
    """The last slot of a bill's period, and whose books it is in, where that has to be said.

    Where the fiscal month that it belongs to ends earlier, the last slot of that.
    """
    held = [each for each in months.held(session, tenant) if each.state != OPEN]
    middle = bill.starts + (bill.ends - bill.starts) / 2
    shut = next((each for each in held if each.period.start <= middle < each.period.end), None)
    month = shut.period if shut else calendar.period_at(middle).period
    slot = min(period.end, month.end) - SLOT
    adjusts = shut is not None and shut.state == SOFT_CLOSED
    return slot, slot if adjusts else None


def _remember(session: Session, tenant: int, targets: Targets) -> None:
    known = dictionaries.Known()
    who = {content_id(place.owner): place.owner for place in targets}
    what = {content_id(place.route): place.route for place in targets}
    dictionaries.remember(session, tenant, owners, who, known)
    dictionaries.remember(session, tenant, routes, what, known)


def _charge(
    key: _Key, atoms: int, bill: Bill, slot: datetime, booked_slot: datetime | None
) -> NewCharge:
    kind, meter, owner_id, payer_id, route_id, currency = key
    nothing, amount = Decimal(0), money.amount(atoms)
    return NewCharge(
        kind=kind,
        slot=slot,
        booked_slot=booked_slot,
        owner_id=owner_id,
        payer_id=payer_id,
        route_id=route_id,
        band=0,
        meter=meter,
        bill_id=bill.id,
        currency=currency,
        quantity=nothing,
        # What the book says of what was heard stays as it is: no price was wrong by this.
        list_amount=nothing,
        contracted_amount=nothing,
        amount=amount,
        billed_amount=amount,
        method=METHOD,
    )


def _shown(
    session: Session, tenant: int, targets: Targets, lacking: Mapping[_Key, int]
) -> tuple[TrueUpLine, ...]:
    who = {content_id(place.owner): place.owner for place in targets}
    what = {content_id(place.route): place.route for place in targets}
    # What is taken back can be at owners and routes that no target is for any more.
    who |= parties.owners_of(session, tenant, {key[3] for key in lacking} - who.keys())
    what |= parties.routes_of(session, tenant, {key[4] for key in lacking} - what.keys())
    return tuple(
        TrueUpLine(key[0], key[1], who[key[3]], what[key[4]], key[5], money.amount(atoms))
        for key, atoms in lacking.items()
    )
