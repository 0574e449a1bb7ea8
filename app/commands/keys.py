"""``spanledger keys``: who may send, read or administer."""

from datetime import UTC, datetime

import click
from rich.table import Table

from app.database import database_for
from app.pepper import pepper_for
from app.settings import read_settings
from app.tables import show
from spend.access.key_terms import KINDS, expiry, key_terms
from spend.checked_fields import TermsRefused
from store.access.keys import create_key, has_keys, list_keys, revoke_key
from store.tenants import TENANT


@click.group(
    short_help="Make, list and revoke keys",
    epilog="\b\nExample:\n  spanledger keys create --kind ingest --name checkout --team shop",
)
def command() -> None:
    """Make, list and revoke keys.

    As long as there is none, everybody on this machine may do everything, and nobody beyond it
    can come in. With the first key everybody who asks needs one; with the
    first of kind ingest everybody who sends does, too.

    More: docs/access.md
    """


@command.command(
    epilog="\b\nExample:\n  spanledger keys create --kind read --name dashboard --team search"
)
@click.option("--kind", type=click.Choice(KINDS), required=True, help="What it may do.")
@click.option("--name", required=True, help="Whom or what it is for.")
@click.option(
    "--team",
    help="The team of spans sent with it that name none; for a read key, all that it sees.",
)
@click.option("--expires", help="When it ends: after days, 90d, or from a date on, 2027-01-31.")
def create(kind: str, name: str, team: str | None, expires: str | None) -> None:
    """Make a key and print it, once: the database keeps only a digest."""
    now = datetime.now(UTC)
    try:
        terms = key_terms(kind=kind, name=name, team=team)
        expires_at = expiry(expires, now)
    except TermsRefused as refused:
        raise click.BadParameter(str(refused), param_hint=f"--{refused.field}") from None
    settings = read_settings()
    with database_for(settings) as database, database.write() as session:
        is_first = not has_keys(session)
        key = create_key(
            session,
            tenant=TENANT,
            kind=terms.kind,
            name=terms.name,
            team=terms.team,
            pepper=pepper_for(settings),
            now=now,
            expires_at=expires_at,
        )
    click.echo(key)
    click.echo("This is the only time that it is shown. It is sent as", err=True)
    click.echo("  Authorization: Bearer <key>", err=True)
    if is_first and terms.kind != "admin":
        click.echo(
            "It is the first key in force: from now on whoever asks, or opens a page, needs one.",
            err=True,
        )
        click.echo("For yourself: spanledger keys create --kind admin --name me", err=True)


@command.command("list", epilog="\b\nExample:\n  spanledger keys list")
def list_all() -> None:
    """Show the keys, without their secrets."""
    with database_for(read_settings()) as database, database.read() as session:
        found = list_keys(session, tenant=TENANT)
    times = ("made (UTC)", "expires (UTC)", "last used", "revoked (UTC)")
    table = Table("id", "kind", "name", "team", *times, box=None, pad_edge=False)
    for key in found:
        table.add_row(
            key.id,
            key.kind,
            key.name,
            key.team or "",
            _when(key.created_at),
            _when(key.expires_at),
            f"{key.last_used_at.astimezone(UTC):%Y-%m-%d}" if key.last_used_at else "",
            _when(key.revoked_at),
        )
    if found:
        show(table)
    else:
        click.echo("no keys: everybody on this machine may do everything")


@command.command(epilog="\b\nExample:\n  spanledger keys revoke k3f9a2bq")
@click.argument("key_id", metavar="ID")
def revoke(key_id: str) -> None:
    """End a key for good. ID is the 8 characters that the list shows."""
    with database_for(read_settings()) as database, database.write() as session:
        ended = revoke_key(session, key_id, tenant=TENANT, now=datetime.now(UTC))
    if not ended:
        raise click.ClickException(f"there is no key {key_id} in force")
    click.echo(f"{key_id} is revoked")


def _when(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}" if moment else ""
