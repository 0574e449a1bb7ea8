"""Capacity that is paid for and that nothing uses."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from spend import money
from spend.alerts.alert_rules import Measured, Rule, RuleTerms, subject_of
from spend.budgets.budgets import percent
from spend.capacity.pools import HOUR, Pool, hour_of
from spend.money import coins, plain
from store.capacity import pools
from store.capacity.pool_hours import PoolHour, hours


class UnknownPoolError(ValueError):
    """The rule is for a pool that is not there: it was never declared by that name."""


def measure(session: Session, tenant: int, rule: Rule, now: datetime) -> list[Measured]:
    """The idle share of each pool's cost, of its hours (UTC) that are settled.

    What is idle of an hour is known once the hour is split; a pool without one in the window has no
    data, one that had ended before it is left out.
    """
    terms = rule.terms
    end = hour_of(now)
    start = end - terms.window
    return [
        _measured(terms, pool, hours(session, tenant, pool.id, start, end), start, end)
        for pool in _asked(session, tenant, str(terms.settings["pool"]))
        if pool.valid_from < end and (pool.valid_to is None or pool.valid_to > start)
    ]


def _asked(session: Session, tenant: int, name: str) -> list[Pool]:
    every = pools.all_pools(session, tenant)
    found = [each for each in every if name in {"", each.name}]
    if name and not found:
        raise UnknownPoolError(f"there is no pool called {name}")
    return found


def _measured(
    terms: RuleTerms, pool: Pool, settled: Sequence[PoolHour], start: datetime, end: datetime
) -> Measured:
    cost = money.total([each.cost for each in settled])
    idle = money.total([each.idle for each in settled])
    first = max(start, hour_of(pool.valid_from))
    last = end if pool.valid_to is None else min(end, pool.valid_to)
    whole = max(-((first - last) // HOUR), len(settled))
    return Measured(
        subject=subject_of({"pool": pool.name}),
        value=percent(idle, cost),
        unit="percent",
        start=start,
        end=max((each.hour + HOUR for each in settled), default=end),
        negligible=cost < terms.minimum,
        facts=(
            (
                "Idle",
                f"{coins(idle, pool.currency)} of {coins(cost, pool.currency)} {pool.currency}",
            ),
            ("Hours", f"{len(settled)} settled of {whole}"),
        ),
        detail={
            "pool": pool.name,
            "pool_id": pool.id,
            "currency": pool.currency,
            "cost": plain(cost),
            "idle": plain(idle),
            "hours": len(settled),
        },
    )
