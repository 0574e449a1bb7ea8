"""``spanledger channels listen``: alerts, received on this machine."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from secrets import token_hex
from threading import Event
from typing import Any, Final

import click
from sqlalchemy.orm import Session

from app.database import database_for
from app.life import Life
from app.listener import Listener, is_left_behind, listening
from app.pepper import pepper_for
from app.refusals import refusals_told
from app.settings import PREFIX, read_settings
from jobs.delivery.deliver import REFUSED
from spend.channels.channels import Channel, ChannelSecret, ChannelTerms, channel_terms
from spend.channels.notices import SAMPLE
from spend.channels.sample_notice import sample
from store.access.secrets import Seal, SealedElsewhere, new_signing_key
from store.channels import channels
from store.channels.channel_deliveries import delivery, put_sample
from store.channels.channel_removal import remove
from store.postgres.sessions import Database
from store.tenants import TENANT

_TICK: Final = 0.5
_PATIENCE: Final = 30
"""Seconds until somebody is told that nothing was sent yet: the job that sends runs every 10."""
_COLOURS: Final = {"over": "red", "warning": "yellow", "ok": "green"}


@click.command(
    "listen",
    short_help="Receive alerts here.",
    epilog="\b\nExample:\n  spanledger channels listen --team search",
)
@click.option("--name", default="listener", show_default=True, help="What the channel is called.")
@click.option("--team", "teams", multiple=True, help="Whose alerts come here. Repeatable.")
@click.option("--once", is_flag=True, help="End after the first alert.")
@click.option("--json", "as_json", is_flag=True, help="Each message as it came, in a line.")
def command(name: str, teams: tuple[str, ...], *, once: bool, as_json: bool) -> None:
    """Receive alerts in this terminal: to see one arrive, or what your own webhook will get.

    Makes a channel, a webhook on this machine, and removes it at the end (Ctrl-C). Without --team
    it gets what no team's channel takes. What sends, spanledger serve or jobs, has to run on this
    machine with SPANLEDGER_ALLOW_PRIVATE_DESTINATIONS=true: it sends nothing to the inside of a
    network otherwise. A sample comes first, and shows that the way is open.
    """
    settings = read_settings()
    seal = Seal(pepper_for(settings))
    key = new_signing_key()
    life = Life(None, lambda _where: None)
    with (
        refusals_told(channels.NameTaken, channels.NoSuchChannel, SealedElsewhere),
        database_for(settings) as database,
        listening(key) as listener,
    ):
        terms = channel_terms(name=name, kind="webhook", teams=teams, default=not teams)
        with _channel(database, terms, ChannelSecret(listener.url, key), seal) as channel:
            gets = f"alerts of {', '.join(teams)}" if teams else "what no team's channel takes"
            click.echo(f"listening at {listener.url} for {gets}; Ctrl-C ends it", err=True)
            way = _Way(database, channel)
            for message in _messages(listener, way, life.stop):
                click.echo(json.dumps(message, ensure_ascii=False) if as_json else "", nl=as_json)
                if not as_json:
                    _show(message["data"])
                if once:
                    break


@contextmanager
def _channel(
    database: Database, terms: ChannelTerms, secret: ChannelSecret, seal: Seal
) -> Iterator[Channel]:
    """The channel, as long as the block lasts."""
    with database.write() as session:
        now = datetime.now(UTC)
        _remove_left_behind(session, terms.name, seal, now)
        channel = channels.create(session, TENANT, terms, secret, seal=seal, now=now)
    try:
        yield channel
    finally:
        # Somebody may have removed it meanwhile.
        with suppress(channels.NoSuchChannel), database.write() as session:
            remove(session, TENANT, channel.id, datetime.now(UTC))


def _remove_left_behind(session: Session, name: str, seal: Seal, now: datetime) -> None:
    """A channel of that name leads to this machine, and nobody listens: its command was killed."""
    for each in channels.all_channels(session, TENANT):
        if each.name == name and each.kind == "webhook":
            secret = channels.opened(session, TENANT, each.id, seal).secret
            if secret is not None and is_left_behind(secret.text):
                remove(session, TENANT, each.id, now)


class _Way:
    """Whether messages get here: found out with a sample, which goes as an alert would."""

    def __init__(self, database: Database, channel: Channel) -> None:
        self._database = database
        self._began = time.monotonic()
        self._told = ""
        self._open = False
        notice = sample(channel.name, "spanledger channels listen")
        with database.write() as session:
            now = datetime.now(UTC)
            self._sample = put_sample(session, TENANT, channel.id, notice, token_hex(8), now)

    def is_open(self) -> None:
        """Something arrived."""
        if not self._open:
            click.echo("a sample arrived: alerts will, too", err=True)
        self._open = True

    def look(self) -> None:
        """Says what is in the way. Raises ClickException for what does not go away by itself."""
        if self._open:
            return
        with self._database.read() as session:
            found = delivery(session, TENANT, self._sample)
        if found.last_error and found.last_error.startswith(REFUSED):
            raise click.ClickException(
                "what sends the alerts may not send them to this machine: start spanledger serve"
                f" with {PREFIX}ALLOW_PRIVATE_DESTINATIONS=true"
            )
        said = found.last_error or ""
        if not found.attempts and time.monotonic() > self._began + _PATIENCE:
            said = "nothing was sent yet: does spanledger serve, or jobs, run?"
        if said and said != self._told:
            click.echo(said, err=True)
        self._told = said


def _messages(listener: Listener, way: _Way, stop: Event) -> Iterator[dict[str, Any]]:
    """What arrives, but for the sample, until told to stop."""
    while not stop.is_set():
        message = listener.next(_TICK)
        if message is None:
            way.look()
            continue
        way.is_open()
        if message["data"]["kind"] != SAMPLE:
            yield message


def _show(notice: dict[str, Any]) -> None:
    """A notice, as docs/delivery.md says, for people."""
    level = notice["level"]
    click.echo(f"\n{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC  ", nl=False)
    click.secho(level, fg=_COLOURS.get(level), nl=False)
    click.secho(f"  {notice['title']}", bold=True)
    wide = max((len(each["label"]) for each in notice["facts"]), default=0)
    lines = [f"{each['label']:{wide}}  {each['value']}" for each in notice["facts"]]
    for table in notice["tables"]:
        lines += [table["title"], *("  ".join(row) for row in table["rows"])]
    lines += notice["paragraphs"]
    if notice["link"]:
        lines.append(notice["link"])
    for line in lines:
        click.echo(f"  {line}")
