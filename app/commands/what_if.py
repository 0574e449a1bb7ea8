"""``spanledger what-if``: what real calls would have cost elsewhere."""

from datetime import UTC, datetime
from typing import Any, Final

import click
from pydantic import ValidationError

from api.auth import Caller
from api.capacity.what_if_shapes import WhatIfAsked, targets_of, what_if_answer
from api.grouping import checked
from api.problems import Problem
from api.shapes import bounds_of
from app.database import database_for
from app.settings import read_settings
from app.tables import show_report
from reports.tables.what_if_table import what_if_table
from spend.capacity.targets import TargetRefusedError
from spend.periods import month_of
from store.breakdowns.grouping import TooManyRowsError
from store.capacity import pools
from store.capacity.what_if import what_if
from store.completeness import complete_until
from store.tenants import TENANT

EVERYTHING: Final = Caller()
FILTERS: Final = ("team", "provider", "model", "feature")
TERMS: Final = {
    "--tier": ("service_tier", "Such as batch or flex. Default: that of each call."),
    "--region": ("region", "Default: that of each call where the provider is the same."),
    "--prices-at": ("prices_at", "By the prices of this moment. Default: of each call's time."),
    "--tokenizer": ("tokenizer", "Tokens there for each token here. Default: 1."),
    "--tokenizer-low": ("tokenizer_low", "For a range beside the figure."),
    "--tokenizer-high": ("tokenizer_high", "Likewise."),
    "--output": ("output", "Output there for output here. Default: 1."),
    "--cache-hit-change": ("cache_hit_change", "Added to the cached share of input: 0.1, -0.2."),
}


def _terms(command: Any) -> Any:
    """The filters, and the options that say how usage changes on the way."""
    for option, (field, told) in reversed(TERMS.items()):
        command = click.option(option, field, help=told)(command)
    for name in reversed(FILTERS):
        told = "Its calls only; repeatable."
        command = click.option(f"--{name}", name, multiple=True, help=told)(command)
    return command


@click.command(
    "what-if",
    short_help="Show what calls would have cost elsewhere",
    epilog="\b\nExample:\n  spanledger what-if --model gpt-4o --to anthropic/claude-sonnet-4-5",
)
@click.option("--to", "to", multiple=True, help="A model, provider/model; repeatable.")
@click.option("--pool", "pool", multiple=True, help="Or a pool, by its name; repeatable.")
@click.option("--from", "from_", help="First day or instant. Default: last month's first.")
@click.option("--until", help="End, exclusive. Default: the end of that month.")
@click.option("--timezone", help="Whose days. Default: the setting.")
@click.option("--group-by", default="team", show_default=True, help="Dimensions, with commas.")
@_terms
@click.option("--no-cache", is_flag=True, help="Nothing is read from a cache there.")
@click.option(
    "--format",
    "shape",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How to show it.",
)
def command(shape: str, **said: Any) -> None:
    """Show what calls that were made would have cost on another model, or on a pool.

    Each meter of each call, by the size of its prompt and with what was read from caches, by the
    price book. Nothing is written.

    More: docs/what-if.md
    """
    settings = read_settings()
    now = datetime.now(UTC)
    month = month_of(now, settings.zone).plus(-1)
    said["from_"] = said["from_"] or str(month.first_day)
    said["until"] = said["until"] or str(month.plus(1).first_day)
    try:
        query = WhatIfAsked.model_validate(_body(said))
        asked = checked(query, default_zone=settings.zone, now=now, caller=EVERYTHING)
        with database_for(settings) as database, database.read() as session:
            targets = targets_of(query, pools.all_pools(session, TENANT))
            found = what_if(
                session, asked.question, TENANT, targets, currency=settings.currency, now=now
            )
            bounds = bounds_of(asked, complete_until(session))
    except (Problem, TargetRefusedError, ValidationError, TooManyRowsError) as refused:
        raise click.ClickException(_reason(refused)) from None
    if shape == "json":
        answer = what_if_answer(found, asked, settings.currency, bounds)
        click.echo(answer.model_dump_json(by_alias=True, exclude_unset=True, indent=2))
    else:
        when = f"{asked.start} to {asked.end} ({asked.question.zone.key})"
        show_report(what_if_table(found, asked.question.group_by, when, settings.currency))


def _body(said: dict[str, Any]) -> dict[str, Any]:
    """What was said, as a request of the API."""
    terms = {field: said[field] for field, _told in TERMS.values() if said[field] is not None}
    api_only = {"service_tier", "region", "prices_at"}
    terms["keeps_cache"] = not said["no_cache"]
    on_pool = {name: value for name, value in terms.items() if name not in api_only}
    return {
        "from": said["from_"],
        "to": said["until"],
        "timezone": said["timezone"],
        "group_by": [said["group_by"]],
        **{name: list(said[name]) for name in FILTERS},
        "targets": [{"to": each} | terms for each in said["to"]]
        + [{"pool": each} | on_pool for each in said["pool"]],
    }


def _reason(refused: Exception) -> str:
    if isinstance(refused, Problem):
        return f"{refused.field}: {refused.detail or refused.title}"
    if isinstance(refused, ValidationError):
        first = refused.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    if isinstance(refused, TooManyRowsError):
        return "the answer has too many rows: group by less"
    return str(refused)
