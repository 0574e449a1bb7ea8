"""``spanledger owners``: who pays for whose calls, and which shared costs are split."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click
from rich.table import Column, Table
from rich.text import Text

from app.commands.price_import import by_option, nothing_taken, text_of
from app.database import database_for
from app.settings import Settings, read_settings
from app.tables import right, show, shown
from reports.tables.table_parts import shown_money, shown_name, signed_money
from spend.money import EXACT, rounded
from spend.ownership.ownership import FIRST, LAST, Rule
from spend.ownership.ownership_files import Ownership, OwnershipRefusedError, ownership_of_file
from spend.ownership.ownership_words import matched, paid_by
from spend.ownership.splits import Split
from spend.periods import Period, day_start, local_day
from store.breakdowns.grouping import TooManyRowsError
from store.ledger.ownership_preview import ClosedError, Preview, preview
from store.ownership import ownership
from store.ownership.ownership import Version
from store.tenants import TENANT

_DAY = click.DateTime(["%Y-%m-%d"])
_KINDS = {Rule: "rule", Split: "split"}


@click.group(
    short_help="Show and apply who pays for whose calls",
    epilog="\b\nExample:\n  spanledger owners apply owners.toml --dry-run",
)
def command() -> None:
    """Show and apply rules of who pays for whose calls, and splits of shared costs.

    More: docs/ownership.md
    """


@command.command(
    epilog="\b\nExamples:\n  spanledger owners apply owners.toml --dry-run --from 2026-10-01"
    "\n  spanledger owners apply owners.toml"
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show what it would change, and apply nothing.")
@click.option("--from", "first", type=_DAY, help="Of the dry run. Default: the month's first day.")
@click.option("--to", "last", type=_DAY, help="Likewise, exclusive. Default: tomorrow.")
@by_option
def apply(
    file: Path, dry_run: bool, first: datetime | None, last: datetime | None, by: str
) -> None:
    """Put the rules and splits of a TOML or JSON FILE in force, in place of those before.

    \b
    [[rules]]
    name = "search moved to discovery"
    match = { team = ["search"] }
    gives = { team = "discovery" }
    from = 2026-10-17

    The first rule that fits decides; where none does, who was heard pays. The next run of the
    charge job follows, and books what somebody else is to pay as corrections.
    """  # noqa: D301 - click's mark for lines that are not to be wrapped
    settings = read_settings()
    now = datetime.now(UTC)
    try:
        said = ownership_of_file(
            text_of(file),
            toml=file.suffix.lower() == ".toml",
            timezone=settings.timezone,
        )
    except OwnershipRefusedError as refused:
        raise nothing_taken(file, [f"{refused.where}: {refused.reason}"]) from None
    if dry_run:
        _show_preview(settings, said, _period(said, first, last, now), now)
        return
    with database_for(settings) as database, database.write() as session:
        version = ownership.apply(session, TENANT, said, source=file.name, entered_by=by, now=now)
    is_new = version.known_from == now or version.followed_at is None
    click.echo(
        f"version {version.version} is in force: {_counted(said)}"
        + ("; the next run of the charge job follows it" if is_new else ", as before")
    )


def _counted(said: Ownership) -> str:
    return f"rules: {len(said.rules):,}, splits: {len(said.splits):,}"


def _period(
    said: Ownership, first: datetime | None, last: datetime | None, now: datetime
) -> Period:
    today = local_day(now, said.zone)
    starts: date = first.date() if first else today.replace(day=1)
    ends: date = last.date() if last else today + timedelta(days=1)
    if ends <= starts:
        raise click.BadParameter("must be after --from", param_hint="--to")
    return Period(day_start(starts, said.zone), day_start(ends, said.zone))


def _show_preview(settings: Settings, said: Ownership, period: Period, now: datetime) -> None:
    currency = settings.currency
    with database_for(settings) as database, database.read() as session:
        try:
            found = preview(session, TENANT, said, period, currency=currency, now=now)
        except ClosedError as closed:
            raise click.ClickException(str(closed)) from None
        except TooManyRowsError:
            raise click.ClickException("there is too much to look at: less time") from None
        held = ownership.in_force(session, TENANT)
    show(_changes(found, currency))
    if found.elsewhere:
        click.echo(f"what is in {', '.join(found.elsewhere)} passes likewise, and is not shown")
    idle = [name for name, each in found.decided.items() if not each.calls and not each.cost]
    if idle:
        click.echo(f"decide nothing of this time: {', '.join(map(shown_name, idle))}")
    ended = sorted(map(shown_name, held.said.names - said.names)) if held else []
    if ended:
        click.echo(f"are not in the file, and would end: {', '.join(ended)}")
    click.echo("nothing was applied")


def _changes(found: Preview, currency: str) -> Table:
    table = Table(
        "team",
        *(right(each) for each in ("before", "after", f"difference ({currency})", "calls", "then")),
        box=None,
        pad_edge=False,
    )
    for team in found.teams:
        before, after = found.of(team)
        table.add_row(
            Text(shown_name(team)),
            shown_money(rounded(before.cost, currency), currency),
            shown_money(rounded(after.cost, currency), currency),
            signed_money(rounded(EXACT.subtract(after.cost, before.cost), currency), currency),
            f"{before.calls:,}",
            f"{after.calls:,}",
        )
    return table


@command.command(
    "list", epilog="\b\nExamples:\n  spanledger owners list\n  spanledger owners list --version 3"
)
@click.option("--version", "number", type=click.IntRange(1), help="Of before. Default: in force.")
def list_rules(number: int | None) -> None:
    """Show the rules in force, in order, and the splits."""
    with database_for(read_settings()) as database, database.read() as session:
        found = (
            ownership.in_force(session, TENANT)
            if number is None
            else ownership.numbered(session, TENANT, number)
        )
    if found is None and number is not None:
        raise click.ClickException(f"there is no version {number}")
    if found is None:
        click.echo("no rules: apply some with spanledger owners apply FILE")
        return
    click.echo(_told(found))
    table = Table(
        *("", Column("name", overflow="fold")),
        *(Column("of", overflow="fold"), Column("paid by", overflow="fold")),
        *(Column("from (UTC)", no_wrap=True), Column("to", no_wrap=True)),
        box=None,
        pad_edge=False,
    )
    every: list[Rule | Split] = [*found.said.rules, *found.said.splits]
    for each in every:
        table.add_row(
            _KINDS[type(each)],
            Text(each.name),
            Text(matched(each.match)),
            Text(paid_by(each)),
            "" if each.valid_from == FIRST else shown(each.valid_from),
            "" if each.valid_to == LAST else shown(each.valid_to),
        )
    if every:
        show(table)


def _told(version: Version) -> str:
    until = f" to {version.known_to:%Y-%m-%d %H:%M}" if version.known_to else ""
    return (
        f"version {version.version}, in force from {version.known_from:%Y-%m-%d %H:%M}{until}"
        f" (UTC), {version.source}, by {version.entered_by}: {_counted(version.said)}"
    )
