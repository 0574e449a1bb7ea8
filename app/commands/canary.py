"""``spanledger canary``: known calls through the public doors of a running system."""

import json
import ssl
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import click
from rich.console import Console
from rich.text import Text

from app.addresses import server_url
from app.canary.doors import READING_KEY, SENDING_KEY, Doors, Trust, Where, keys_shown
from app.canary.promises import TAKEN_GRPC, Proof
from app.canary.run import Run
from app.canary.telling import as_object, as_table, in_short
from app.canary.waiting import Say
from app.logs import configure_logs
from app.settings import Settings, read_settings
from app.tables import show

_INTERRUPTED: Final = 130
_BEYOND: Final = 135
"""Seconds beyond the settle window in which everything is posted, also where much is to be done."""


@click.command(
    short_help="Send known calls, and prove what became of them",
    epilog="\b\nExample:\n  spanledger canary --otlp https://spans.example.com:4318"
    " --api https://spanledger.example.com",
)
@click.option("--otlp", metavar="URL", help="Where OTLP over HTTP is heard.")
@click.option("--grpc", metavar="HOST:PORT", help="Where OTLP over gRPC is heard.")
@click.option("--no-grpc", is_flag=True, help="It is heard nowhere.")
@click.option("--api", metavar="URL", help="Where the API answers.")
@click.option("--ca", type=click.Path(path_type=Path), help="Who signed the certificates (PEM).")
@click.option("--cert", type=click.Path(path_type=Path), help="A certificate to show (PEM).")
@click.option("--cert-key", type=click.Path(path_type=Path), help="Its private key (PEM).")
@click.option(
    "--timeout",
    type=click.FloatRange(min=1),
    metavar="SECONDS",
    help="How long the reports may take to be complete; 135 more than SPANLEDGER_SETTLE_SECONDS"
    " unless it is said.",
)
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
@click.pass_context
def command(
    context: click.Context,
    otlp: str | None,
    grpc: str | None,
    no_grpc: bool,
    api: str | None,
    ca: Path | None,
    cert: Path | None,
    cert_key: Path | None,
    timeout: float | None,
    as_json: bool,
) -> None:
    """Send four known calls through the doors of a running system, and prove its promises.

    Stored once, of the team that sent them, priced to the last digit, in the report in time, and
    whose clock is off where one is. Exits with 1 unless every promise is kept. The calls are of the
    team spanledger-canary, and cost less than a millionth of a cent. docs/canary.md

    The addresses are those of this machine's settings unless they are given. Keys come from the
    environment: SPANLEDGER_API_KEY to send with, SPANLEDGER_READ_KEY to read with.
    """
    settings = read_settings()
    configure_logs("canary")
    where = _where(settings, otlp, grpc, api, Trust(ca, cert, cert_key))
    if no_grpc:
        where = replace(where, grpc=None)
    proof = Proof(without=frozenset({TAKEN_GRPC}) if no_grpc else frozenset())
    began, interrupted = time.monotonic(), False
    with _doors(where) as doors, _progress() as say:
        limit = settings.settle_seconds + _BEYOND if timeout is None else timeout
        run = Run(doors, proof, _now, timeout=limit, say=say)
        try:
            run.go()
        except KeyboardInterrupt:
            interrupted = True
            proof.why_not = "interrupted"
    found, seconds = list(proof.found()), time.monotonic() - began
    if as_json:
        click.echo(json.dumps(as_object(found, seconds), indent=2))
    else:
        show(as_table(found))
        click.echo(in_short(found, seconds))
    context.exit(_INTERRUPTED if interrupted else int(not proof.all_kept))


def _where(
    settings: Settings, otlp: str | None, grpc: str | None, api: str | None, trust: Trust
) -> Where:
    otlp = _url("--otlp", otlp or settings.otlp_http_addr.url_of(settings.scheme))
    scheme = urlsplit(otlp).scheme
    grpc = grpc or settings.otlp_grpc_addr.url_of(scheme)
    sending, reading = keys_shown()
    for name, key in ((SENDING_KEY, sending), (READING_KEY, reading)):
        if key and not (key.isascii() and key.isprintable()):
            raise click.UsageError(f"{name}: no key of ours has such letters")
    return Where(
        otlp=otlp,
        api=_url("--api", api or settings.api_addr.url_of(settings.scheme)),
        grpc=_url("--grpc", grpc if "://" in grpc else f"{scheme}://{grpc}"),
        trust=trust,
        sending_key=sending,
        reading_key=reading,
    )


def _url(option: str, text: str) -> str:
    try:
        return server_url(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from None


@contextmanager
def _doors(where: Where) -> Iterator[Doors]:
    try:
        doors = Doors(where, _now)
    except (OSError, ssl.SSLError) as error:
        raise click.UsageError(f"--ca, --cert or --cert-key cannot be read: {error}") from None
    with doors:
        yield doors


@contextmanager
def _progress() -> Iterator[Say]:
    """A line that tells people where we are; nothing where nobody looks."""
    if not sys.stderr.isatty():
        yield lambda _line: None
        return
    with Console(stderr=True).status("") as status:
        yield lambda line: status.update(Text(line))


def _now() -> datetime:
    return datetime.now(UTC)
