"""``spanledger report``: a month's statement, in the terminal or as a file."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import click

from api.statements.statement_answer import statement_answer
from app.database import database_for
from app.parameters import MomentType, ZoneType
from app.settings import read_settings
from app.tables import report_text, show_report
from reports.statements.statement_files import WRITERS
from reports.statements.statement_table import statement_table
from spend.currencies.currencies import CODES
from spend.currencies.exchange import POLICIES
from spend.fiscal import Calendar
from spend.statements.statements import Statement
from store import waiting
from store.months import months
from store.statements.statements import statement_of
from store.tenants import TENANT

_FILES_ONLY: Final = ("parquet", "xlsx", "pdf")


@click.command(
    short_help="Show a month's statement",
    epilog="\b\nExample:\n  spanledger report 2026-10 --team search\n"
    "  spanledger report 2026-10 --format pdf --output october.pdf",
)
@click.argument("month", required=False)
@click.option("--team", help="Only this team's part.")
@click.option("--timezone", "zone", type=ZoneType(), help="Whose month. Default: the setting.")
@click.option("--currency", help="What to tell amounts in. Default: the ledger's.")
@click.option(
    "--rate-policy",
    "policy",
    type=click.Choice(POLICIES),
    help="Which day's exchange rates to use. Default: the setting.",
)
@click.option(
    "--as-known-at",
    "known_at",
    type=MomentType(),
    help="What was known at a moment, such as 2026-11-03T09:00Z.",
)
@click.option(
    "--format",
    "shape",
    type=click.Choice(["table", "json", *WRITERS]),
    default="table",
    show_default=True,
    help="How to show it.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write it. Default: the terminal; a workbook or PDF goes to a pipe only.",
)
def command(
    month: str | None,
    team: str | None,
    zone: ZoneInfo | None,
    currency: str | None,
    policy: str | None,
    known_at: datetime | None,
    shape: str,
    output: Path | None,
) -> None:
    """Show what a month cost: by team, provider and model, beside the month before.

    MONTH is such as 2026-10, or FY2027-P02; without it, the present month. Lines add up to the
    total, to the cent.

    More: docs/statements.md
    """
    settings = read_settings()
    calendar = Calendar(zone or settings.zone, settings.fiscal_year)
    now = datetime.now(UTC)
    name = month or calendar.period_at(now).name
    if output is None and shape in _FILES_ONLY and sys.stdout.isatty():
        raise click.UsageError(f"a terminal cannot show {shape}: say --output FILE")
    if currency is not None and currency not in CODES:
        raise click.BadParameter(f"{currency!r} is not a currency such as EUR, by ISO 4217")
    if known_at is not None and known_at > now:
        raise click.BadParameter("--as-known-at is still to come")
    with database_for(settings) as database:
        if known_at is not None:
            waiting.until_nobody_posts(database)
        with database.read() as session:
            try:
                if zone is None:
                    calendar, period = months.period_named(session, TENANT, name, calendar)
                else:
                    period = calendar.named(name)
            except ValueError as error:
                raise click.BadParameter(str(error), param_hint="MONTH") from None
            found = statement_of(
                session,
                TENANT,
                period,
                calendar=calendar,
                telling=settings.telling,
                currency=currency,
                policy=policy,
                now=now,
                as_known_at=known_at,
                team=team,
            )
    show(found, shape, output)


def show(statement: Statement, shape: str, output: Path | None) -> None:
    """Prints a statement as a table, or writes it as the API's JSON or a file."""
    if shape == "table" and output is None:
        show_report(statement_table(statement))
        return
    body = _written(statement, shape)
    if output is None:
        click.echo(body, nl=False)
        return
    try:
        output.write_bytes(body)
    except OSError as error:
        raise click.ClickException(f"cannot write {output}: {error.strerror}") from None


def _written(statement: Statement, shape: str) -> bytes:
    if shape == "json":
        text = statement_answer(statement).model_dump_json(by_alias=True, indent=2)
        return f"{text}\n".encode()
    if shape == "table":
        return report_text(statement_table(statement)).encode()
    return WRITERS[shape](statement)
