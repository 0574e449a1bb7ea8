"""``spanledger collector``: hears spans, and nothing else."""

import click

from app.database import database_for
from app.doors import addresses, refuse_strangers
from app.life import Life, Where
from app.logs import configure_logs
from app.pepper import pepper_for
from app.settings import read_settings
from collector import serve
from collector.limits import Limits

_PATIENCE = 60
"""Seconds that a database which is away is waited for at the start."""


@click.command(
    short_help="Run the collector alone",
    epilog="\b\nExample:\n  SPANLEDGER_DATABASE_URL=postgresql://… spanledger collector",
)
@click.option("--parent", type=int, hidden=True)
def command(parent: int | None) -> None:
    """Hear OTLP over HTTP and gRPC, and write down the calls that spans report.

    Any number may run, on one machine or many, over one database; those of one machine share
    their port. Stops on Ctrl-C or SIGTERM when everything that it heard is answered.
    """
    settings = read_settings()
    configure_logs("collector")
    life = Life(parent, _say)
    doors = addresses(settings)
    del doors["API_ADDR"]
    with database_for(settings, application="collector", wait=_PATIENCE) as database:
        if parent is None:
            refuse_strangers(doors, database)
        try:
            serve.run(
                database=database,
                http_addr=str(settings.otlp_http_addr),
                grpc_addr=str(settings.otlp_grpc_addr),
                pepper=pepper_for(settings),
                ready=life.ready,
                stop=life.stop,
                limits=Limits(origins=settings.otlp_cors_origins),
            )
        except OSError as error:
            raise click.ClickException(str(error.strerror or error)) from error


def _say(where: Where) -> None:
    click.echo(f"hears OTLP/HTTP at http://{where['otlp_http']}, OTLP/gRPC at {where['otlp_grpc']}")
