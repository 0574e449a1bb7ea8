"""``spanledger budgets preview``: what the budgets of a file would have told."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from app.commands.budget_files import read_text
from app.database import database_for
from app.settings import Settings, read_settings
from app.tables import show_report
from reports.budget_preview import preview_json, preview_table
from spend.budget_fields import check_types, terms_of_fields
from spend.budget_files import BudgetFile, BudgetFileRefusedError, Written, file_of
from spend.budgets import Terms
from spend.checked_fields import TermsRefused
from store.budget_preview import preview
from store.tenants import TENANT

MOST_MONTHS = 24
_ELSEWHERE = frozenset(("parent", "channels", "webhook_url"))
"""Fields that say where it is told, or below what: nothing of when."""


@click.command(
    "preview",
    short_help="Show what budgets of a FILE would have told.",
    epilog="\b\nExample:\n  spanledger budgets preview budgets.toml --months 6",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--months", type=click.IntRange(1, MOST_MONTHS), default=6, show_default=True, help="The last."
)
@click.option(
    "--format",
    "shape",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How to show it.",
)
def command(file: Path, *, months: int, shape: str) -> None:
    """Show what the budgets of a FILE would have told in the last months.

    The ledger's spend is walked through by the time of use, quarter hour by quarter hour; forecasts
    are made each day from what was known then. Nothing is written, and nothing is sent.
    """
    settings = read_settings()
    try:
        said = file_of(read_text(file), toml=file.suffix.lower() == ".toml")
        budgets = [_terms(each, settings) for each in said.budgets or ()]
    except BudgetFileRefusedError as refused:
        raise click.ClickException(f"{file.name}: {refused}") from None
    with database_for(settings) as database, database.read() as session:
        messages, spans = preview(session, TENANT, budgets, months, datetime.now(UTC))
    if shape == "json":
        found = preview_json(budgets, messages, spans, months)
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    if not budgets:
        raise click.ClickException(f"{file.name} has no budgets")
    show_report(preview_table(budgets, messages, spans, months))
    _tell_rules(said)


def _tell_rules(said: BudgetFile) -> None:
    if said.alert_rules:
        click.echo(f"{len(said.alert_rules)} alert rules of the file are not previewed")


def _terms(written: Written, settings: Settings) -> Terms:
    said = {name: value for name, value in written.fields.items() if name not in _ELSEWHERE}
    usual = {"currency": settings.currency, "timezone": settings.timezone}
    try:
        check_types(written.fields)
        return terms_of_fields(
            usual | said,
            parent_id=None,
            channel_ids=(),
            fiscal=settings.fiscal_year,
            allow_private=settings.allow_private_destinations,
        )
    except TermsRefused as refused:
        raise BudgetFileRefusedError(written.place, refused.field, str(refused)) from None
