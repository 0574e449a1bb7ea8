"""What the demo says on the terminal: how far it is, what there is to see now, what happens."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import click
import httpx2
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from app.demo.capacity import POOLS
from app.demo.models import OPUS, SONNET
from app.demo.traffic import SECOND, Exchange
from app.greeting import elsewhere, own_name
from app.settings import Settings

_OWNED: Final = next(f"'{pool.name}'" for pool in POOLS if pool.kind == "owned")
_ELSEWHERE: Final = f"--model {OPUS.name} --to {SONNET.provider}/{SONNET.name}"


def progress() -> Progress:
    """A bar for the history; the task's ``calls`` field is shown beside it."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[calls]:,} calls"),
        TimeRemainingColumn(),
        console=Console(),
    )


def summary(rows: Iterable[Mapping[str, Any]], total: Mapping[str, Any], currency: str) -> None:
    """A table of spend by team: rows and total of GET /v1/spend."""
    table = Table(box=None, pad_edge=False)
    table.add_column("team", no_wrap=True)
    for column in (currency, "calls", "failed", "unpriced", "tokens in", "of which cached", "out"):
        table.add_column(column, justify="right")
    for row in sorted(rows, key=lambda row: -Decimal(row["cost"] or 0)):
        if not row["calls"] and not Decimal(row["cost"] or 0):
            continue  # What stands for something paid in advance costs nothing by itself.
        table.add_row(row["team"], *_figures(row))
    table.add_section()
    table.add_row("all", *_figures(total), style="bold")
    Console().print(table)


def corrected(repricing: Mapping[str, Any], currency: str) -> None:
    """A line for a re-pricing: GET /v1/repricings/{id}."""
    difference = Decimal(repricing["difference"]["total"]["difference"])
    click.echo(
        f"a discount came late ({repricing['note']}): re-pricing {repricing['id']} booked"
        f" {difference:+,.2f} {currency} in {repricing['lines']:,} lines"
    )


def tour(api: str, today: datetime, settings: Settings) -> None:
    """What to try next. ``today`` is now, in the time zone of the reports."""
    slack = settings.slack_webhook_url is not None
    tomorrow = today + timedelta(days=1)
    span = f"from={today - timedelta(days=28):%Y-%m-%d}&to={tomorrow:%Y-%m-%d}"
    month, last = f"{today:%Y-%m}", f"{today.replace(day=1) - timedelta(days=1):%Y-%m}"
    program = f"{elsewhere(settings)}{own_name()}"
    steps: Sequence[tuple[str, str]] = (
        *_to_look_at(settings.pages_url or api, slack=slack),
        ("the month as finance reads it", f"{program} report {month}"),
        *_for_finance(program, last),
        (
            "who spends what, where it runs",
            f"curl '{api}/v1/spend?{span}&group_by=team,deployment,model'",
        ),
        ("what a customer costs us", f"curl '{api}/v1/spend?{span}&group_by=customer'"),
        ("how fast, how often it fails", f"curl '{api}/v1/performance?{span}&group_by=model'"),
        (
            "how the cost of a call came about (/v1/calls/TRACE_ID/SPAN_ID of one of these)",
            f"curl '{api}/v1/calls?{span}&service=support-chat&limit=3'",
        ),
        ("what has no price, and how much of it", f"curl {api}/v1/prices/unpriced"),
        (
            "what an hour of our own server is made of",
            f"{program} pools show {_OWNED}",
        ),
        (
            "whether that server is worth it",
            f"{program} pools economics {_OWNED} --against openai/gpt-5.4-mini",
        ),
        (
            "what research would have cost on a smaller model",
            f"{program} what-if --from {month}-01 --until {tomorrow:%Y-%m-%d} {_ELSEWHERE}",
        ),
        ("how the credits stand", f"{program} commitments list"),
        ("who pays for whose calls", f"{program} owners list"),
        ("where budgets stand, and what is expected", f"{program} budgets status"),
        (
            "whether a gateway should let a call pass",
            f"curl '{api}/v1/budgets/check?team=research'",
        ),
    )
    for what, command in steps:
        click.secho(f"\n{what}:", bold=True)
        click.echo(f"  {command}")
    if not slack:
        click.echo("\nalerts go to SPANLEDGER_SLACK_WEBHOOK_URL, or to a channel:")
        click.echo(f"  {program} channels add --name ops --kind slack-webhook --default")


def _to_look_at(pages: str, *, slack: bool) -> Iterable[tuple[str, str]]:
    """What to open in a browser."""
    yield "all of it to look at, in a browser", pages
    told = ", and Slack was told" if slack else ""
    yield f"the research team is over its budget{told}", f"{pages}/alerts"


def _for_finance(program: str, month: str) -> Iterable[tuple[str, str]]:
    """What to try with a month that is over."""
    yield (
        "last month, as a document; also --format xlsx, csv, parquet, json",
        f"{program} report {month} --format pdf --output {month}.pdf",
    )
    yield (
        "what stands in the way of closing it, and what it would be closed with",
        f"{program} months close {month} --dry-run",
    )
    yield (
        "last month as FOCUS, for FinOps tools",
        f"{program} focus export --month {month} --output focus-{month}",
    )


def told(exchange: Exchange) -> None:
    """One line for an exchange of the live traffic."""
    at = datetime.fromtimestamp(exchange.end_ns / SECOND, UTC)
    failed = next((call.fault for call in exchange.calls if call.fault), None)
    calls = len(exchange.calls)
    click.echo(
        f"{at:%H:%M:%S}  {exchange.workload.team or '-':9} {exchange.workload.service:20}"
        f" {exchange.calls[0].model.name.rpartition('/')[2][:28]:28}"
        f" {sum(call.prompt for call in exchange.calls):>9,} in"
        f" {sum(call.output for call in exchange.calls):>7,} out"
        f" {(exchange.end_ns - exchange.start_ns) / SECOND:>6.1f} s"
        + (f"  {calls} calls" if calls > 1 else "")
        + (f"  {failed.name.lower().replace('_', ' ')}" if failed else "")
    )


def _figures(row: Mapping[str, Any]) -> Iterable[str]:
    usage = row["usage"]
    cached = usage["cache_read_tokens"] or 0
    tokens = (usage["input_tokens"] or 0) + cached + (usage["cache_write_tokens"] or 0)
    yield "unpriced" if row["cost"] is None else f"{Decimal(row['cost']):,.2f}"
    for count in (row["calls"], row["errors"], row["unpriced_calls"]):
        yield f"{count:,}"
    for count in (tokens, cached, usage["output_tokens"] or 0):
        yield f"{count / 1_000_000:,.1f} M"


def spend_by_team(api: httpx2.Client, *, first: datetime, today: datetime) -> Mapping[str, Any]:
    """GET /v1/spend by team, from the day of ``first`` to the end of ``today``'s."""
    last = today + timedelta(days=1)
    asked = {"from": f"{first:%Y-%m-%d}", "to": f"{last:%Y-%m-%d}", "group_by": "team"}
    answer: Mapping[str, Any] = api.get("/v1/spend", params=asked).raise_for_status().json()
    return answer
