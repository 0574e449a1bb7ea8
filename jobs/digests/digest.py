"""Tells channels that want it how the last week was, and what was done with a month's books.

Each is told to a channel once, under a key of the week or the act: several replicas, and a restart
just then, still send one. A channel hears of nothing that was due before it was made, or long ago.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from jobs.context import Done, JobContext, JobSettings
from jobs.digests import digest_words, month_words
from jobs.digests.digest_words import MOST_ALERTS, Digest
from jobs.digests.month_words import MonthTold
from spend.alerts.digests import TOO_OLD, Week, last_week, spent_in_week
from spend.channels.channels import Channel
from spend.channels.notices import Notice
from spend.money import EXACT
from store.alerts import alerts, digests
from store.alerts.alert_states import NOT_OVER, OPEN
from store.alerts.digests import Act, BudgetLine, Groups
from store.channels.notify import tell
from store.completeness import complete_until
from store.conversion import Conversion
from store.months.months import held, period_named
from store.statements.statements import statement_of
from store.tenants import TENANT

Teams = tuple[str, ...]
"""Whose digest it is; none: everybody's."""


def run(context: JobContext) -> Done:
    """One round, at ``context.now``."""
    return Done(f"{_weekly(context)} digests, {_monthly(context)} messages of months")


def _weekly(context: JobContext) -> int:
    settings, now = context.settings, context.now
    week = last_week(now, settings.zone)
    if not week.is_due(now):
        return 0
    key = f"digest:{week.name}"
    with context.database.read() as session:
        wanting = digests.channels_to_tell(session, TENANT, key, week.due)
        if not wanting:
            return 0
        of_all = _OfAll(
            week,
            digests.spent_by_week(session, TENANT, week, _conversion(settings, now)),
            digests.budgets_to_tell(session, TENANT, now),
            complete_until(session),
        )
        said = _by_teams(wanting, lambda teams: _digest(session, of_all, teams, settings, now))
    return _tell(context, key, said)


def _monthly(context: JobContext) -> int:
    told = 0
    with context.database.read() as session:
        acts = digests.acts_since(session, TENANT, context.now - TOO_OLD)
    for act in acts:
        key = f"month-act:{act.id}"
        with context.database.read() as session:
            wanting = digests.channels_to_tell(session, TENANT, key, act.at)
            if not wanting:
                continue
            month = _month(session, act, context)
            said = _by_teams(
                wanting,
                lambda teams, month=month: month_words.notice(  # type: ignore[misc]  # bound now
                    month, teams, context.settings.api_url
                ),
            )
        told += _tell(context, key, said)
    return told


@dataclass(frozen=True, slots=True)
class _OfAll:
    """What all digests of a week are cut from."""

    week: Week
    groups: Groups
    budgets: Sequence[BudgetLine]
    complete_until: datetime | None


def _digest(
    session: Session, of_all: _OfAll, teams: Teams, settings: JobSettings, now: datetime
) -> Notice:
    wanted = alerts.Wanted(states=NOT_OVER, teams_alone=teams)
    counts = alerts.count_by_state(session, TENANT, wanted, now)
    unknown = alerts.Wanted(state=OPEN, teams_alone=teams)
    said = Digest(
        week=of_all.week,
        zone=settings.zone,
        currency=settings.currency,
        teams=teams,
        spent=spent_in_week(of_all.groups.now, of_all.groups.before, teams),
        elsewhere=_elsewhere(of_all.groups, teams),
        budgets=[
            each
            for each in of_all.budgets
            if not teams or (each.teams and set(each.teams) <= set(teams))
        ],
        alerts={state: counts[state] for state in NOT_OVER if state in counts},
        open_alerts=alerts.alerts(session, TENANT, unknown, now=now, at_most=MOST_ALERTS),
        complete_until=of_all.complete_until,
    )
    return digest_words.notice(said, settings.api_url)


def _elsewhere(groups: Groups, teams: Teams) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for (team, currency), amount in sorted(groups.elsewhere.items(), key=str):
        if not teams or team in teams:
            found[currency] = EXACT.add(found.get(currency, Decimal(0)), amount)
    return found


def _month(session: Session, act: Act, context: JobContext) -> MonthTold:
    settings = context.settings
    calendar, period = period_named(session, TENANT, act.month, settings.calendar)
    statement = statement_of(
        session, TENANT, period, calendar=calendar, telling=settings.telling, now=context.now
    )
    month = next((each for each in held(session, TENANT) if each.name == act.month), None)
    return MonthTold(act, statement, None if month is None else month.hash)


def _conversion(settings: JobSettings, now: datetime) -> Conversion:
    return Conversion(
        to=settings.currency, policy=settings.rate_policy, zone=settings.zone, now=now
    )


def _by_teams(
    wanting: Sequence[Channel], make: Callable[[Teams], Notice]
) -> list[tuple[Channel, Notice]]:
    """Each channel with what it is told; those of the same teams are told the same."""
    made: dict[Teams, Notice] = {}
    for channel in wanting:
        teams = _teams_of(channel)
        if teams not in made:
            made[teams] = make(teams)
    return [(channel, made[_teams_of(channel)]) for channel in wanting]


def _teams_of(channel: Channel) -> Teams:
    return () if channel.default else tuple(sorted(channel.teams))


def _tell(context: JobContext, key: str, said: Sequence[tuple[Channel, Notice]]) -> int:
    with context.database.write() as session:
        return sum(
            tell(
                session,
                TENANT,
                notice,
                key=digests.key_of(key, channel),
                channel_ids=(channel.id,),
                now=context.now,
            )
            for channel, notice in said
        )
