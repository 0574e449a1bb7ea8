"""``spanledger serve``: everything on this machine."""

import click

from app import serve
from app.logs import configure_logs
from app.settings import read_settings


@click.command(
    short_help="Run everything on this machine",
    epilog="\b\nExample:\n  SPANLEDGER_DATA_DIR=~/spend spanledger serve",
)
@click.pass_context
def command(context: click.Context) -> None:
    """Run everything on this machine: Postgres, collector, jobs and API.

    Uses the Postgres at SPANLEDGER_DATABASE_URL, or runs one of its own in SPANLEDGER_DATA_DIR
    and finds its data again the next time. Ctrl-C stops everything in good order, a second one in
    a hurry.
    """
    configure_logs("serve")
    context.exit(serve.run(read_settings()))
