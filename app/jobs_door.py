"""Opens the door of the jobs' process, where one is asked for."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Final

import click
import uvicorn

from app.doors import listen
from app.pepper import pepper_for
from app.quiet_server import QuietServer
from app.settings import Settings
from app.tls import keep_fresh, server_context
from jobs.askers import Askers
from jobs.door import JobsDoor
from jobs.run_counts import RunCounts
from store.postgres.pulse import Pulse
from store.postgres.sessions import Database
from store.steps import Lost, none_lost

_GRACE: Final = 2
_AT_ONCE: Final = 100
"""Connections. Who asks is a supervisor and a Prometheus or two."""


@contextmanager
def jobs_door(
    settings: Settings,
    database: Database,
    counts: RunCounts,
    stop: Event,
    lost: Lost = none_lost,
) -> Iterator[str | None]:
    """Answers in a thread while the block lasts; gives the address, or None: there is no door.

    Raises click's exception where somebody else listens there.
    """
    if settings.jobs_addr is None:
        yield None
        return
    try:
        listener = listen(settings.jobs_addr)
    except OSError as error:
        raise click.ClickException(str(error.strerror)) from error
    tls = server_context(settings)
    shown = keep_fresh(settings, tls, stop, door="jobs")
    pulse = Pulse(database)
    askers = Askers(database, pulse, pepper_for(settings), lambda: datetime.now(UTC))
    config = uvicorn.Config(
        JobsDoor(counts, pulse, askers, shown, lost),
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        limit_concurrency=_AT_ONCE,
        ssl_context_factory=None if tls is None else lambda _config, _usual: tls,
        timeout_graceful_shutdown=_GRACE,
    )
    server = QuietServer(config)
    with listener:
        serving = Thread(target=server.run, args=[[listener]], name="door", daemon=True)
        serving.start()
        host, port = listener.getsockname()[:2]
        try:
            yield f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        finally:
            server.should_exit = True
            serving.join(_GRACE + 1)
