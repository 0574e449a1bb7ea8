"""What a digest is made of, and which channels still want one."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from spend.alerts.digests import Key, Week
from spend.budgets.budgets import percent
from spend.channels.channels import Channel
from spend.periods import Period
from spend.totals import Totals, plus
from store.breakdowns.dimensions import Question
from store.budgets import budgets
from store.budgets.forecasts import forecasts
from store.budgets.standings import standings
from store.channels.channels import all_channels
from store.conversion import Conversion
from store.spending.spend_by import spend_by
from store.tables.alerting import channels
from store.tables.budgets import outbox
from store.tables.months import month_acts


@dataclass(frozen=True, slots=True)
class Groups:
    """Spend of a week and of the one before, by team, provider and model."""

    now: dict[Key, Totals]
    before: dict[Key, Totals]
    elsewhere: dict[tuple[str | None, str], Decimal]
    """Team and currency -> what was spent in it and has no rate: it is in no group."""


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """A budget that is worth a line."""

    name: str
    teams: tuple[str, ...]
    """That it is on; none: on all."""
    state: str
    """over, warning, or expected: to be over at its period's end."""
    spent: Decimal | None
    """Percent of the limit; None of a limit of 0."""
    expected: Decimal | None
    """Percent of the limit; None: there is no forecast."""


@dataclass(frozen=True, slots=True)
class Act:
    """Something done with a month, that channels may want to hear of."""

    id: int
    month: str
    act: str
    at: datetime
    by: str
    note: str | None
    accepted: tuple[str, ...]


def spent_by_week(session: Session, tenant: int, week: Week, asked: Conversion) -> Groups:
    """What /v1/spend says of both weeks. Raises TooManyRowsError (store/breakdowns/grouping.py)."""
    now, before = (
        spend_by(
            session,
            Question(period=period, zone=asked.zone, group_by=("team", "provider", "model")),
            tenant,
            asked,
        )
        for period in (week.period, week.before)
    )
    elsewhere: dict[tuple[str | None, str], Decimal] = {}
    for ((team, _provider, _model), currency), money in now.elsewhere.items():
        whole = plus(elsewhere.get((team, currency)), money.cost)
        if whole:
            elsewhere[team, currency] = whole
    return Groups(now.groups, before.groups, elsewhere)


def budgets_to_tell(session: Session, tenant: int, now: datetime) -> list[BudgetLine]:
    """Budgets that are over or close to it, or expected to be over: the worst first."""
    known = {each.id: each for each in budgets.all_in_force(session, tenant, now)}
    expected = forecasts(session, tenant)
    found = []
    for each in standings(session, tenant):
        budget = known.get(each.budget_id)
        if budget is None or not _holds(each.period, now):
            continue
        forecast = expected.get((each.budget_id, each.period.start))
        will_be = None if forecast is None else percent(forecast.expected, each.limit)
        state = each.state
        if state not in {"over", "warning"}:
            if forecast is None or forecast.expected <= each.limit:
                continue
            state = "expected"
        teams = budget.terms.filter.get("team", ())
        spent = percent(each.spent, each.limit)
        found.append(BudgetLine(budget.terms.name, teams, state, spent, will_be))
    order = ("over", "warning", "expected")
    return sorted(found, key=lambda each: (order.index(each.state), -(each.spent or 0), each.name))


def _holds(period: Period, now: datetime) -> bool:
    return period.start <= now < period.end


def channels_to_tell(session: Session, tenant: int, key: str, since: datetime) -> list[Channel]:
    """Channels that want digests, were there at a moment (UTC), and were not told by ``key``."""
    there = select(channels.c.id).where(
        channels.c.tenant_id == tenant,
        channels.c.removed_at.is_(None),
        channels.c.created_at <= since,
    )
    ids = set(session.scalars(there))
    wanting = [each for each in all_channels(session, tenant) if each.digest and each.id in ids]
    told = _told(session, tenant, [_first(key, each) for each in wanting])
    return [each for each in wanting if _first(key, each) not in told]


def key_of(key: str, channel: Channel) -> str:
    """What a digest is told to a channel by: ``digest:2026-W47:3``."""
    return f"{key}:{channel.id}"


def _first(key: str, channel: Channel) -> str:
    # As store/channels/notify.py numbers the messages of a key.
    return f"{key_of(key, channel)}:1"


def _told(session: Session, tenant: int, keys: Collection[str]) -> set[str | None]:
    if not keys:
        return set()
    wanted = select(outbox.c.key).where(outbox.c.tenant_id == tenant, outbox.c.key.in_(keys))
    return set(session.scalars(wanted))


def acts_since(session: Session, tenant: int, since: datetime) -> list[Act]:
    """What was done with months after a moment (UTC), in order."""
    rows = session.execute(
        select(month_acts)
        .where(month_acts.c.tenant_id == tenant, month_acts.c.at > since)
        .order_by(month_acts.c.id)
    )
    return [
        Act(
            id=row.id,
            month=row.month,
            act=row.act,
            at=row.at,
            by=row.by,
            note=row.note,
            accepted=tuple(each["said"] for each in row.accepted),
        )
        for row in rows
    ]
