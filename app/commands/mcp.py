"""``spanledger mcp``: the ledger for models, over the Model Context Protocol."""

import logging
import os
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

import anyio
import click

from app.addresses import Address, parse_address, server_url
from app.errors import WrongSetting
from app.logs import configure_logs
from app.mcp.asking import trusted
from app.mcp.transports import over_http, over_stdio

KEY: Final = "SPANLEDGER_READ_KEY"


@click.command(
    short_help="Answer models: a read-only MCP server over the API",
    epilog="\b\nExample:\n  claude mcp add --env SPANLEDGER_READ_KEY=sl_read_… --transport stdio"
    " spanledger -- spanledger mcp --api https://spend.example",
)
@click.option(
    "--api",
    "api_url",
    envvar="SPANLEDGER_API_URL",
    show_envvar=True,
    default="http://127.0.0.1:8321",
    show_default=True,
    help="Where spanledger's API answers.",
)
@click.option(
    "--http",
    "address",
    metavar="HOST:PORT",
    help="Answer over HTTP here, instead of to whoever started this: each caller brings a key.",
)
@click.option(
    "--name",
    "names",
    multiple=True,
    help="With --http: what this server is called by its callers, such as mcp.example. Repeatable.",
)
def command(api_url: str, address: str | None, names: Sequence[str]) -> None:
    """Answer models: a read-only server of the Model Context Protocol (MCP).

    It asks spanledger's API, with the key in SPANLEDGER_READ_KEY, and shows what that key may see:
    spend, performance, budgets, and how a cost came about. It needs no database, and nothing else
    of this machine. Over HTTP the key is the caller's own, in the header Authorization.

    More: docs/mcp.md
    """
    configure_logs("mcp")
    logging.getLogger("mcp").setLevel(logging.WARNING)
    api_url = _url(api_url)
    trusted()
    _warn_of_open_ways(api_url)
    key = os.environ.get(KEY, "").strip() or None
    if address is None:
        if names:
            raise click.BadParameter("goes with --http", param_hint="--name")
        anyio.run(over_stdio, api_url, _that_reads(key))
        return
    if key:
        click.echo(f"{KEY} is not used over HTTP: callers bring their own keys", err=True)
    try:
        anyio.run(over_http, api_url, _listening(address), names, _ready)
    except OSError as error:
        raise click.ClickException(f"cannot listen at {address}: {error.strerror}") from error


def _url(text: str) -> str:
    try:
        return server_url(text)
    except ValueError as error:
        raise WrongSetting(f"SPANLEDGER_API_URL: {error}") from None


def _warn_of_open_ways(api_url: str) -> None:
    found = urlsplit(api_url)
    if found.scheme == "http" and not Address(found.hostname or "", 0).is_loopback:
        click.echo(
            f"keys go to {api_url} in the clear: whoever is on the way can read them", err=True
        )


def _that_reads(key: str | None) -> str | None:
    if key is None:
        return None
    if key.startswith("sl_ingest_"):
        raise WrongSetting(f"{KEY}: this key sends, and reads nothing: make one of kind read")
    if not key.startswith(("sl_read_", "sl_admin_")) or not key.isascii() or not key.isprintable():
        raise WrongSetting(f"{KEY}: not a key of spanledger, they begin with sl_read_")
    if key.startswith("sl_admin_"):
        click.echo(
            f"{KEY}: an admin's key. Nothing here changes anything: a read key does", err=True
        )
    return key


def _listening(text: str) -> Address:
    try:
        return parse_address(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--http") from error


def _ready(url: str) -> None:
    click.echo(f"answers at {url}", err=True)
