"""``spanledger pools economics``: what a pool's tokens cost, and an API's beside them."""

from datetime import UTC, datetime
from typing import Final

import click

from api.auth import Caller
from api.capacity.economics_shapes import EconomicsAsked, economics_answer
from api.grouping import checked
from api.problems import Problem
from api.shapes import instant
from app.database import database_for
from app.settings import read_settings
from app.tables import show_report
from reports.tables.economics_table import economics_table
from spend.capacity.economics import OWN, VIEWS
from spend.capacity.targets import TargetRefusedError, target_named
from store.capacity import pools
from store.capacity.pool_economics import pool_economics
from store.completeness import complete_until
from store.tenants import TENANT

EVERYTHING: Final = Caller()


@click.command(
    "economics",
    short_help="Show what a pool's tokens cost.",
    epilog="\b\nExample:\n  spanledger pools economics llama --against groq/llama-3.3-70b",
)
@click.argument("name")
@click.option("--against", multiple=True, help="An API's model, provider/model; repeatable.")
@click.option("--from", "from_", help="First day or instant. Default: the first of the month.")
@click.option("--to", help="End, exclusive. Default: the end of today.")
@click.option("--timezone", help="Whose days. Default: the setting.")
@click.option(
    "--idle",
    type=click.Choice(VIEWS),
    default=OWN,
    show_default=True,
    help="Idle cost as a line of its own, or spread over teams.",
)
@click.option(
    "--format",
    "shape",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How to show it.",
)
def command(
    name: str,
    against: tuple[str, ...],
    from_: str | None,
    to: str | None,
    timezone: str | None,
    idle: str,
    shape: str,
) -> None:
    """Show what the tokens of the pool NAME cost, who used it, and what an API would ask.

    Break-even is on the pool's own traffic: the volume a month from which it costs no more.
    """
    settings = read_settings()
    now = datetime.now(UTC)
    said = {"from": from_, "to": to, "timezone": timezone, "idle": idle}
    query = EconomicsAsked.model_validate(said)
    try:
        asked = checked(query, default_zone=settings.zone, now=now, caller=EVERYTHING)
        targets = [target_named(text) for text in dict.fromkeys(against)]
        with database_for(settings) as database, database.read() as session:
            pool = next(
                (each for each in pools.all_pools(session, TENANT) if each.name == name), None
            )
            if pool is None:
                raise click.ClickException(f"no pool is called {name!r}: see spanledger pools list")
            question = asked.question
            found = pool_economics(
                session, TENANT, pool, question.period, question.zone, targets, now=now
            )
            until = instant(complete_until(session))
    except Problem as problem:
        raise click.ClickException(f"{problem.field}: {problem.detail}") from None
    except TargetRefusedError as refused:
        raise click.ClickException(f"--against: {refused}") from None
    if shape == "json":
        answer = economics_answer(found, asked, idle, until)
        click.echo(answer.model_dump_json(by_alias=True, indent=2))
    else:
        when = f"{asked.start} to {asked.end} ({asked.question.zone.key})"
        show_report(economics_table(found, idle, when))
