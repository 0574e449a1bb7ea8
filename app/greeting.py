"""What ``serve`` says when it serves: where everything is, and how the first span gets there."""

import json
import secrets
import shlex
import shutil
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Final

import click

from app.life import Where
from app.settings import PREFIX, Settings, default_data_dir

TUTORIAL: Final = "docs/tutorial.md"
"""In a checkout."""


def greet(
    settings: Settings,
    where: Where,
    *,
    postgres: str,
    first_steps: bool = True,
    keys: bool = False,
) -> None:
    """Prints it for people, and plain where no terminal is.

    Without ``first_steps`` only where everything is: the demo has others to show. With ``keys``
    the steps carry them.
    """
    click.echo()
    click.secho(f"spanledger {version('spanledger')}", bold=True, nl=False)
    click.echo(" serves\n")
    for name, place in (
        ("Pages", pages(settings, where)),
        ("API", f"{settings.scheme}://{where['api']}/v1"),
        ("OTLP/HTTP", f"{settings.scheme}://{where['otlp_http']}"),
        ("OTLP/gRPC", where["otlp_grpc"]),
        ("Postgres", postgres),
    ):
        click.echo(f"  {name:10} ", nl=False)
        click.secho(place, fg="cyan")
    if first_steps:
        _first_steps(settings, where, keys=keys)
    click.echo("\nCtrl-C stops everything in good order: what was answered is kept.\n")


def _first_steps(settings: Settings, where: Where, *, keys: bool) -> None:
    if keys:
        _headline("Every request needs a key")
        program = f"{elsewhere(settings)}{own_name()}"
        _code(
            f"export SPANLEDGER_API_KEY=$({program} keys create --kind ingest --name me)",
            f"export READ_KEY=$({program} keys create --kind read --name me)",
        )
    _headline("An application that has OpenTelemetry needs to know where, and whose it is")
    _code(
        f"export OTEL_EXPORTER_OTLP_ENDPOINT={settings.scheme}://{where['otlp_http']}",
        # Python's distribution speaks gRPC unless it is told.
        "export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
        "export OTEL_RESOURCE_ATTRIBUTES=team=search,service.name=search-api",
    )
    if keys:
        _code('export OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20$SPANLEDGER_API_KEY"')
    _headline("One that has not, two lines of Python (pip install ./sdk)")
    _code("import spanledger", 'spanledger.instrument(service="search-api", team="search")')
    _headline("Or send the first call by hand")
    otlp = f"{settings.scheme}://{where['otlp_http']}"
    _code(*first_span(otlp, key="$SPANLEDGER_API_KEY" if keys else None))
    _headline("In a minute or two the pages show it. To have it now, and ask for it")
    today = datetime.now(UTC).astimezone(settings.zone).date()
    url = f"{settings.scheme}://{where['api']}/v1/spend"
    asked = f"from={today}&to={today + timedelta(days=1)}&group_by=team,model"
    shown = ' -H "Authorization: Bearer $READ_KEY"' if keys else ""
    _code(f"{elsewhere(settings)}{own_name()} jobs run --all", f"curl '{url}?{asked}'{shown}")
    if Path(TUTORIAL).is_file():
        _headline(f"From here to an alert, in ten minutes: {TUTORIAL}", ends="")


def pages(settings: Settings, where: Where) -> str:
    """Where people open the pages."""
    return settings.pages_url or f"{settings.scheme}://{where['api']}"


def first_span(otlp_http: str, *, key: str | None = None) -> list[str]:
    """A curl command that reports one call, which happened just now."""
    end = time.time_ns()
    span = {
        "traceId": secrets.token_hex(16),
        "spanId": secrets.token_hex(8),
        "name": "chat gpt-4o",
        "kind": 3,
        "startTimeUnixNano": str(end - 1_200_000_000),
        "endTimeUnixNano": str(end),
    }
    said: dict[str, str | int] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": 10_000,
        "gen_ai.usage.output_tokens": 2_500,
    }
    parts = list(span.items())
    shown = f' -H "Authorization: Bearer {key}"' if key else ""
    return [
        f"curl {otlp_http}/v1/traces{shown} -H 'Content-Type: application/json' -d '",
        '  {"resourceSpans": [{"resource": {"attributes": [',
        *_lines({"team": "search", "service.name": "search-api"}),
        '  ]}, "scopeSpans": [{"spans": [{',
        *(f"    {json.dumps(dict(parts[at : at + 2]))[1:-1]}," for at in range(0, len(parts), 2)),
        '    "attributes": [',
        *_lines(said),
        "  ]}]}]}]}'",
    ]


def own_name() -> str:
    """How the person at the terminal calls this program."""
    program = Path(sys.argv[0])
    found = shutil.which("spanledger")
    if program.name != "spanledger" or (found and Path(found).samefile(program)):
        return "spanledger"
    here = Path.cwd()
    return str(program.relative_to(here) if program.is_relative_to(here) else program)


def elsewhere(settings: Settings) -> str:
    """What a second terminal has to be told to find the same data."""
    if settings.database_url or settings.data_dir == default_data_dir():
        return ""
    return f"{PREFIX}DATA_DIR={shlex.quote(str(settings.data_dir))} "


def _lines(attributes: Mapping[str, str | int]) -> list[str]:
    """Attributes as OTLP writes them in JSON, one a line."""
    lines = []
    for key, value in attributes.items():
        kind = {"stringValue": value} if isinstance(value, str) else {"intValue": str(value)}
        lines.append("    " + json.dumps({"key": key, "value": kind}))
    return [*(f"{line}," for line in lines[:-1]), lines[-1]]


def _headline(text: str, ends: str = ":") -> None:
    click.secho(f"\n{text}{ends}", bold=True)


def _code(*lines: str) -> None:
    for line in lines:
        click.echo(f"  {line}")
