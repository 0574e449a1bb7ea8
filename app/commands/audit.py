"""``spanledger audit``: who changed what."""

import json
from datetime import UTC, datetime
from typing import Any, Final

import click
from rich.table import Table

from app.database import database_for
from app.settings import read_settings
from app.tables import show
from store import audit
from store.audit import Change
from store.tenants import TENANT

SHORT: Final = 60
"""Characters of a value in the table: a list of prices is told by its beginning."""


@click.command(
    short_help="Show who changed what", epilog="\b\nExample:\n  spanledger audit --noun budget"
)
@click.option("--noun", help="Of what: budget, key, price …")
@click.option("--of", "noun_id", help="Of the one with this id.")
@click.option("--by", "actor_id", help="By the person or the key with this id.")
@click.option(
    "--since",
    metavar="DATE",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]),
    help="From then on (UTC): 2026-11-01, or 2026-11-01T09:30.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=50,
    show_default=True,
    help="At most so many.",
)
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line, with nothing cut.")
def command(
    noun: str | None,
    noun_id: str | None,
    actor_id: str | None,
    since: datetime | None,
    limit: int,
    as_json: bool,
) -> None:
    """Show who changed what, the latest first.

    More: docs/access.md
    """
    asked = audit.Asked(
        since=since and since.replace(tzinfo=UTC), actor_id=actor_id, noun=noun, noun_id=noun_id
    )
    with database_for(read_settings()) as database, database.read() as session:
        found = audit.page(session, TENANT, asked, at_most=limit)
    if as_json:
        for each in found:
            click.echo(json.dumps(_told(each), ensure_ascii=False))
        return
    table = Table("at (UTC)", "who", "did", "to", "before", "after", box=None, pad_edge=False)
    for each in found:
        where = f" ({each.actor.address})" if each.actor.address else ""
        table.add_row(
            f"{each.at.astimezone(UTC):%Y-%m-%d %H:%M}",
            f"{each.actor.kind} {each.actor.name}{where}",
            each.did,
            f"{each.noun} {each.name or each.noun_id or ''}".strip(),
            _fields(each.before),
            _fields(each.after),
        )
    if found:
        show(table)
    else:
        click.echo("nothing was changed")


def _fields(said: dict[str, Any] | None) -> str:
    return ", ".join(
        f"{name} {_short(value)}"
        for name, value in (said or {}).items()
        if value not in (None, [], {})
    )


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHORT else text[:SHORT] + "…"


def _told(change: Change) -> dict[str, Any]:
    actor = change.actor
    return {
        "id": change.id,
        "at": change.at.isoformat(),
        "actor": {
            "kind": actor.kind,
            "id": actor.id,
            "name": actor.name,
            "address": actor.address,
        },
        "did": change.did,
        "noun": change.noun,
        "noun_id": change.noun_id,
        "name": change.name,
        "before": change.before,
        "after": change.after,
    }
