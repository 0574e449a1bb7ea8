"""``spanledger report``: a month's statement, in the terminal."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click

from api.statements import statement_answer
from app.database import database_for
from app.settings import read_settings
from app.tables import show_report
from reports.statement_csv import statement_csv
from reports.statement_table import statement_table
from spend.periods import Month, month_of, parse_month
from spend.statements import Statement
from spend.zones import zone_named
from store.grouping import TooManyRowsError
from store.statements import statement_of
from store.tenants import TENANT


class _MonthType(click.ParamType[Month]):
    name = "month"

    def convert(
        self, value: str | Month, param: click.Parameter | None, ctx: click.Context | None
    ) -> Month:
        if isinstance(value, Month):
            return value
        try:
            return parse_month(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


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
    epilog="\b\nExample:\n  spanledger report 2026-10 --team search",
)
@click.argument("month", type=_MonthType(), required=False)
@click.option("--team", help="Only this team's part.")
@click.option("--timezone", "zone", type=_ZoneType(), help="Whose month. Default: the setting.")
@click.option(
    "--format",
    "shape",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="How to show it.",
)
def command(month: Month | None, team: str | None, zone: ZoneInfo | None, shape: str) -> None:
    """Show what a month cost: by team, provider and model, beside the month before.

    MONTH is such as 2026-10; without it, the present month. Lines add up to the total, to the cent.
    """
    settings = read_settings()
    zone = zone or settings.zone
    now = datetime.now(UTC)
    with database_for(settings) as database, database.read() as session:
        try:
            found = statement_of(
                session,
                TENANT,
                month or month_of(now, zone),
                zone=zone,
                currency=settings.currency,
                now=now,
                team=team,
            )
        except TooManyRowsError:
            raise click.ClickException("the month has too many lines to show") from None
    show(found, shape)


def show(statement: Statement, shape: str) -> None:
    """Prints a statement as a table, as CSV or as the API's JSON."""
    if shape == "csv":
        click.echo(statement_csv(statement), nl=False)
    elif shape == "json":
        click.echo(statement_answer(statement).model_dump_json(by_alias=True, indent=2))
    else:
        show_report(statement_table(statement))
