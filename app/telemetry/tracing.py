"""Whether a process of ours is traced. Where it is not, nothing of it is loaded or begun."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from app.settings import Settings
from store.postgres.sessions import Database
from store.steps import Lost, Steps, none_lost, untold

AsgiApp = Callable[..., Any]


def _no_statements(_database: Database) -> None:
    pass


def _as_it_is(app: AsgiApp) -> AsgiApp:
    return app


@dataclass(frozen=True, slots=True)
class Tracing:
    """What makes spans of what a process does; as it is without arguments, nothing does."""

    steps: Steps = untold
    """For those who do work in steps."""
    statements_of: Callable[[Database], None] = _no_statements
    """Makes spans of a database's statements, inside of other spans."""
    around: Callable[[AsgiApp], AsgiApp] = _as_it_is
    """Makes spans of the requests that an ASGI application answers."""
    lost: Lost = none_lost
    """How many of these spans nobody got."""


@contextmanager
def tracing(settings: Settings, process: str) -> Iterator[Tracing]:
    """What traces this process (collector, jobs or api) for as long as the block lasts.

    At its end what was seen is sent, within a few seconds. Every process has its own: nothing of it
    is inherited.
    """
    if settings.telemetry_endpoint is None:
        yield Tracing()
        return
    # OpenTelemetry's SDK takes half a second to load, which only those wait for who want it.
    traced: AbstractContextManager[Tracing] = import_module("app.telemetry.provider").traced(
        settings.telemetry_endpoint, settings.telemetry_headers, settings.telemetry_sample, process
    )
    with traced as found:
        yield found
