"""One worker of the collector: started by app/workers.py, never by hand.

It starts in as little time as it can, for senders wait for it: it neither migrates nor waits for
the database, which its parent has seen to.
"""

import app.without_pandas  # isort: skip  # noqa: F401  # before anything loads pyarrow

import resource
import socket
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import click

from app.life import Life
from app.logs import configure_logs
from app.pepper import pepper_for
from app.settings import Settings, read_settings
from app.telemetry.tracing import tracing
from app.tls import doors_tls
from collector import serve
from collector.limits import Limits
from collector.spool.state import SPOOL, Bounds, Place
from store.postgres.sessions import open_database

_FIRST_TO_GO = "500"
"""Where memory runs out, Linux is to end a worker, which comes back, and not Postgres."""


@click.command()
@click.option("--parent", type=int, required=True)
@click.option("--listener", type=int, required=True)
def main(parent: int, listener: int) -> None:
    """Hear OTLP until the parent says stop, or is gone. Both numbers are of inherited sockets."""
    settings = read_settings()
    configure_logs("collector")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # more than this system gives to anybody
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with suppress(OSError):  # there is none but on Linux
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO)
    life = Life(parent, lambda _where: None)
    database = open_database(str(settings.database_url), application="collector")
    try:
        with tracing(settings, "collector") as traced:
            traced.statements_of(database)
            serve.run(
                database=database,
                http_addr=socket.socket(fileno=listener),
                grpc_addr=str(settings.otlp_grpc_addr),
                pepper=pepper_for(settings),
                ready=life.ready,
                stop=life.stop,
                limits=Limits(origins=settings.otlp_cors_origins),
                spool=_spool(settings),
                tls=doors_tls(settings, life.stop),
                steps=traced.steps,
                lost=traced.lost,
            )
    except OSError as error:
        raise click.ClickException(str(error.strerror or error)) from error
    finally:
        database.engine.dispose()


def _spool(settings: Settings) -> Place | None:
    if not settings.spool:
        return None
    bounds = Bounds(size=settings.spool_bytes, age=timedelta(hours=settings.spool_hours))
    return Place(settings.data_dir / SPOOL, bounds)


if __name__ == "__main__":
    main()
