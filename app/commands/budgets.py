"""``spanledger budgets``: limits on what may be spent, and where they stand."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import click
from rich.table import Table
from rich.text import Text

from app.database import database_for
from app.settings import read_settings
from app.tables import right, show
from spend.budget_periods import KINDS, period_name
from spend.budget_terms import terms
from spend.budgets import DEFAULT_THRESHOLDS, DIMENSIONS, Filter
from spend.checked_fields import TermsRefused
from spend.money import plain, rounded
from store import budgets
from store.budget_status import Status, statuses
from store.tenants import TENANT


@click.group(
    short_help="Show and set budgets",
    epilog="\b\nExample:\n  spanledger budgets create --name search --on team=search --amount 1000",
)
def command() -> None:
    """Show and set budgets.

    A budget warns in Slack, once, of each threshold that its period's spend reaches. They are
    changed and closed over the API: PATCH and DELETE /v1/budgets/ID.
    """


@command.command(
    epilog="\b\nExample:\n  spanledger budgets create --name search --on team=search"
    " --amount 1000.00 --threshold 50 --threshold 100"
)
@click.option("--name", required=True, help="What people call it; no two the same.")
@click.option(
    "--on",
    "wanted",
    multiple=True,
    metavar="DIMENSION=VALUE",
    help="Which spend counts; none is all. Several values of a dimension: any of them. "
    "Dimensions: " + ", ".join(DIMENSIONS) + ".",
)
@click.option("--amount", required=True, help="In the currency of the settings, such as 1000.00.")
@click.option("--period", type=click.Choice(KINDS), default="month", show_default=True)
@click.option("--timezone", help="The zone that periods are cut in.  [default: the settings']")
@click.option(
    "--threshold",
    "thresholds",
    type=int,
    multiple=True,
    default=DEFAULT_THRESHOLDS,
    show_default=True,
    help="Percent of the amount to warn of. Repeatable.",
)
@click.option("--webhook-url", help="A Slack webhook of its own.  [default: the settings']")
def create(
    name: str,
    wanted: tuple[str, ...],
    amount: str,
    period: str,
    timezone: str | None,
    thresholds: tuple[int, ...],
    webhook_url: str | None,
) -> None:
    """Set a budget, in force at once."""
    settings = read_settings()
    try:
        said = terms(
            name=name,
            filter=_filter(wanted),
            amount=amount,
            currency=settings.currency,
            period=period,
            timezone=timezone or settings.timezone,
            fiscal=settings.fiscal_year,
            thresholds=thresholds,
            webhook_url=webhook_url,
            allow_private=settings.allow_private_destinations,
        )
        with database_for(settings) as database, database.write() as session:
            budget = budgets.create(session, TENANT, said, datetime.now(UTC))
    except TermsRefused as refused:
        raise click.UsageError(f"{refused.field}: {refused}") from None
    except budgets.NameTaken as taken:
        raise click.ClickException(str(taken)) from None
    click.echo(f"budget {budget.id} is in force")


@command.command("list", epilog="\b\nExample:\n  spanledger budgets list")
def list_all() -> None:
    """Show the budgets in force."""
    with database_for(read_settings()) as database, database.read() as session:
        found = budgets.all_in_force(session, TENANT, datetime.now(UTC))
    table = Table(
        *(right("id"), "name", "on", right("amount"), "period", "zone", "warns at"),
        box=None,
        pad_edge=False,
    )
    for budget in found:
        said = budget.terms
        table.add_row(
            str(budget.id),
            Text(said.name),
            Text(_told(said.filter)),
            f"{plain(said.amount)} {said.currency}",
            said.period,
            said.timezone,
            ", ".join(f"{each} %" for each in said.thresholds),
        )
    _print(table, empty="no budgets: make one with spanledger budgets create")


@command.command(epilog="\b\nExample:\n  spanledger budgets status")
@click.argument("budget_id", metavar="[ID]", type=click.IntRange(1, 2**63 - 1), required=False)
def status(budget_id: int | None) -> None:
    """Show where all budgets stand, or the one with this ID."""
    now = datetime.now(UTC)
    with database_for(read_settings()) as database, database.read() as session:
        try:
            asked = (
                budgets.all_in_force(session, TENANT, now)
                if budget_id is None
                else [budgets.in_force(session, TENANT, budget_id, now)]
            )
        except budgets.NoSuchBudget as missing:
            raise click.ClickException(str(missing)) from None
        found = statuses(session, TENANT, asked, now)
    table = Table(
        *(right("id"), "name", "period", right("spent"), right("of"), right(""), right("left"), ""),
        box=None,
        pad_edge=False,
    )
    for each in found:
        table.add_row(*_row(each))
    _print(table, empty="no budgets: make one with spanledger budgets create")
    if found and (complete := found[0].complete_until):
        click.echo(f"complete until {complete.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC")


def _filter(wanted: tuple[str, ...]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in wanted:
        dimension, equals, value = each.partition("=")
        if not equals:
            raise click.UsageError(f"--on {each}: write DIMENSION=VALUE, such as team=search")
        found.setdefault(dimension, []).append(value)
    return found


def _told(wanted: Filter) -> str:
    told = [f"{name}={' or '.join(value or '(none)' for value in wanted[name])}" for name in wanted]
    return ", ".join(told) or "everything"


def _row(found: Status) -> list[str | Text]:
    said = found.budget.terms
    return [
        str(found.budget.id),
        Text(said.name),
        period_name(found.period, said.period, ZoneInfo(said.timezone), said.fiscal),
        _money(found.spent, said.currency),
        f"{Decimal(plain(said.amount)):,} {said.currency}",
        "" if found.percent is None else f"{plain(found.percent)} %",
        _money(found.left, said.currency),
        ", ".join((found.state, *_not_in_it(found))),
    ]


def _not_in_it(found: Status) -> list[str]:
    """What has no rate, in words."""
    return [
        f"without {_money(amount, code)} {code} (no rate)"
        for code, amount in found.without_rate.items()
    ]


def _money(amount: Decimal, currency: str) -> str:
    return f"{rounded(amount, currency):,}"


def _print(table: Table, *, empty: str) -> None:
    if table.row_count:
        show(table)
    else:
        click.echo(empty)
