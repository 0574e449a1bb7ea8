"""``spanledger alerts``: what was warned of, who knows of it, and what is to be silent."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click

from app.alert_table import alerts_table, silences_table, untold
from app.commands import alert_sample
from app.database import database_for
from app.parameters import MomentType
from app.refusals import refusals_told
from app.settings import read_settings
from app.tables import show
from spend.channels.silences import LONGEST, LONGEST_REASON, MUTE, SNOOZE, Silence, silence_terms
from spend.checked_fields import one_line
from store.alerts import alerts, silent_subjects
from store.alerts.alert_states import STATES
from store.alerts.silent_subjects import NoSuchSubject, Subject
from store.channels import silences
from store.tenants import TENANT

_SHOWN = 20
_MISSING = (NoSuchSubject, alerts.NoSuchAlert)
_Command = Callable[..., Any]


@click.group(
    short_help="Show alerts, acknowledge, snooze and mute them",
    epilog="\b\nExample:\n  spanledger alerts acknowledge 17 --by ann",
)
def command() -> None:
    """Show what was warned of, and say that somebody knows of it.

    A budget or an alert rule that is snoozed tells later what is still true then. One that is
    muted tells nothing: what it would have told is dropped, and shown with the reason.

    More: docs/alerts.md
    """


command.add_command(alert_sample.command)


@command.command(
    "list",
    short_help="Show alerts, the newest first.",
    epilog="\b\nExample:\n  spanledger alerts list --state open",
)
@click.option("--state", type=click.Choice(STATES), help="Only those in this state.")
@click.option("--team", help="Only of budgets and rules on this team.")
@click.option("--budget", metavar="NAME|ID", help="Only of this budget.")
@click.option("--rule", metavar="NAME|ID", help="Only of this alert rule.")
@click.option("--kind", help="Only of this kind: actual, forecast, pace, anomaly, …")
@click.option("--since", type=MomentType(), help="Only what was found then or later.")
@click.option(
    "--status",
    type=click.Choice(["pending", "sent", "dead", "dropped"]),
    help="Only with a message that stands so.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    default=_SHOWN,
    show_default=True,
    help="How many at most.",
)
def list_all(
    *,
    state: str | None,
    team: str | None,
    budget: str | None,
    rule: str | None,
    kind: str | None,
    since: datetime | None,
    status: str | None,
    limit: int,
) -> None:
    """Show alerts, the newest first: how each stands, and whether it was told.

    An alert has ended when its period is over, or its budget or rule was closed or changed.
    """
    now = _now()
    with (
        database_for(read_settings()) as database,
        database.read() as session,
        refusals_told(*_MISSING),
    ):
        of = None
        if budget is not None or rule is not None:
            of = silent_subjects.named(session, TENANT, budget=budget, rule=rule, now=now)
        wanted = alerts.Wanted(
            state=state,
            team=team,
            kind=kind,
            since=since,
            status=status,
            budget_id=of.budget_id if of else None,
            rule_id=of.rule_id if of else None,
        )
        found = alerts.alerts(session, TENANT, wanted, now=now, at_most=limit + 1)
    if not found:
        click.echo("no alerts")
        return
    page = found[:limit]
    show(alerts_table(page))
    for line in untold(page):
        click.echo(line)
    if len(found) > limit:
        click.echo(f"there are more: --limit {limit * 5}")


@command.command(epilog="\b\nExample:\n  spanledger alerts acknowledge 17 18 --by ann")
@click.argument(
    "alert_ids", metavar="ID...", type=click.IntRange(1, 2**63 - 1), nargs=-1, required=True
)
@click.option("--by", required=True, help="Who knows of it.")
@click.option("--note", help="What there is to say of it.")
def acknowledge(alert_ids: tuple[int, ...], by: str, note: str | None) -> None:
    """Say that somebody knows of the alerts with these IDs: nobody is reminded of them.

    Which of them was acknowledged before stays as it was said first.
    """
    with (
        database_for(read_settings()) as database,
        database.write() as session,
        refusals_told(*_MISSING),
    ):
        by = one_line(by, "by")
        note = None if note is None else one_line(note, "note", LONGEST_REASON)
        now = _now()
        firsts = [
            alerts.acknowledge(session, TENANT, each, by=by, note=note, now=now)
            for each in alert_ids
        ]
    for alert_id, first in zip(alert_ids, firsts, strict=True):
        click.echo(f"alert {alert_id} " + ("is acknowledged" if first else "was acknowledged"))


def _of_what(does: _Command) -> _Command:
    """Options that say which budget or rule is meant."""
    budget = click.option("--budget", metavar="NAME|ID", help="A budget,")
    return budget(click.option("--rule", metavar="NAME|ID", help="or an alert rule.")(does))


def _for_how_long(does: _Command) -> _Command:
    options = (
        click.option("--hours", type=click.IntRange(1, LONGEST.days * 24), help="For how long,"),
        click.option("--until", type=MomentType(), help="or until when."),
        click.option("--by", required=True, help="Who wants it."),
        click.option("--reason", help="Why."),
    )
    for option in reversed(options):
        does = option(does)
    return does


@command.command(
    short_help="Have messages wait.",
    epilog="\b\nExample:\n  spanledger alerts snooze --budget search --hours 4 --by ann",
)
@_of_what
@_for_how_long
def snooze(**said: Any) -> None:
    """Have the messages of a budget or an alert rule wait.

    At the end those that are still true are sent; the others are dropped, and shown so.
    """
    began, of = _begin(SNOOZE, **said)
    click.echo(f"{of.name} is snoozed until {_minute(began)}: silence {began.id}")


@command.command(
    short_help="Drop messages.",
    epilog="\b\nExample:\n  spanledger alerts mute --budget search --by ann --reason 'known move'",
)
@_of_what
@_for_how_long
def mute(**said: Any) -> None:
    """Drop the messages of a budget or an alert rule.

    Of a budget until its present period ends, where nothing else is said. What is crossed is
    recorded all the same, and shown.
    """
    began, of = _begin(MUTE, **said)
    click.echo(f"{of.name} is muted until {_minute(began)}: silence {began.id}")


@command.command(
    short_help="End silences early.",
    epilog="\b\nExample:\n  spanledger alerts unmute --budget search",
)
@_of_what
def unmute(budget: str | None, rule: str | None) -> None:
    """End what silences a budget or an alert rule, snoozes and mutes.

    What was snoozed and is still true is sent; what was dropped stays so.
    """
    now = _now()
    with (
        database_for(read_settings()) as database,
        database.write() as session,
        refusals_told(*_MISSING),
    ):
        of = silent_subjects.named(session, TENANT, budget=budget, rule=rule, now=now)
        ended = [
            silences.end(session, TENANT, each.id, now)
            for each in silences.in_force(session, TENANT, now)
            if (each.budget_id, each.rule_id) == (of.budget_id, of.rule_id)
        ]
    click.echo(f"{of.name} is no longer silent" if ended else f"{of.name} was not silent")


@command.command("silences", epilog="\b\nExample:\n  spanledger alerts silences")
def list_silences() -> None:
    """Show what is snoozed and muted."""
    now = _now()
    with database_for(read_settings()) as database, database.read() as session:
        found = silences.in_force(session, TENANT, now)
        known = silent_subjects.in_force(session, TENANT, now)
    if not found:
        click.echo("nothing is silent")
        return
    named = []
    for each in found:
        of = known.get((each.budget_id, each.rule_id))
        named.append((each, of.name if of else "(closed)"))
    show(silences_table(named))


def _begin(
    kind: str,
    *,
    budget: str | None,
    rule: str | None,
    hours: int | None,
    until: datetime | None,
    by: str,
    reason: str | None,
) -> tuple[Silence, Subject]:
    now = _now()
    with (
        database_for(read_settings()) as database,
        database.write() as session,
        refusals_told(*_MISSING),
    ):
        of = silent_subjects.named(session, TENANT, budget=budget, rule=rule, now=now)
        said = silence_terms(
            kind=kind,
            budget_id=of.budget_id,
            rule_id=of.rule_id,
            ends=of.end_of(kind, until=until, hours=hours, now=now),
            by=by,
            reason=reason,
            now=now,
        )
        return silences.put(session, TENANT, said), of


def _minute(silence: Silence) -> str:
    return f"{silence.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _now() -> datetime:
    return datetime.now(UTC)
