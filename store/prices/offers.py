"""APIs that serve a model which also runs on machines of one's own, and have a price for it."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from spend.capacity.same_model import weights_of
from spend.capacity.targets import ApiTarget
from spend.prices.prices import CONTRACT
from spend.providers import PROVIDERS
from store.prices import books
from store.tables.prices import prices
from store.tenants import PUBLIC

_BOTH = ("input", "output")


def offers_of(
    session: Session, tenant: int, models: Collection[str], *, currency: str, at: datetime
) -> list[ApiTarget]:
    """Targets whose weights are those of one of ``models``, by name.

    Those with ordinary prices of input and output in force at ``at`` (UTC), as known now.
    """
    wanted = {weights_of(model) for model in models} - {()}
    if not wanted:
        return []
    found = session.execute(
        select(
            prices.c.provider,
            prices.c.model,
            func.bool_or(prices.c.book == CONTRACT).label("agreed"),
        )
        .where(
            prices.c.tenant_id.in_((PUBLIC, tenant)),
            books.known(None),
            prices.c.currency == currency,
            prices.c.service_tier == "",
            prices.c.meter.in_(_BOTH),
            prices.c.valid_from <= at,
            or_(prices.c.valid_to.is_(None), prices.c.valid_to > at),
        )
        .group_by(prices.c.provider, prices.c.model)
        .having(func.count(prices.c.meter.distinct()) == len(_BOTH))
        .order_by(prices.c.provider, prices.c.model)
    )
    return [
        ApiTarget(provider, model)
        for provider, model, agreed in found
        # Who is not among the known ones resells another's (huggingface_novita); a name behind a
        # colon is another way to buy (a batch).
        if (provider in PROVIDERS or agreed)
        and ":" not in model.removesuffix(":0")
        and weights_of(model) in wanted
    ]


def priced_targets(
    session: Session, tenant: int, providers: Collection[str], *, currency: str, at: datetime
) -> list[ApiTarget]:
    """What these providers have an ordinary price of input for, in force at ``at``; by name."""
    found = session.execute(
        select(prices.c.provider, prices.c.model)
        .where(
            prices.c.tenant_id.in_((PUBLIC, tenant)),
            books.known(None),
            prices.c.provider.in_(providers),
            prices.c.currency == currency,
            prices.c.service_tier == "",
            prices.c.meter == "input",
            prices.c.above_tokens == 0,
            prices.c.valid_from <= at,
            or_(prices.c.valid_to.is_(None), prices.c.valid_to > at),
        )
        .distinct()
        .order_by(prices.c.provider, prices.c.model)
    )
    return [ApiTarget(provider, model) for provider, model in found]
