"""``spanledger budgets preview``: what the budgets and alert rules of a file would have told."""

import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from app.commands.budget_files import read_text
from app.commands.rule_preview import rule_terms, rules_previewed
from app.database import database_for
from app.settings import Settings, read_settings
from app.tables import show_report
from reports.tables.budget_preview import preview_json, preview_table
from reports.tables.rule_preview import rules_json, rules_table
from spend.budgets.budget_fields import check_types, terms_of_fields
from spend.budgets.budget_files import BudgetFileRefusedError, Written, file_of
from spend.budgets.budgets import Terms
from spend.checked_fields import TermsRefused
from store.budgets.budget_preview import preview
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
    """Show what the budgets and alert rules of a FILE would have told in the last months.

    The ledger's spend is walked through by the time of use, quarter hour by quarter hour; forecasts
    are made each day from what was known then. Rules are measured at moments of the past. Nothing
    is written, and nothing is sent. Interrupted, it shows what it has found.
    """
    settings = read_settings()
    try:
        said = file_of(read_text(file), toml=file.suffix.lower() == ".toml")
        budgets = [_terms(each, settings) for each in said.budgets or ()]
        rules = [rule_terms(each, settings) for each in said.alert_rules or ()]
    except BudgetFileRefusedError as refused:
        raise click.ClickException(f"{file.name}: {refused}") from None
    if not budgets and not rules:
        raise click.ClickException(f"{file.name} has no budgets and no alert rules")
    now, zone = datetime.now(UTC), ZoneInfo(settings.timezone)
    with database_for(settings) as database:
        with database.read() as session:
            messages, spans = preview(session, TENANT, budgets, months, now)
        watched = rules_previewed(database, rules, months, now, zone) if rules else []
    if shape == "json":
        found = preview_json(budgets, messages, spans, months) | rules_json(watched)
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    if budgets:
        show_report(preview_table(budgets, messages, spans, months))
    if rules:
        show_report(rules_table(watched, months, zone))


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
