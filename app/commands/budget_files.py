"""``spanledger budgets export`` and ``import``: budgets and alert rules as a file."""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click
from rich.table import Table
from rich.text import Text

from app.commands.budget_changes import usual
from app.database import database_for
from app.settings import read_settings
from app.tables import show
from spend.budgets.budget_files import BudgetFileRefusedError, file_of, text_of
from store.alerts.budget_import import UNCHANGED, Taken, exported, take
from store.budgets import budgets
from store.tenants import TENANT

LARGEST_FILE: Final = 20 * 1024 * 1024
"""Bytes: more than 10,000 budgets have to say."""


@click.command(
    short_help="Write budgets and alert rules as a file.",
    epilog="\b\nExample:\n  spanledger budgets export > budgets.toml",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["toml", "json"]),
    default="toml",
    show_default=True,
    help="How to write it.",
)
def export(form: str) -> None:
    """Write the budgets and alert rules in force as a file, to standard output.

    Secrets are not in it: of a webhook its last 4 characters, for which import keeps what is there.
    """
    with database_for(read_settings()) as database, database.read() as session:
        found, rules = exported(session, TENANT, datetime.now(UTC))
    click.echo(text_of(found, rules, toml=form == "toml"), nl=False)


@click.command(
    "import",
    short_help="Make budgets and alert rules what a FILE says.",
    epilog="\b\nExample:\n  spanledger budgets import budgets.toml --dry-run",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--close-missing", is_flag=True, help="Close what the file's sections do not name.")
def import_file(file: Path, *, dry_run: bool, close_missing: bool) -> None:
    """Make budgets and alert rules what a TOML or JSON FILE says, by their names.

    \b
    [[budgets]]
    name = "search"
    filter = { team = ["search"] }
    amount = "1000.00"

    All of the file is taken, or nothing. A field that it leaves out has its default;
    docs/budgets.md tells all of them.
    """  # noqa: D301 - click's mark for lines that are not to be wrapped
    settings = read_settings()
    try:
        said = file_of(read_text(file), toml=file.suffix.lower() == ".toml")
        with database_for(settings) as database, database.write() as session:
            taken = take(
                session,
                TENANT,
                said,
                usual(settings),
                datetime.now(UTC),
                close_missing=close_missing,
            )
            if dry_run:
                session.rollback()
    except BudgetFileRefusedError as refused:
        raise click.ClickException(f"nothing was taken from {file.name}:\n  {refused}") from None
    except budgets.ChangeScheduled as scheduled:
        raise click.ClickException(f"nothing was taken from {file.name}: {scheduled}") from None
    _tell(taken, dry_run=dry_run)


def read_text(file: Path) -> str:
    """A file as text. Raises ClickException where it is too large, or not UTF-8."""
    if file.stat().st_size > LARGEST_FILE:
        raise click.ClickException(f"{file.name} is larger than {LARGEST_FILE:,} bytes")
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{file.name} is not UTF-8 at byte {error.start}") from None


def _tell(taken: Iterable[Taken], *, dry_run: bool) -> None:
    table = Table("", "name", "what", "before", "after", box=None, pad_edge=False)
    counts: Counter[tuple[str, str]] = Counter()
    for each in taken:
        counts[each.what, each.kind] += 1
        if each.what == UNCHANGED:
            continue
        first = True
        for field, before, after in each.changes or ((each.what, None, None),):
            kind, name = (each.kind, each.name) if first else ("", "")
            table.add_row(kind, Text(name), field, Text(_shown(before)), Text(_shown(after)))
            first = False
    if table.row_count:
        show(table)
    would = "would be " if dry_run else ""
    for (what, kind), count in sorted(counts.items()):
        click.echo(f"{count} {kind}{'' if count == 1 else 's'} {would}{what}")


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
