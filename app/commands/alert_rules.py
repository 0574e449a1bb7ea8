"""``spanledger alert-rules``: what is watched besides budgets, and where it stands."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

import click
from rich.table import Column, Table
from rich.text import Text
from sqlalchemy.orm import Session

from app.commands.rule_options import said_by, said_in
from app.database import database_for
from app.refusals import refusals_told
from app.settings import read_settings
from app.tables import right, show, shown
from spend.alerts.alert_rules import Rule, level_of
from spend.alerts.rule_kinds import KINDS
from spend.alerts.rule_states import LEVELS
from spend.alerts.rule_words import said, value_of
from spend.budgets.budgets import filter_text
from spend.called import called
from store.alerts import alert_rules, rule_states
from store.alerts.rule_fields import rule_fields, rule_said
from store.channel_names import channel_names
from store.tenants import TENANT
from store.watched.attempts import attempt

_NONE: Final = "no alert rules: make one with spanledger alert-rules create"


@click.group(
    short_help="Show and set what is watched besides budgets",
    epilog="\b\nExample:\n  spanledger alert-rules create --name errors --kind error-rate --over 5",
)
def command() -> None:
    """Show and set alert rules: what is watched besides budgets.

    A rule measures something each minute, and tells once when it passes a bound, and once when it
    has recovered.

    More: docs/alert-rules.md
    """


@command.command(
    epilog="\b\nExample:\n  spanledger alert-rules create --name 'slow search' --kind latency"
    " --on team=search --over 8000 --set percentile=p99"
)
@click.option("--name", required=True, help="What people call it; no two the same.")
@click.option("--kind", type=click.Choice(tuple(KINDS)), required=True, help="What it measures.")
@said_by
def create(**options: Any) -> None:
    """Set an alert rule, in force at once."""
    with _writing() as session:
        wanted = rule_said(said_in(options), channel_names(session, TENANT), usual=_usual())
        rule = alert_rules.create(session, TENANT, wanted, _now())
    click.echo(f"alert rule {rule.id} is in force")


@command.command(
    "try",
    epilog="\b\nExample:\n  spanledger alert-rules try --kind error-rate --by model --over 5",
)
@click.argument("rule", metavar="[NAME|ID]", required=False)
@click.option("--kind", type=click.Choice(tuple(KINDS)), help="What it measures.")
@said_by
def try_out(rule: str | None, **options: Any) -> None:
    """Show what a rule finds now, one in force or one to be. Nobody is told."""
    now = _now()
    with _writing(reads=True) as session:
        current = None if rule is None else named(session, rule)
        fields = said_in(options)
        if current is None and "kind" not in fields:
            raise click.UsageError("say --kind, or which rule in force")
        wanted = rule_said(
            fields if current else {"name": "a trial"} | fields,
            channel_names(session, TENANT),
            usual=_usual(),
            changes=None if current is None else current.terms,
        )
        tried = Rule(0, 1, wanted, now)
        found = attempt(session, TENANT, tried, now)
    if found.error is not None:
        raise click.ClickException(f"it cannot be measured: {found.error}")
    levels = sorted(
        ((LEVELS.index(level_of(wanted, each)), each.subject, each) for each in found.measured),
        key=lambda each: each[:2],
    )
    table = Table("level", "what", "", box=None, pad_edge=False)
    for level, _, each in levels:
        facts = "; ".join(f"{label}: {text}" for label, text in each.facts)
        table.add_row(LEVELS[level], Text(said(wanted, each)), Text(facts))
    _print(table, "nothing is measured: nothing was heard, or the jobs have not run")


@command.command("list", epilog="\b\nExample:\n  spanledger alert-rules list")
def list_all() -> None:
    """Show the alert rules in force, and how they stand."""
    with database_for(read_settings()) as database, database.read() as session:
        rules = alert_rules.all_in_force(session, TENANT)
        states = rule_states.states(session, TENANT)
    table = Table(
        *(right("id"), "name", Column("kind", no_wrap=True), Column("on", overflow="fold")),
        *(right("warning"), right("over"), "state"),
        box=None,
        pad_edge=False,
    )
    for rule in rules:
        terms = rule.terms
        stand = [each.state.state for each in states.get(rule.id, ())]
        told = [f"{stand.count(state)} {state}" for state in dict.fromkeys(sorted(stand))]
        fields = rule_fields(terms, {})
        table.add_row(
            str(rule.id),
            Text(terms.name),
            terms.kind,
            Text(filter_text(terms.filter) + (f" by {', '.join(terms.by)}" if terms.by else "")),
            fields["warning"] or "",
            fields["over"] or "",
            ", ".join(told) or "nothing measured",
        )
    _print(table, _NONE)


@command.command("show", epilog="\b\nExample:\n  spanledger alert-rules show errors")
@click.argument("rule", metavar="NAME|ID")
def show_one(rule: str) -> None:
    """Show what an alert rule says, and where its subjects stand."""
    with database_for(read_settings()) as database, database.read() as session:
        found = named(session, rule)
        fields = rule_fields(found.terms, channel_names(session, TENANT))
        states = rule_states.states(session, TENANT, found.id).get(found.id, [])
        opened = rule_states.opened(session, TENANT)
    for field, value in fields.items():
        if value not in (None, [], {}, ""):
            click.echo(f"{field + ':':17}{_written(value)}")
    table = Table("subject", "state", "since", right("measured"), "as of", "", box=None)
    for each in states:
        ids = [str(one.id) for one in opened.get((found.id, each.subject), ())]
        open_ = f"alert {', '.join(ids)}" if ids else ""
        table.add_row(
            Text(each.subject or "(all)"),
            each.state.state,
            shown(each.state.since),
            "" if each.found is None else value_of(each.found),
            "" if each.found is None else shown(each.found.end),
            Text("; ".join(filter(None, (open_, each.last_error)))),
        )
    click.echo()
    _print(table, "nothing is measured yet: nothing was heard of it, or the job watch has not run")


@command.command(
    epilog="\b\nExample:\n  spanledger alert-rules change errors --over 10 --owner 'on call'"
)
@click.argument("rule", metavar="NAME|ID")
@click.option("--name", help="What people call it; no two the same.")
@said_by
def change(rule: str, **options: Any) -> None:
    """Change an alert rule, at once."""
    with _writing() as session:
        current = named(session, rule)
        names = channel_names(session, TENANT)
        wanted = rule_said(said_in(options), names, usual=_usual(), changes=current.terms)
        made = alert_rules.change(session, TENANT, current.id, wanted, _now())
    if made.version == current.version:
        click.echo(f"alert rule {made.id} says that already")
    else:
        click.echo(f"version {made.version} of alert rule {made.id} is in force")


@command.command(epilog="\b\nExample:\n  spanledger alert-rules close errors")
@click.argument("rule", metavar="NAME|ID")
def close(rule: str) -> None:
    """End an alert rule: it is no longer measured."""
    with _writing() as session:
        current = named(session, rule)
        alert_rules.close(session, TENANT, current.id, _now())
    click.echo(f"alert rule {current.id} is closed")


def named(session: Session, asked: str) -> Rule:
    """The rule in force of a name, or else of an id. Raises ClickException."""
    held = alert_rules.all_in_force(session, TENANT)
    one = called(asked, held, lambda each: (each.terms.name, each.id))
    if one is not None:
        return one
    raise click.ClickException(f"no alert rule {asked[:100]} is in force")


@contextmanager
def _writing(*, reads: bool = False) -> Iterator[Session]:
    """A transaction; tells why a rule cannot be as it was said."""
    with (
        refusals_told(alert_rules.RuleNameTaken, alert_rules.NoSuchRule),
        database_for(read_settings()) as database,
        database.read() if reads else database.write() as session,
    ):
        yield session


def _usual() -> dict[str, str]:
    """What the ledger is kept in."""
    settings = read_settings()
    return {"currency": settings.currency, "timezone": settings.timezone}


def _written(value: Any) -> str:
    if isinstance(value, Mapping):
        return filter_text(value)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _now() -> datetime:
    return datetime.now(UTC)


def _print(table: Table, empty: str) -> None:
    if table.row_count:
        show(table)
    else:
        click.echo(empty)
