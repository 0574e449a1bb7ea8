"""What bills say, summed as it is compared: by piece of time, model, meter and account.

Clouds bill for everything that they sell. Of their bills only what is for models is compared; what
the rest comes to is told beside it.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    SmallInteger,
    Time,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    not_,
    null,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from spend.prices.prices import Names
from spend.reconciliation.bill_pieces import LONGEST_DAY, SHORTEST_DAY, Pieces, Told
from spend.reconciliation.bill_words import AI_SERVICES
from spend.reconciliation.bills import USAGE
from spend.reconciliation.variance import Billed
from store.breakdowns.grouping import TooManyRowsError
from store.tables.bills import bill_lines

MOST_ROWS: Final = 200_000
CLOUDS: Final = frozenset({"aws", "azure", "google"})

# Where a cloud's formats name the service of a line.
_SERVICES: Final = (
    "line_item_product_code",
    "product_servicename",
    "product_product_name",
    "product",
    "ServiceName",
    "ServiceCategory",
    "service_description",
)
_RATES: Final = ("x_BillingExchangeRate", "currency_conversion_rate", "x_CurrencyConversionRate")
"""Fields in which Azure and Google tell what a unit of the price's currency is in the bill's."""
_LONGEST_DESCRIPTION: Final = 80

Ids = Collection[int]


def told_times(session: Session, tenant: int, ids: Ids) -> Told:
    """How these bills tell the time of their usage."""
    c = bill_lines.c
    length = c.ends - c.starts
    usage = (*_of(tenant, ids), c.kind == USAGE)
    by_day = session.scalar(select(func.bool_or(length <= LONGEST_DAY)).where(*usage))
    begins = session.scalars(
        select(cast(func.timezone("UTC", c.starts), Time))
        .where(*usage, length >= SHORTEST_DAY, length <= LONGEST_DAY)
        .distinct()
        .limit(10)
    )
    return Told(bool(by_day), sorted(begins))


def billed(
    session: Session,
    tenant: int,
    ids: Ids,
    *,
    beside: Ids,
    pieces: Pieces,
    issuer: str,
    names: Names,
) -> list[Billed]:
    """What bills say, and what bills ``beside`` them say of the same pieces of time."""
    c = bill_lines.c
    elsewhere = c.bill_id == func.any(_ids(beside))
    key: dict[str, ColumnElement[Any]] = {
        "piece": func.width_bucket(c.starts, moments(pieces.bounds), type_=SmallInteger),
        "elsewhere": elsewhere,
        **{name: c[name] for name in ("kind", "account", "provider", "model", "meter", "region")},
        **{name: c[name] for name in ("service_tier", "unit")},
        "description": case(
            (c.model.is_(None), func.left(c.description, _LONGEST_DESCRIPTION)), else_=null()
        ),
        "rate": func.coalesce(*(c.raw.op("->>")(name) for name in _RATES)),
        "untold": c.quantity.is_(None),
        "gives_back": c.amount < 0,
    }
    labelled = [value.label(name) for name, value in key.items()]
    found = session.execute(
        select(
            *labelled, func.sum(c.quantity).label("quantity"), func.sum(c.amount).label("amount")
        )
        .where(
            *_of(tenant, [*ids, *beside]),
            of_models(issuer),
            # Of bills beside it, what is near enough to be timing.
            not_(elsewhere)
            | and_(c.starts >= pieces.whole.start, c.starts < pieces.whole.end, c.kind == USAGE),
        )
        .group_by(*labelled)
        .limit(MOST_ROWS + 1)
    ).all()
    if len(found) > MOST_ROWS:
        raise TooManyRowsError
    return [_billed(row, pieces, issuer, names) for row in found]


def _billed(row: Any, pieces: Pieces, issuer: str, names: Names) -> Billed:
    listed = next(
        (
            names[provider, row.model][1]
            for provider in (row.provider, issuer)
            if row.model and (provider, row.model) in names
        ),
        None,
    )
    return Billed(
        piece=pieces.at(row.piece),
        kind=row.kind,
        account=row.account,
        model=row.model,
        listed=listed,
        meter=row.meter,
        region=row.region,
        service_tier=row.service_tier,
        description=row.description,
        unit=row.unit,
        quantity=None if row.untold else row.quantity,
        amount=row.amount,
        rate=_rate(row.rate),
        elsewhere=row.elsewhere,
    )


def _rate(told: str | None) -> Decimal | None:
    """A rate as it was read; what is no number tells none."""
    try:
        rate = Decimal(told) if told else None
    except ArithmeticError:
        return None
    return rate if rate is not None and rate.is_finite() and rate > 0 else None


def for_other_services(session: Session, tenant: int, ids: Ids, issuer: str) -> Decimal:
    """What of bills is for no models, and is not compared."""
    if issuer not in CLOUDS:
        return Decimal(0)
    found = session.scalar(
        select(func.sum(bill_lines.c.amount)).where(*_of(tenant, ids), not_(of_models(issuer)))
    )
    return found or Decimal(0)


def of_models(issuer: str) -> ColumnElement[bool]:
    """Lines for models; of whoever sells nothing else, all of them."""
    if issuer not in CLOUDS:
        return true()
    c = bill_lines.c
    services = func.concat_ws("|", "", *(c.raw.op("->>")(name) for name in _SERVICES))
    return c.model.is_not(None) | services.regexp_match(AI_SERVICES.pattern, flags="i")


def _of(tenant: int, ids: Iterable[int]) -> list[ColumnElement[bool]]:
    return [bill_lines.c.tenant_id == tenant, bill_lines.c.bill_id == func.any(_ids(ids))]


def _ids(ids: Iterable[int]) -> ColumnElement[Any]:
    return literal(list(ids), ARRAY(BigInteger))


def moments(bounds: Iterable[datetime]) -> ColumnElement[Any]:
    """Bounds of pieces, for ``width_bucket``."""
    return bindparam("bounds", list(bounds), ARRAY(DateTime(timezone=True)))
