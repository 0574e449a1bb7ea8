"""``spanledger bills reconcile``: bills beside the estimate."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import click
from rich.console import Group
from rich.text import Text
from sqlalchemy.orm import Session

from api.reconciliation.reconciliation_shapes import variances
from app.database import database_for
from app.settings import Settings, read_settings
from app.tables import show_report
from reports.tables.variance_csv import variance_csv
from reports.tables.variance_table import variance_table
from spend.periods import Period
from spend.reconciliation.bills_focus import provider_of
from spend.reconciliation.reconcile import NoRateError
from spend.reconciliation.reconciled import Reconciled
from spend.reconciliation.true_up import TrueUpRefusedError
from store.bills import bills, reconcile
from store.breakdowns.grouping import TooManyRowsError
from store.months import months
from store.tenants import TENANT

BILL = click.argument("bill_id", metavar="[ID]", required=False, type=click.IntRange(1, 2**63 - 1))


@click.command(
    "reconcile",
    short_help="Show bills beside the estimate, and why they differ.",
    epilog="\b\nExamples:\n  spanledger bills reconcile 3"
    "\n  spanledger bills reconcile --month 2026-10 --provider openai",
)
@BILL
@click.option("--month", help="All bills that belong to a month, such as 2026-10.")
@click.option("--provider", help="Of these, only this issuer's.")
@click.option(
    "--format",
    "shape",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="How to show it.",
)
def command(bill_id: int | None, month: str | None, provider: str | None, shape: str) -> None:
    """Show the bill with this ID, or those of a month, beside what calls were charged.

    The difference is told by its reasons: price, quantity, what was never heard, timing, credits,
    exchange rate, tax and fees. They add up to it; nothing is left over.
    """
    if (bill_id is None) == (month is None):
        raise click.UsageError("name a bill by its ID, or a month with --month")
    settings = read_settings()
    with database_for(settings) as database, database.read() as session, told():
        found = (
            [_of_bill(session, settings, bill_id)]
            if bill_id is not None
            else _of_month(session, settings, month or "", provider)
        )
    show(found, shape)


def _of_bill(session: Session, settings: Settings, bill_id: int) -> Reconciled:
    bill = bills.one(session, TENANT, bill_id)
    if bill is None:
        raise click.ClickException(f"there is no bill {bill_id}")
    return reconcile.of_bill(
        session, TENANT, bill, now=datetime.now(UTC), policy=settings.rate_policy
    )


def _of_month(
    session: Session, settings: Settings, month: str, provider: str | None
) -> list[Reconciled]:
    try:
        _calendar, named = months.period_named(session, TENANT, month, settings.calendar)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--month") from None
    return reconcile.of_time(
        session,
        TENANT,
        Period(named.start, named.end),
        now=datetime.now(UTC),
        provider=provider_of(provider),
        policy=settings.rate_policy,
    )


@contextmanager
def told() -> Iterator[None]:
    """What cannot be compared is told in a line."""
    try:
        yield
    except NoRateError as error:
        hint = "take some with spanledger rates import FILE"
        raise click.ClickException(f"{error}: {hint}") from None
    except (reconcile.SupersededError, reconcile.CurrenciesError, TrueUpRefusedError) as error:
        raise click.ClickException(str(error)) from None
    except TooManyRowsError:
        raise click.ClickException("the bill has too many different lines to compare") from None


def show(found: Sequence[Reconciled], shape: str) -> None:
    """Prints comparisons as tables, as CSV or as the API's JSON."""
    if shape == "csv":
        click.echo(variance_csv(found), nl=False)
    elif shape == "json":
        lines = ",\n".join(
            each.model_dump_json(by_alias=True, indent=2) for each in variances(found)
        )
        click.echo(f"[{lines}]")
    elif not found:
        click.echo("no bills belong to that month: take some with spanledger bills import FILE")
    else:
        parts = [part for each in found for part in (variance_table(each), Text())]
        show_report(Group(*parts[:-1]))
