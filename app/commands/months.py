"""``spanledger months``: closes the books of one month after the other, and proves them."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NoReturn

import click

from app.commands.price_import import BY
from app.commands.reprice import STOPPED
from app.database import database_for
from app.settings import read_settings
from app.tables import show
from reports.tables.month_tables import acts_table, months_table, proofs_table, sums_table
from spend.months.month_records import record_of
from spend.months.months import (
    ALL,
    OPEN,
    LedgerMonth,
    MonthRefusedError,
    MonthUnknownError,
    WarningUnknownError,
    month_named,
    next_open,
)
from store.months import month_closing, month_proof, month_waits, month_warnings, months
from store.tenants import TENANT

_BY = click.option("--by", default=BY, show_default=True, help="Who does it: kept with it.")
_NOTE = click.option("--note", help="What there is to say of it: kept with it.")


@click.group(
    short_help="Close the books of months, and prove them",
    epilog="\b\nExample:\n  spanledger months close 2026-10 --dry-run",
)
def command() -> None:
    """Close the books of one month after the other, and prove that closed ones did not move.

    A month is soft-closed first, or closed at once. What comes late after that is booked in the
    open month, and says which month it belongs to.

    More: docs/months.md
    """


@command.command(
    "list",
    short_help="Show which months are closed.",
    epilog="\b\nExample:\n  spanledger months list",
)
def list_all() -> None:
    """Show every month that was closed, and the one that is next."""
    settings = read_settings()
    with database_for(settings) as database, database.read() as session:
        held = months.held(session, TENANT)
        acts = months.acts(session, TENANT)
    following = next_open(held, settings.calendar)
    shown = [each for each in held if each.state != OPEN]
    if following is None:
        click.echo("no month is closed: any that is over can be the first, with all before it")
        return
    show(months_table([*shown, following], acts))


@command.command(
    "show",
    short_help="Show what was done with a MONTH.",
    epilog="\b\nExample:\n  spanledger months show 2026-10",
)
@click.argument("name", metavar="MONTH")
@click.option("--record", is_flag=True, help="Print the record alone: its SHA-256 is its hash.")
def show_one(name: str, record: bool) -> None:
    """Show what was done with a MONTH, what it was closed with, and what it waits for."""
    settings = read_settings()
    now = _now()
    with database_for(settings) as database, database.read() as session, _refusals(name):
        month = month_named(name, months.held(session, TENANT), settings.calendar)
        acts = months.acts(session, TENANT).get(name, [])
        warnings = month_warnings.warnings(
            session, TENANT, month, currency=settings.currency, now=now
        )
        waits = (
            month_waits.waits(session, TENANT, month.period, now=now) if month.state == OPEN else []
        )
    if record:
        if month.record is None:
            raise click.ClickException(f"{name} is {month.state}: it has no record")
        click.echo(month.record, nl=False)
        return
    _told(f"{name}: {month.state}", [_bounds(month)])
    if acts:
        show(acts_table(acts))
    if month.record is not None:
        _show_record(json.loads(month.record), month.hash or "")
        return
    _told("waits", [each.said for each in waits])
    _told("to accept", [f"{each.name}: {each.said}" for each in warnings])


@command.command("soft-close", epilog="\b\nExample:\n  spanledger months soft-close 2026-10")
@click.argument("name", metavar="MONTH")
@_BY
@_NOTE
def soft_close(name: str, by: str, note: str | None) -> None:
    """Stop the usage, prices and rules of a MONTH that is over.

    What comes late is booked in the next month. True-ups, credits and taxes may still be booked
    into this one, and it may be opened again.
    """
    settings = read_settings()
    with database_for(settings) as database, database.write() as session, _refusals(name):
        months.soft_close(
            session,
            TENANT,
            name,
            calendar=settings.calendar,
            clock=_now,
            by=by,
            note=note,
        )
    click.echo(f"{name} is soft-closed: what comes late is booked in the next month")


@command.command(
    epilog="\b\nExample:\n  spanledger months reopen 2026-10 --by ann --reason 'wrong contract'"
)
@click.argument("name", metavar="MONTH")
@click.option("--by", required=True, help="Who opens it again.")
@click.option("--reason", required=True, help="Why.")
def reopen(name: str, by: str, reason: str) -> None:
    """Open the last soft-closed MONTH again. One that is closed is never opened.

    What was booked in the next month meanwhile stays there.
    """
    settings = read_settings()
    with database_for(settings) as database, database.write() as session, _refusals(name):
        months.reopen(
            session,
            TENANT,
            name,
            calendar=settings.calendar,
            clock=_now,
            by=by,
            note=reason,
        )
    click.echo(f"{name} is open again")


@command.command(
    short_help="Close a MONTH for good.",
    epilog="\b\nExamples:\n  spanledger months close 2026-10 --dry-run"
    "\n  spanledger months close 2026-10 --accept unpriced",
)
@click.argument("name", metavar="MONTH")
@click.option(
    "--accept",
    "accepted",
    multiple=True,
    metavar="WARNING",
    help=f"Accept a warning: {', '.join(month_warnings.NAMES)}, or {ALL}. Can be repeated.",
)
@click.option("--dry-run", is_flag=True, help="Show checks and sums, and close nothing.")
@_BY
@_NOTE
def close(name: str, accepted: tuple[str, ...], dry_run: bool, by: str, note: str | None) -> None:
    """Close a MONTH for good: nothing of it moves any more, and what it says is recorded.

    It must be over, settled by the jobs, and the next in order; what is wrong with it must be
    accepted. Stopped with Ctrl-C, nothing is closed.
    """
    if dry_run:
        _preview(name, by, note)
        return
    settings = read_settings()
    with database_for(settings) as database, _refusals(name), _stoppable():
        month = month_closing.close(
            database,
            TENANT,
            name,
            calendar=settings.calendar,
            telling=settings.telling,
            clock=_now,
            by=by,
            note=note,
            accepted=accepted,
            told=read_so_far,
        )
    click.echo(f"{name} is closed")
    _show_record(json.loads(month.record or ""), month.hash or "")
    click.echo("keep this hash where nobody of this database can change it")


def _preview(name: str, by: str, note: str | None) -> None:
    settings = read_settings()
    now = _now()
    with (
        database_for(settings) as database,
        database.read() as session,
        _refusals(name),
        _stoppable(),
    ):
        checked = month_closing.check(
            session,
            TENANT,
            name,
            calendar=settings.calendar,
            currency=settings.currency,
            now=now,
        )
        found = month_closing.preview(
            session,
            TENANT,
            checked,
            telling=settings.telling,
            now=now,
            by=by,
            note=note,
            told=read_so_far,
        )
    month = checked.month
    _told(f"{name}: {month.state}", [_bounds(month)])
    _told("waits", [each.said for each in checked.waits])
    _told("to accept", [f"{each.name}: {each.said}" for each in checked.warnings])
    record = record_of(found)
    _show_record(json.loads(record), "")
    if checked.waits:
        click.echo("it cannot be closed now. Nothing was changed")
        return
    accepts = "".join(f" --accept {each.name}" for each in checked.warnings)
    click.echo(f"nothing was changed; to close it: spanledger months close {name}{accepts}")


@command.command(
    short_help="Prove that closed months did not move.",
    epilog="\b\nExample:\n  spanledger months verify",
)
@click.option("--hash", "kept", help="One that was kept elsewhere: a closed month must have it.")
def verify(kept: str | None) -> None:
    """Prove that closed months are what they were closed as: recompute all that was recorded.

    Exits with 1 where something is not, and names the month and the part.
    """
    proofs = []
    with (
        database_for(read_settings()) as database,
        database.read() as session,
        _stoppable(),
    ):
        for proof in month_proof.prove(session, TENANT, told=read_so_far):
            proofs.append(proof)
            click.echo(f"{proof.month} read", err=True)
    if proofs:
        show(proofs_table(proofs))
    broken = [each for proof in proofs for each in proof.broken]
    for each in broken:
        click.echo(f"{each.month}: {each.part}: {each.said}", err=True)
    unknown = kept is not None and kept not in {proof.hash for proof in proofs}
    if unknown:
        click.echo(f"no closed month has the hash {kept}", err=True)
    if broken or unknown:
        raise click.exceptions.Exit(1)
    if not proofs:
        click.echo("no month is closed")
        return
    if len(proofs) == 1:
        click.echo("1 month is what it was closed as")
    else:
        click.echo(f"{len(proofs)} months are what they were closed as")


def _show_record(record: dict[str, Any], sha256: str) -> None:
    lines = f"{record['ledger']['lines']:,} lines of the ledger"
    click.echo(f"{lines}, {record['usage']['lines']:,} of usage")
    if record["sums"]:
        show(sums_table(record["sums"]))
    if record["previous"]:
        click.echo(f"after {record['previous']}")
    if sha256:
        click.echo(f"hash  {sha256}")


def _bounds(month: LedgerMonth) -> str:
    bounds = f"{month.period.start:%Y-%m-%d %H:%M} to {month.period.end:%Y-%m-%d %H:%M} (UTC)"
    zone = month.calendar.zone.key
    return bounds if zone == "UTC" else f"{bounds}, as {zone} has it"


def _told(heading: str, said: Sequence[str]) -> None:
    if said:
        click.echo("\n".join([heading, *(f"  {each}" for each in said)]))


def _now() -> datetime:
    return datetime.now(UTC)


def read_so_far(lines: int) -> None:
    """Says how far a long reading has come."""
    click.echo(f"{lines:,} lines read", err=True)


@contextmanager
def _refusals(name: str) -> Iterator[None]:
    """What cannot be done is told with every reason, and ends with 1."""
    try:
        yield
    except (MonthUnknownError, WarningUnknownError) as unknown:
        raise click.UsageError(str(unknown)) from None
    except MonthRefusedError as refused:
        _refuse(name, refused)


def _refuse(name: str, refused: MonthRefusedError) -> NoReturn:
    lines = [f"{name} stays as it is:", *(f"  {reason}" for reason in refused.reasons)]
    if refused.to_accept:
        names = " ".join(f"--accept {each.name}" for each in refused.to_accept)
        lines.append(f"to close it all the same: spanledger months close {name} {names}")
    raise click.ClickException("\n".join(lines))


@contextmanager
def _stoppable() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        click.echo("\nstopped: nothing was changed", err=True)
        raise click.exceptions.Exit(STOPPED) from None
