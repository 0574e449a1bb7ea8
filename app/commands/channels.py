"""``spanledger channels``: where alerts go."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import click
from rich.table import Column, Table
from rich.text import Text
from sqlalchemy.orm import Session

from app.channel_secrets import checks_of, secret_said
from app.commands import channel_listen
from app.database import database_for
from app.pepper import pepper_for
from app.refusals import refusals_told
from app.settings import read_settings
from app.tables import right, show
from spend.called import called
from spend.channels.channel_words import gets, where
from spend.channels.channels import (
    KINDS,
    LEVELS,
    Channel,
    channel_as_said,
    channel_secret,
    channel_terms,
)
from store.access.secrets import Seal, SealedElsewhere, new_signing_key
from store.channels import channels
from store.channels.channel_deliveries import Delivery, latest
from store.channels.channel_removal import remove
from store.tenants import TENANT

_CONFLICTS: Final = (channels.NameTaken, channels.NoSuchChannel, SealedElsewhere)
_WHAT: Final = {
    "slack-webhook": "The webhook's URL",
    "slack-bot": "The bot's token",
    "webhook": "The webhook's URL",
    "apprise": "The URL of Apprise",
}
_Command = Callable[..., Any]


@click.group(
    short_help="Show and set where alerts go",
    epilog="\b\nExample:\n  spanledger channels add --name search --kind slack-webhook"
    " --team search",
)
def command() -> None:
    """Show and set where alerts go.

    An alert goes to the channels that its budget or rule names, else to those of its team, else to
    the default ones, else to SPANLEDGER_SLACK_WEBHOOK_URL. To try one out: spanledger alerts test.

    More: docs/channels.md
    """


command.add_command(channel_listen.command)


def _terms(does: _Command) -> _Command:
    options = (
        click.option("--to", multiple=True, help="A recipient; of a Slack bot, a channel's id."),
        click.option("--team", "teams", multiple=True, help="Whose alerts go there. Repeatable."),
        click.option("--default/--no-default", default=None, help="What no team's channel takes."),
        click.option("--levels", type=click.Choice(LEVELS), help="All alerts, or what is over."),
        click.option("--digest/--no-digest", default=None, help="The weekly digest, too."),
        click.option(
            "--quiet",
            multiple=True,
            metavar="TIMES",
            help="When it is left alone: 22:00-07:00, or '00:00-00:00 saturday,sunday'."
            " Repeatable.",
        ),
        click.option(
            "--quiet-zone", metavar="ZONE", help="Of these.  [of a new one: the settings']"
        ),
        click.option("--over-waits", is_flag=True, help="In these what is over waits, too."),
        click.option(
            "--secret-from-stdin", "from_stdin", is_flag=True, help="Its URL or token: a line."
        ),
        click.option(
            "--secret-from-env", "from_env", metavar="NAME", help="Or from this variable."
        ),
        click.option(
            "--signing-key-from-env", "key_from_env", metavar="NAME", help="Of a webhook."
        ),
    )
    for option in reversed(options):
        does = option(does)
    return does


@command.command(
    short_help="Make a channel.",
    epilog="\b\nExample:\n  spanledger channels add --name finance --kind email"
    " --to ann@example.com --digest",
)
@click.option("--name", required=True, help="What people call it; no two the same.")
@click.option("--kind", type=click.Choice(KINDS), required=True, help="What sort of place it is.")
@_terms
def add(
    name: str,
    kind: str,
    *,
    from_stdin: bool,
    from_env: str | None,
    key_from_env: str | None,
    **options: Any,
) -> None:
    """Make a channel; it asks for its URL or token."""
    settings = read_settings()
    seal = Seal(pepper_for(settings))
    with refusals_told(*_CONFLICTS):
        terms = channel_terms(name=name, kind=kind, **_said(options), zone=settings.timezone)
        text = key = made = None
        if kind in _WHAT:
            text = secret_said(_WHAT[kind], from_stdin=from_stdin, from_env=from_env)
        if key_from_env is not None:
            key = secret_said("The key", from_stdin=False, from_env=key_from_env)
        elif kind == "webhook":
            key = made = new_signing_key()
        secret = channel_secret(kind, text, key, checks_of(settings))
        with database_for(settings) as database, database.write() as session:
            channel = channels.create(session, TENANT, terms, secret, seal=seal, now=_now())
    click.echo(f"channel {channel.id} ({channel.name}) is in force")
    if made is not None:
        click.echo(made)
        click.echo("Messages are signed with this key. It is shown this once only.", err=True)


@command.command("list", epilog="\b\nExample:\n  spanledger channels list")
def list_all() -> None:
    """Show the channels, and what became of the latest message to each."""
    with database_for(read_settings()) as database, database.read() as session:
        found = channels.all_channels(session, TENANT)
        deliveries = latest(session, TENANT)
    if not found:
        click.echo("no channels: alerts go to SPANLEDGER_SLACK_WEBHOOK_URL")
        return
    wide = (Column(name, overflow="fold") for name in ("name", "kind", "to", "gets", "latest"))
    table = Table(right("id"), *wide, box=None, pad_edge=False)
    for each in found:
        table.add_row(
            str(each.id),
            Text(each.name),
            each.kind,
            Text(where(each)),
            Text(gets(each)),
            Text(_latest(deliveries.get(each.id))),
        )
    show(table)


@command.command(
    short_help="Change a channel.",
    epilog="\b\nExample:\n  spanledger channels change search --levels over --team search",
)
@click.argument("channel", metavar="NAME|ID")
@click.option("--name", help="What people call it from now on.")
@click.option("--no-quiet", is_flag=True, help="Never left alone.")
@click.option("--secret", "ask", is_flag=True, help="Asks for another URL or token.")
@_terms
def change(
    channel: str,
    *,
    name: str | None,
    no_quiet: bool,
    ask: bool,
    from_stdin: bool,
    from_env: str | None,
    key_from_env: str | None,
    **options: Any,
) -> None:
    """Change a channel: what is said replaces what was, the rest stays."""
    settings = read_settings()
    said = _said(options) | ({} if name is None else {"name": name})
    if no_quiet:
        said["quiet"] = None
    secrets = {}
    with database_for(settings) as database, refusals_told(*_CONFLICTS):
        with database.read() as session:
            current = named(session, channel)
        if ask or from_stdin or from_env is not None:
            what = _WHAT.get(current.kind, "The secret")
            secrets["secret"] = secret_said(what, from_stdin=from_stdin, from_env=from_env)
        if key_from_env is not None:
            key = secret_said("The key", from_stdin=False, from_env=key_from_env)
            secrets["signing_key"] = key
        if not said and not secrets:
            raise click.UsageError("say what is to be changed")
        terms = channel_terms(**(channel_as_said(current) | said), zone=settings.timezone)
        seal = Seal(pepper_for(settings))
        with database.write() as session:
            secret = channels.changed_secret(
                session, TENANT, current, secrets, seal=seal, checks=checks_of(settings)
            )
            channels.change(session, TENANT, current.id, terms, secret, seal=seal)
    click.echo(f"channel {current.id} ({terms.name}) is changed")


@command.command(
    "remove",
    short_help="Remove a channel.",
    epilog="\b\nExample:\n  spanledger channels remove search",
)
@click.argument("channel", metavar="NAME|ID")
def end(channel: str) -> None:
    """Remove a channel; what waits for it goes where it would go without it."""
    with database_for(read_settings()) as database, database.write() as session:
        found = named(session, channel)
        remove(session, TENANT, found.id, _now())
    click.echo(f"channel {found.id} ({found.name}) is removed")


def named(session: Session, asked: str) -> Channel:
    """The channel of a name, or else of an id. Raises ClickException."""
    found = channels.all_channels(session, TENANT)
    one = called(asked, found, lambda each: (each.name, each.id))
    if one is not None:
        return one
    there = ", ".join(each.name for each in found) or "none"
    raise click.ClickException(f"there is no channel {asked[:100]}: there are {there}")


def _said(options: dict[str, Any]) -> dict[str, Any]:
    """The fields that options say; those that were left out are not among them."""
    times, zone = options.pop("quiet"), options.pop("quiet_zone")
    over_waits = options.pop("over_waits")
    said = {name: value for name, value in options.items() if value not in {None, ()}}
    if times:
        times = [_time(each) for each in times]
        said["quiet"] = {"times": times, "zone": zone, "over_waits": over_waits}
    elif zone or over_waits:
        raise click.UsageError("--quiet-zone and --over-waits go with --quiet")
    return said


def _time(said: str) -> dict[str, Any]:
    hours, _, weekdays = said.strip().partition(" ")
    begins, _, ends = hours.partition("-")
    time: dict[str, Any] = {"from": begins, "to": ends}
    if weekdays:
        time["weekdays"] = [each.strip().lower() for each in weekdays.split(",")]
    return time


def _latest(delivery: Delivery | None) -> str:
    if delivery is None:
        return ""
    at = delivery.sent_at or delivery.written_at
    why = f": {delivery.last_error}" if delivery.last_error else ""
    return f"{delivery.status} {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC{why}"


def _now() -> datetime:
    return datetime.now(UTC)
