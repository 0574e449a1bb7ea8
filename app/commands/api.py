"""``spanledger api``: answers, and nothing else."""

import app.without_pandas  # isort: skip  # noqa: F401  # before anything loads pyarrow

import ssl
from dataclasses import replace
from datetime import UTC, datetime
from threading import Thread

import click
import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.settings import ApiSettings
from app.channel_secrets import checks_of
from app.database import database_for
from app.doors import addresses, listen, refuse_strangers
from app.garbage import look_seldom
from app.life import Life
from app.logs import configure_logs
from app.pepper import pepper_for, refuse_another_pepper
from app.quiet_server import QuietServer
from app.replica import replica_for
from app.settings import Settings, read_settings
from app.sign_on import client_of
from app.telemetry.own_doors import refuse_own_doors
from app.telemetry.tracing import AsgiApp, Tracing, tracing
from app.tls import keep_fresh, server_context

_PATIENCE = 60
_GRACE = 10
_SESSIONS = 16
"""Requests that talk to the database at a time, twice that in a burst."""


@click.command(
    short_help="Run the API alone",
    epilog="\b\nExample:\n  SPANLEDGER_DATABASE_URL=postgresql://… spanledger api",
)
@click.option("--parent", type=int, hidden=True)
def command(parent: int | None) -> None:
    """Answer questions over REST, and show the pages.

    Any number may run over one database; each answers everything.

    More: docs/api.md
    """
    settings = read_settings()
    configure_logs("api")
    if parent is None:
        refuse_own_doors(settings)
    life = Life(parent, lambda where: click.echo(f"answers at {settings.scheme}://{where['api']}"))
    doors = {"API_ADDR": addresses(settings)["API_ADDR"]}
    with (
        database_for(
            settings, application="api", migrates=True, wait=_PATIENCE, pool_size=_SESSIONS
        ) as database,
        tracing(settings, "api") as traced,
        replica_for(settings, database, pool_size=_SESSIONS, trace=traced.statements_of) as replica,
    ):
        traced.statements_of(database)
        if parent is None:
            refuse_strangers(doors, database, people_sign_in=settings.oidc_issuer is not None)
            refuse_another_pepper(settings, database, _now())
        try:
            listener = listen(settings.api_addr)
        except OSError as error:
            raise click.ClickException(str(error.strerror)) from error
        with listener:
            tls = server_context(settings)
            shown = keep_fresh(settings, tls, life.stop, door="api")
            known = replace(api_settings(settings), certificates=shown, own_spans_lost=traced.lost)
            app = create_app(database, known, _now, replica)
            server = _server(app, tls, traced)

            def attend() -> None:
                while not server.started and not life.stop.wait(0.02):
                    pass
                host, port = listener.getsockname()[:2]
                life.ready({"api": f"[{host}]:{port}" if ":" in host else f"{host}:{port}"})
                life.stop.wait()
                server.should_exit = True

            Thread(target=attend, daemon=True).start()
            server.run(sockets=[listener])


def api_settings(settings: Settings) -> ApiSettings:
    """What the API is told of the settings."""
    checks = checks_of(settings)
    return ApiSettings(
        currency=settings.currency,
        rate_policy=settings.rate_policy,
        timezone=settings.zone,
        fiscal_year=settings.fiscal_year,
        key_pepper=pepper_for(settings),
        open_without_keys=settings.api_addr.is_loopback and settings.oidc_issuer is None,
        otlp_http_url=settings.otlp_http_addr.url_of(settings.scheme),
        allow_private_destinations=settings.allow_private_destinations,
        addresses_of=checks.addresses_of,
        has_apprise=checks.has_apprise,
        session_lasts=settings.session_lasts,
        trusted_proxies=settings.trusted_proxies,
        pages_url=settings.pages_url or settings.api_addr.url_of(settings.scheme),
        oidc=client_of(settings),
    )


def _server(app: FastAPI, tls: ssl.SSLContext | None, traced: Tracing) -> QuietServer:
    # The first requests would make it, beside the routes that it is made of.
    app.openapi()
    look_seldom()
    return serving(traced.around(app), tls)


def serving(app: AsgiApp, tls: ssl.SSLContext | None) -> QuietServer:
    """A server of the API, over TLS or in the open, that does not listen yet."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        ssl_context_factory=None if tls is None else lambda _config, _usual: tls,
        timeout_graceful_shutdown=_GRACE,
    )
    return QuietServer(config)


def _now() -> datetime:
    return datetime.now(UTC)
