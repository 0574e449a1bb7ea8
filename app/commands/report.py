"""``spanledger report``: a month's statement, in the terminal or as a file."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import click

from api.statement_answer import statement_answer
from app.database import database_for
from app.settings import read_settings
from app.tables import report_text, show_report
from reports.statement_files import WRITERS
from reports.statement_table import statement_table
from spend.fiscal import Calendar, FiscalPeriod
from spend.statements import Statement
from spend.zones import zone_named
from store.grouping import TooManyRowsError
from store.statements import statement_of
from store.tenants import TENANT

_FILES_ONLY: Final = ("parquet", "xlsx", "pdf")


class _ZoneType(click.ParamType[ZoneInfo]):
    name = "zone"

    def convert(
        self, value: str | ZoneInfo, param: click.Parameter | None, ctx: click.Context | None
    ) -> ZoneInfo:
        if isinstance(value, ZoneInfo):
            return value
        try:
            return zone_named(value)
        except ValueError as unknown:
            self.fail(str(unknown), param, ctx)


@click.command(
    short_help="Show a month's statement",
    epilog="\b\nExamples:\n  spanledger report 2026-10 --team search\n"
    "  spanledger report 2026-10 --format pdf --output october.pdf",
)
@click.argument("month", required=False)
@click.option("--team", help="Only this team's part.")
@click.option("--timezone", "zone", type=_ZoneType(), help="Whose month. Default: the setting.")
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
    month: str | None, team: str | None, zone: ZoneInfo | None, shape: str, output: Path | None
) -> None:
    """Show what a month cost: by team, provider and model, beside the month before.

    MONTH is such as 2026-10, or FY2027-P02; without it, the present month. Lines add up to the
    total, to the cent.
    """
    settings = read_settings()
    calendar = Calendar(zone or settings.zone, settings.fiscal_year)
    now = datetime.now(UTC)
    period = _month(month, calendar) if month is not None else calendar.period_at(now)
    if output is None and shape in _FILES_ONLY and sys.stdout.isatty():
        raise click.UsageError(f"a terminal cannot show {shape}: say --output FILE")
    with database_for(settings) as database, database.read() as session:
        try:
            found = statement_of(
                session,
                TENANT,
                period,
                calendar=calendar,
                currency=settings.currency,
                now=now,
                team=team,
            )
        except TooManyRowsError:
            raise click.ClickException("the month has too many lines to show") from None
    show(found, shape, output)


def _month(text: str, calendar: Calendar) -> FiscalPeriod:
    try:
        return calendar.named(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="MONTH") from None


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
