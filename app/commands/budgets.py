"""``spanledger budgets``: limits on what may be spent, and where they stand."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal

import click
from rich.table import Table
from rich.text import Text

from app.commands import budget_changes, budget_files, budget_preview
from app.commands.budget_changes import named
from app.database import database_for
from app.settings import read_settings
from app.tables import right, show, shown
from spend.budgets.budget_periods import CUSTOM, name_of
from spend.budgets.budget_tree import allocated
from spend.budgets.budgets import Budget, Terms, filter_text
from spend.forecasts.forecast import Forecast
from spend.money import EXACT, coins, plain
from store.budgets.budget_names import Names, names
from store.budgets.budget_status import Status, statuses
from store.budgets.forecasts import forecast_among, forecasts
from store.tenants import TENANT

_NONE = "no budgets: make one with spanledger budgets create"


@click.group(
    short_help="Show and set budgets",
    epilog="\b\nExample:\n  spanledger budgets create --name search --on team=search --amount 1000",
)
def command() -> None:
    """Show and set budgets.

    A budget warns, once, of each threshold that its period's spend reaches.

    More: docs/budgets.md
    """


for each in (budget_changes.create, budget_changes.change, budget_changes.close):
    command.add_command(each)
command.add_command(budget_files.export)
command.add_command(budget_files.import_file)
command.add_command(budget_preview.command)


@command.command("list", epilog="\b\nExample:\n  spanledger budgets list")
def list_all() -> None:
    """Show the budgets in force, those of a parent below it."""
    settings = read_settings()
    with database_for(settings) as database, database.read() as session:
        there = names(session, TENANT, datetime.now(UTC))
    columns = (right("id"), "name", "on", right("amount"), "period", "warns at")
    table = Table(*columns, box=None, pad_edge=False)
    for depth, budget in _tree(there):
        said = budget.terms
        table.add_row(
            str(budget.id),
            Text(f"{'  ' * depth}{said.name}" + (f" ({said.owner})" if said.owner else "")),
            Text(filter_text(said.filter)),
            f"{Decimal(plain(said.amount)):,} {said.currency}",
            _period(said, settings.timezone),
            Text("; ".join(_warns(said, there))),
        )
    _print(table)
    for _, budget in _tree(there):
        if to_come := there.to_come(budget.id):
            changed = ", ".join(_changed(budget.terms, to_come.terms, there))
            name = budget.terms.name
            click.echo(f"{name}: version {to_come.version} from {shown(to_come.starts)}: {changed}")


@command.command(epilog="\b\nExample:\n  spanledger budgets status")
@click.argument("budget", metavar="[NAME|ID]", required=False)
def status(budget: str | None) -> None:
    """Show where all budgets stand, or one."""
    now = datetime.now(UTC)
    with database_for(read_settings()) as database, database.read() as session:
        there = names(session, TENANT, now)
        tree = list(_tree(there))
        if budget is not None:
            tree = [(0, named(session, budget, now))]
        found = statuses(session, TENANT, [each for _, each in tree], now)
        held = forecasts(session, TENANT)
    columns = ("name", "period", right("spent"), right("of"), right(""), right("left"), "")
    table = Table(*columns, box=None, pad_edge=False)
    for (depth, _), stands in zip(tree, found, strict=True):
        table.add_row(*_row(depth, stands))
    _print(table)
    for stands in found:
        for note in _notes(stands, forecast_among(held, stands.budget, stands.period), there):
            click.echo(f"{stands.budget.terms.name}: {note}")
    if found and (complete := found[0].complete_until):
        click.echo(f"complete until {complete.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC")


def _tree(there: Names) -> Iterator[tuple[int, Budget]]:
    """Each budget after its parent, with how deep it stands."""

    def below(parents: Iterable[Budget], depth: int) -> Iterator[tuple[int, Budget]]:
        for each in parents:
            yield depth, each
            yield from below(there.children(each.id), depth + 1)

    held = [versions[0] for versions in there.live.values()]
    yield from below((each for each in held if each.terms.parent_id not in there.live), 0)


def _period(said: Terms, usual: str) -> str:
    told = said.period
    if said.period == CUSTOM and (own := said.own_period):
        told = f"{own.starts_on} to {own.ends_on}"
        if own.ends_on is None:
            told = f"each {own.days} days from {own.starts_on}"
    if said.timezone != usual:
        told += f", {said.timezone}"
    if said.rollover_cap is not None:
        told += f", rolls over up to {plain(said.rollover_cap)}"
    return told


def _warns(said: Terms, there: Names) -> Iterator[str]:
    for called, thresholds in (
        ("", said.thresholds),
        ("forecast ", said.forecast_thresholds),
        ("pace ", said.pace_thresholds),
    ):
        if thresholds:
            yield f"{called}{', '.join(map(str, thresholds))} %"
    if said.channel_ids:
        yield f"to {', '.join(there.fields(said)['channels'])}"


def _changed(before: Terms, after: Terms, there: Names) -> Iterator[str]:
    was, becomes = there.fields(before), there.fields(after)
    for field, value in becomes.items():
        if was[field] != value:
            yield f"{field} {value}"


def _row(depth: int, found: Status) -> list[str | Text]:
    said, period = found.budget.terms, found.period
    # Cut, so that 99.9 % does not read as a threshold that it has not reached.
    share = None if found.percent is None else found.percent // 1
    return [
        Text(f"{'  ' * depth}{said.name}", overflow="fold"),
        "none now" if period is None else name_of(said, period),
        "" if period is None else coins(found.spent, said.currency),
        f"{Decimal(plain(found.limit)):,} {said.currency}",
        "" if period is None or share is None else f"{share:,} %",
        "" if period is None else coins(found.left, said.currency),
        "" if period is None else found.state,
    ]


def _notes(found: Status, forecast: Forecast | None, there: Names) -> Iterator[str]:
    """What more there is to know of where it stands."""
    said = found.budget.terms
    if found.trouble:
        yield found.trouble
    if forecast is not None:
        low, high = (coins(each, said.currency) for each in (forecast.low, forecast.high))
        told = f"{coins(forecast.expected, said.currency)} expected ({low} to {high})"
        yield told + (f"; lately {found.pace} % of the even rate" if found.pace is not None else "")
    if found.rolled_in:
        yield f"{coins(found.rolled_in, said.currency)} rolled in from the last period"
    if given := allocated(found.budget, there.children(found.budget.id)):
        over = EXACT.subtract(given, said.amount)
        more = f", {coins(over, said.currency)} more than there is" if over > 0 else ""
        yield f"{coins(given, said.currency)} allocated to its children{more}"
    for code, amount in found.without_rate.items():
        yield f"without {coins(amount, code)} {code} (no rate)"


def _print(table: Table) -> None:
    if table.row_count:
        show(table)
    else:
        click.echo(_NONE)
