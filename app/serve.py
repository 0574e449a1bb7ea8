"""Everything on one machine: Postgres, collector, API and jobs, and their beginning and end.

Each part is a process, so that a busy one starves no other and one that dies takes none along.
They stop in the order of the path of a span: first nothing new is heard, Postgres goes last.
"""

import socket
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Final

import click
import structlog

from app.children import Child, ChildFailed, environment_of
from app.database import bring_up_to_date, left_behind, opened, server_for
from app.doors import (
    addresses,
    chosen_ports,
    otlp_http_door,
    refuse_strangers,
    refuse_taken,
)
from app.errors import PostgresUnavailable
from app.greeting import greet
from app.life import LifeOfParent, Where
from app.local_postgres import LocalPostgres
from app.pepper import refuse_another_pepper
from app.settings import PREFIX, Settings
from app.telemetry.own_doors import refuse_own_doors
from app.workers import Workers
from store.access.keys import has_keys

log = structlog.get_logger(__name__)

# After a kill -9 the parts of the last serve need a moment to notice.
_DOORS_PATIENCE: Final = 5.0
_DATABASE_PATIENCE: Final = 60.0
_START_SECONDS: Final = 120.0
_TICK: Final = 0.1

Alongside = Callable[[Where, Event], None]
"""Work beside the parts: it is told where they are, and ends when the event is set."""


def run(settings: Settings, *, alongside: Alongside | None = None) -> int:
    """Serves until told to stop, and gives the exit code.

    ``alongside`` runs in a thread from when everything serves. Raises WrongSetting,
    DatabaseUnavailable and PostgresUnavailable before anything is served.
    """
    refuse_own_doors(settings)
    life = LifeOfParent(None, lambda _where: None)
    others = {k: v for k, v in addresses(settings).items() if k != "OTLP_HTTP_ADDR"}
    refuse_taken(others, patience=_DOORS_PATIENCE)
    with otlp_http_door(settings, patience=_DOORS_PATIENCE) as (known, listener):
        return _run(known, listener, life, alongside)


def _run(
    settings: Settings, listener: socket.socket, life: LifeOfParent, alongside: Alongside | None
) -> int:
    if settings.database_url is None and not (settings.data_dir / "postgres").exists():
        click.echo(f"making a Postgres in {settings.data_dir} (once)")
        if left := left_behind(settings):
            click.echo(f"note: its {left} is another database's: is {PREFIX}DATABASE_URL not set?")
    with chosen_ports(settings) as chosen, server_for(settings) as (url, server):
        version = bring_up_to_date(url, wait=_DATABASE_PATIENCE)
        with opened(url, application="serve") as database:
            signs_in = settings.oidc_issuer is not None
            refuse_strangers(addresses(settings), database, people_sign_in=signs_in)
            refuse_another_pepper(settings, database, datetime.now(UTC))
            with database.read() as session:
                keys = has_keys(session)
        house = House(chosen, listener, url, server)
        try:
            house.open(life)
            if not life.stop.is_set():
                greet(
                    chosen,
                    house.where,
                    postgres=f"{version}, {_where_kept(settings, server)}",
                    first_steps=alongside is None,
                    keys=keys,
                )
                house.keep(life, _start(alongside, house.where, life.stop))
            code = 0
        except ChildFailed as failure:
            click.echo(str(failure), err=True)
            code = failure.code
        finally:
            house.close(life)
            if server:
                click.echo("Postgres, ", nl=False)
    click.echo("done.")
    return code


class House:
    """The parts, and the Postgres beneath them."""

    def __init__(
        self,
        settings: Settings,
        listener: socket.socket,
        url: str,
        server: LocalPostgres | None,
    ) -> None:
        self._settings = settings
        self._url = url
        self._server = server
        self._workers = Workers(settings.collector_workers, listener)
        # Also the order in which they stop.
        self._children: list[Workers | Child] = [self._workers, Child("jobs"), Child("api")]
        self._recover_at = 0.0

    @property
    def where(self) -> Where:
        """Where everything that serves is."""
        known: Where = {}
        for child in self._children:
            known |= child.where or {}
        return known

    def open(self, life: LifeOfParent) -> None:
        """Starts all parts and waits until they serve. Raises ChildFailed."""
        for child in self._children:
            child.start(self._environment())
        deadline = time.monotonic() + _START_SECONDS
        while not life.stop.is_set():
            self.tend()
            waiting = [child.name for child in self._children if child.where is None]
            if not waiting:
                return
            if time.monotonic() > deadline:
                raise ChildFailed(waiting[0], 1)
            life.stop.wait(0.02)

    def keep(self, life: LifeOfParent, worker: Thread | None) -> None:
        """Brings back what dies, until told to stop; then lets ``alongside`` come to its end."""
        while not life.stop.wait(_TICK):
            if life.asked_to_replace():
                self._workers.replace()
            self.tend()
        if worker:
            worker.join(timeout=5)

    def tend(self) -> None:
        """Brings back what died."""
        if self._server and not self._server.alive() and time.monotonic() > self._recover_at:
            self._recover(self._server)
        for child in self._children:
            child.tend(self._environment)

    def close(self, life: LifeOfParent) -> None:
        """Stops the parts, one after the other, each with what it has in hand done."""
        click.echo("\nstopping: ", nl=False)
        for child in self._children:
            in_order = child.stop(hurried=lambda: life.hurry)
            click.echo(f"{child.name}{'' if in_order else ' (killed)'}, ", nl=False)

    def _recover(self, server: LocalPostgres) -> None:
        log.error("Postgres died", log=str(self._settings.data_dir / "postgres.log"))
        try:
            server.recover()
        except PostgresUnavailable as error:
            self._recover_at = time.monotonic() + 5
            log.error("Postgres does not come back", why=str(error), again_in="5 s")  # noqa: TRY400  # no traceback: it says it all
            return
        log.warning("Postgres is back", port=server.port)
        if server.url != self._url:
            # Somebody took its port meanwhile. The parts know the old one.
            self._url = server.url
            for child in self._children:
                child.stop(hurried=lambda: False)
                child.start(self._environment())

    def _environment(self) -> Mapping[str, str]:
        return environment_of(self._settings, self._url)


def _start(alongside: Alongside | None, where: Where, stop: Event) -> Thread | None:
    if alongside is None:
        return None
    worker = Thread(target=alongside, args=[where, stop], daemon=True)
    worker.start()
    return worker


def _where_kept(settings: Settings, server: LocalPostgres | None) -> str:
    return f"our own, in {settings.data_dir}" if server else f"at {PREFIX}DATABASE_URL"
