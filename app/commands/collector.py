"""``spanledger collector``: hears spans, and nothing else."""

import click

from app.children import ChildFailed, environment_of
from app.database import server_for
from app.doors import addresses, chosen_ports, otlp_http_door
from app.first_look import look_after_database
from app.life import LifeOfParent, Where
from app.logs import configure_logs
from app.pepper import pepper_for
from app.settings import Settings, read_settings
from app.telemetry.own_doors import refuse_own_doors
from app.workers import Workers

_TICK = 0.05


@click.command(
    short_help="Run the collector alone",
    epilog="\b\nExample:\n  SPANLEDGER_DATABASE_URL=postgresql://… spanledger collector",
)
@click.option("--parent", type=int, hidden=True)
def command(parent: int | None) -> None:
    """Hear OTLP over HTTP and gRPC, and write down the calls that spans report.

    Runs SPANLEDGER_COLLECTOR_WORKERS processes behind one socket, and brings back those that die.
    Any number of collectors may run, on one machine or many, over one database; those of one
    machine share their port. Stops on Ctrl-C or SIGTERM when everything that it heard is answered;
    SIGUSR2 puts new workers in place of those that run, without a gap.

    More: docs/otlp.md
    """
    settings = read_settings()
    configure_logs("collector")
    refuse_own_doors(settings)
    life = LifeOfParent(parent, lambda where: _say(where, settings.scheme))
    pepper_for(settings)
    with (
        otlp_http_door(settings, shared=True) as (known, listener),
        chosen_ports(known) as chosen,
        server_for(chosen) as (url, _server),
    ):
        doors = addresses(settings)
        del doors["API_ADDR"]
        look_after_database(chosen, url, doors, life.stop)
        workers = Workers(chosen.collector_workers, listener)
        try:
            _keep(workers, chosen, url, life)
        except ChildFailed as failure:
            raise SystemExit(failure.code) from None
        finally:
            workers.stop(hurried=lambda: life.hurry)


def _keep(workers: Workers, settings: Settings, url: str, life: LifeOfParent) -> None:
    """Keeps them at work until told to stop. Raises ChildFailed."""
    workers.start(environment_of(settings, url))
    ready = False
    while not life.stop.wait(_TICK):
        if life.asked_to_replace():
            workers.replace()
        workers.tend(lambda: environment_of(settings, url))
        if workers.where and not ready:
            ready = True
            life.ready(workers.where)


def _say(where: Where, scheme: str) -> None:
    http, grpc = where["otlp_http"], where["otlp_grpc"]
    click.echo(f"hears OTLP/HTTP at {scheme}://{http}, OTLP/gRPC at {grpc}")
