"""``spanledger alerts test``: tries out a channel."""

from datetime import UTC, datetime
from secrets import token_hex

import click

from app.commands.channels import named
from app.database import database_for
from app.job_settings import job_settings
from app.settings import read_settings
from jobs.context import JobContext
from jobs.delivery.try_out import Sample, try_out
from spend.channels.sample_notice import sample
from store.channels.channels import all_channels
from store.tenants import TENANT


@click.command(
    "test",
    short_help="Send a sample.",
    epilog="\b\nExample:\n  spanledger alerts test search",
)
@click.argument("channel", metavar="[NAME|ID]", required=False)
def command(channel: str | None) -> None:
    """Send a sample to a channel now, as an alert would be sent, quiet hours or not.

    Without a channel: to SPANLEDGER_SLACK_WEBHOOK_URL, or, where that is not set, to the first
    default channel. Ends with 1 unless it was taken, and says what was answered.
    """
    settings = read_settings()
    with database_for(settings) as database:
        found = None
        with database.read() as session:
            if channel is not None:
                found = named(session, channel)
            elif settings.slack_webhook_url is None:
                there = all_channels(session, TENANT)
                found = next((each for each in there if each.default), None)
        channel_id = None if found is None else found.id
        name = "the webhook of the settings" if found is None else found.name
        told = name if found is None else f"channel {name}"
        context = JobContext(database, datetime.now(UTC), job_settings(settings), by_hand=True)
        notice = sample(name, "spanledger alerts test")
        sent = try_out(context, Sample(channel_id, notice, token_hex(8)))
    if sent.status != "sent":
        raise click.ClickException(f"{told} did not take it: {sent.last_error}")
    click.echo(f"{told} took it: message {sent.id}")
