"""What we claim about speed, measured here: one table, ratios within one run.

    make bench                # two minutes
    make bench FULL=1         # with five minutes of load while the jobs run: ten minutes or so
    python -m bench --help    # parts of it, other lengths
    python -m bench peer …    # the same requests to another OTLP address

docs/performance.md says how each figure is taken and what it is worth.
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import click

from bench import (
    acknowledged,
    anomalies,
    budget_checks,
    budgets,
    dialects,
    durable,
    forecasts,
    minutes,
    ordinary,
    pages,
    peer,
    pricing,
    reports,
    repricing,
    settling,
    statements,
    steps,
    workers,
)
from bench.bodies import tokens_of
from bench.loads import Lost
from bench.plan import Plan
from bench.processes import PROC
from bench.running import default_workers, postgres
from bench.sending import NotStored
from bench.table import Row, as_markdown, show_rows, write_rows

MEASURES: Final[dict[str, Callable[[Plan], list[Row]]]] = {
    "durable": durable.measure,
    "minutes": minutes.measure,
    "acknowledged": acknowledged.measure,
    "ordinary": ordinary.measure,
    "workers": workers.measure,
    "steps": steps.measure,
    "settling": settling.measure,
    "reports": reports.measure,
    "statement": statements.measure,
    "pages": pages.measure,
    "budgets": budgets.measure,
    "repricing": repricing.measure,
    "forecasts": lambda plan: forecasts.measure(plan.tokens),
    "pricing": lambda _plan: pricing.measure(),
    "check": budget_checks.measure,
    "dialects": lambda _plan: dialects.measure(),
    "anomalies": lambda _plan: anomalies.measure(),
}
FULL_MINUTES: Final = 5.0

_trace = click.option(
    "--trace",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Tokens of calls: a CSV of TIMESTAMP,ContextTokens,GeneratedTokens. Default: made up.",
)
_connections = click.option("--connections", default=16, show_default=True)


@click.group(invoke_without_command=True)
@click.option("--full", is_flag=True, help=f"With {FULL_MINUTES:g} minutes while the jobs run.")
@click.option("--seconds", type=float, help="Of each load.  [default: 10, with --full 15]")
@click.option("--minutes", type=float, help="Of the load while the jobs run.  [default: 0]")
@click.option("--workers", "count", type=int, help="Of the collector.  [default: the product's]")
@click.option("--only", type=click.Choice(list(MEASURES)), multiple=True, help="Some measures.")
@_connections
@_trace
@click.pass_context
def main(
    context: click.Context,
    full: bool,
    seconds: float | None,
    minutes: float | None,
    count: int | None,
    only: Sequence[str],
    connections: int,
    trace: Path | None,
) -> None:
    """Measure, print the table, and write it as bench.json in this folder.

    Ctrl-C ends it with the rows that are done.
    """
    if context.invoked_subcommand:
        return
    if not PROC.exists():
        raise click.ClickException("CPU time and memory are read from /proc, as Linux has it")
    with tempfile.TemporaryDirectory(prefix="spanledger-bench-") as folder:
        rows: list[Row] = []
        failure = None
        try:
            with postgres(Path(folder)) as server:
                plan = Plan(
                    server=server,
                    seconds=seconds or (15.0 if full else 10.0),
                    minutes=(FULL_MINUTES if full else 0.0) if minutes is None else minutes,
                    connections=connections,
                    workers=count or default_workers(),
                    tokens=tokens_of(trace),
                    say=_teller(),
                )
                for name in only or MEASURES:
                    rows += MEASURES[name](plan)
        except KeyboardInterrupt:
            failure = "interrupted"
        except (NotStored, Lost) as error:
            failure = str(error)
    if rows:
        show_rows(rows)
        write_rows(rows, plan.how)
    if failure:
        raise click.ClickException(failure)


@main.command("figures")
def figures() -> None:
    """Print what bench.json holds as the table of docs/performance.md."""
    click.echo(as_markdown())


@main.command("peer")
@click.option("--otlp", required=True, help="http://host:port, with a path if not /v1/traces.")
@click.option("--header", multiple=True, help="name=value, as often as needed.")
@click.option("--sql", required=True, help="A SELECT of how many spans are stored.")
@click.option("--database", required=True, help="The postgresql:// URL it is asked at.")
@click.option("--seconds", default=10.0, show_default=True)
@click.option("--patience", default=300.0, show_default=True, help="Seconds until all are stored.")
@_connections
@_trace
def beside(
    otlp: str,
    header: Sequence[str],
    sql: str,
    database: str,
    seconds: float,
    patience: float,
    connections: int,
    trace: Path | None,
) -> None:
    """Send the same requests to another OTLP/HTTP address, and count what it stores."""
    rows = peer.measure(
        otlp=otlp,
        headers=dict(each.split("=", 1) for each in header),
        sql=sql,
        database=database,
        seconds=seconds,
        connections=connections,
        patience=patience,
        tokens=tokens_of(trace),
        say=_teller(),
    )
    show_rows(rows)


def _teller() -> Callable[[str], None]:
    """Lines on stderr, each with the time since the beginning."""
    began = time.monotonic()

    def say(line: str) -> None:
        minute, second = divmod(int(time.monotonic() - began), 60)
        click.echo(f"{minute:3}:{second:02} {line}", err=True)

    return say


if __name__ == "__main__":
    main(prog_name="python -m bench")
