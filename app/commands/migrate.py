"""``spanledger migrate``: the newest shape of the database."""

import click

from app.database import bring_up_to_date, server_for
from app.logs import configure_logs
from app.settings import read_settings


@click.command(
    short_help="Bring the database to the newest shape",
    epilog="\b\nExample:\n  SPANLEDGER_DATABASE_URL=postgresql://… spanledger migrate",
)
def command() -> None:
    """Bring the database to the newest shape.

    serve, collector, jobs and api do so when they start. Run it before them where they connect as
    a user that may not change tables. Harmless to repeat, and to run from several places at once.
    """
    settings = read_settings()
    configure_logs("migrate")
    with server_for(settings) as (url, _server):
        version = bring_up_to_date(url)
    click.echo(f"the database has the newest shape (Postgres {version})")
