"""``spanledger migrate``: the newest shape of the database, on request on a cluster of Citus."""

import click
import psycopg

from app.database import bring_up_to_date, server_for
from app.errors import DatabaseUnavailable
from app.logs import configure_logs
from app.settings import read_settings
from migrations.citus import CannotDistributeError, distribute, steps

_PATIENCE = 60
"""Seconds for a Postgres that is just starting, as beside it in a compose file."""


@click.command(
    short_help="Bring the database to the newest shape",
    epilog="\b\nExample:\n  SPANLEDGER_DATABASE_URL=postgresql://… spanledger migrate\n"
    "  SPANLEDGER_DATABASE_URL=postgresql://… spanledger migrate --citus --dry-run",
)
@click.option("--citus", is_flag=True, help="Then spread the big tables over a cluster of Citus.")
@click.option("--dry-run", is_flag=True, help="With --citus: only print the SQL of that.")
@click.option("--any-size", is_flag=True, help="With --citus: also tables that take minutes.")
def command(*, citus: bool, dry_run: bool, any_size: bool) -> None:
    """Bring the database to the newest shape.

    serve, collector, jobs and api do so when they start, and nothing else does. Run it before them
    where they connect as a user that may not change tables. Harmless to repeat, and to run from
    several places at once. A Postgres that is away is waited for, a minute at most.

    With --citus the tables that grow with every call are then spread over the nodes, and those that
    they are joined with are copied to each (docs/citus.md). Nobody can write to a table meanwhile.
    """
    if (dry_run or any_size) and not citus:
        raise click.UsageError("--dry-run and --any-size go with --citus")
    settings = read_settings()
    configure_logs("migrate")
    with server_for(settings) as (url, _server):
        if not dry_run:
            version = bring_up_to_date(url, wait=_PATIENCE)
            click.echo(f"the database has the newest shape (Postgres {version})")
        if citus:
            _spread(url, dry_run=dry_run, any_size=any_size)


def _spread(url: str, *, dry_run: bool, any_size: bool) -> None:
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SET lock_timeout = '10s'")
            waiting = steps(connection, any_size=any_size)
            if not waiting:
                click.echo("citus: every table is where it belongs")
            elif dry_run:
                for step in waiting:
                    click.echo("\n".join(f"{each};" for each in step.statements))
            else:
                distribute(connection, click.echo, any_size=any_size)
    except CannotDistributeError as error:
        raise DatabaseUnavailable(str(error)) from None
    except psycopg.errors.LockNotAvailable as error:
        raise DatabaseUnavailable(
            f"somebody holds a table for too long, try again: {error}"
        ) from None
