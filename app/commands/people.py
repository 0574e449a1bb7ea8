"""``spanledger people``: who signs in through the identity provider, and what they are here."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click
from rich.table import Table
from sqlalchemy.orm import Session

from app.database import database_for
from app.settings import read_settings
from app.tables import show
from spend.access.roles import ROLES, Role, role_terms
from spend.checked_fields import TermsRefused
from store.access import people
from store.access.people import Person
from store.tenants import TENANT

WHO = click.argument("who", metavar="WHO")
ROLE = click.option("--role", type=click.Choice(list(ROLES)), required=True, help="What they are.")
TEAM = click.option("--team", help="The only team that they see: of a lead, or a viewer.")


@click.group(
    short_help="Show people, and give them roles",
    epilog="\b\nExample:\n  spanledger people grant ada@example.com --role admin",
)
def command() -> None:
    """Show who signs in through the identity provider, and say what they are here.

    WHO is a person's number, or their address of mail where the provider made sure of it. Whoever
    never signed in is not known yet.

    More: docs/access.md
    """


@command.command("list", epilog="\b\nExample:\n  spanledger people list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_all(as_json: bool) -> None:
    """Show who signed in, who came last first."""
    with database_for(read_settings()) as database, database.read() as session:
        found = people.all_people(session, TENANT)
    if as_json:
        click.echo(json.dumps([_told(each) for each in found], indent=2))
        return
    table = Table("id", "name", "mail", "is", "signed in last (UTC)", "", box=None, pad_edge=False)
    for each in found:
        table.add_row(
            str(each.id),
            each.name,
            each.email or "",
            ", ".join(dict.fromkeys(str(held.role) for held in each.roles)) or "nothing yet",
            f"{each.last_seen_at.astimezone(UTC):%Y-%m-%d %H:%M}",
            "barred" if each.barred_at else "",
        )
    if found:
        show(table)
    else:
        click.echo("nobody signed in yet")


@command.command(
    short_help="Give somebody a role.",
    epilog="\b\nExample:\n  spanledger people grant 7 --role lead --team search",
)
@WHO
@ROLE
@TEAM
def grant(who: str, role: str, team: str | None) -> None:
    """Give somebody a role; it stays until it is taken back, whatever the provider says."""
    said = _terms(role, team)
    with _changed(who) as (session, person):
        given = people.grant(session, person, said, tenant=TENANT, now=datetime.now(UTC))
    click.echo(f"{person.name} {'is now' if given else 'was'} {said}")


@command.command(
    short_help="Take a role back that was given here.",
    epilog="\b\nExample:\n  spanledger people revoke 7 --role lead --team search",
)
@WHO
@ROLE
@TEAM
def revoke(who: str, role: str, team: str | None) -> None:
    """Take a role back that was given here; those of groups the provider takes back."""
    said = _terms(role, team)
    with _changed(who) as (session, person):
        taken = any(
            people.take_back(session, person, held.id, tenant=TENANT)
            for held in person.roles
            if held.role == said
        )
        if not taken:
            raise click.ClickException(f"{person.name} was not given {said} here")
    click.echo(f"{person.name} is no longer {said}")


@command.command(
    short_help="Keep somebody out at once.",
    epilog="\b\nExample:\n  spanledger people bar ada@example.com",
)
@WHO
def bar(who: str) -> None:
    """Keep somebody out at once, whatever the provider says."""
    with _changed(who) as (session, person):
        people.bar(session, person, tenant=TENANT, now=datetime.now(UTC))
    click.echo(f"{person.name} is barred")


@command.command(epilog="\b\nExample:\n  spanledger people unbar ada@example.com")
@WHO
def unbar(who: str) -> None:
    """Let somebody in again."""
    with _changed(who) as (session, person):
        people.unbar(session, person, tenant=TENANT)
    click.echo(f"{person.name} may come in")


@command.command("sign-out", epilog="\b\nExample:\n  spanledger people sign-out 7")
@WHO
def sign_out(who: str) -> None:
    """Sign somebody out in every browser."""
    with _changed(who) as (session, person):
        ended = people.end_sessions(session, person, tenant=TENANT, now=datetime.now(UTC))
    click.echo(f"{person.name}: {ended} ended")


@contextmanager
def _changed(who: str) -> Iterator[tuple[Session, Person]]:
    """A person, in a transaction of their change."""
    with database_for(read_settings()) as database, database.write() as session:
        known = people.all_people(session, TENANT)
        found = [each for each in known if who in {str(each.id), each.email}]
        if len(found) != 1:
            why = "several people have this address: say a number" if found else "nobody of that"
            more = "" if found else " number or verified address signed in yet"
            raise click.ClickException(f"{who}: {why}{more} (spanledger people list)")
        yield session, found[0]


def _terms(role: str, team: str | None) -> Role:
    try:
        return role_terms(role=role, team=team)
    except TermsRefused as refused:
        raise click.BadParameter(str(refused), param_hint=f"--{refused.field}") from None


def _told(person: Person) -> dict[str, Any]:
    return {
        "id": person.id,
        "name": person.name,
        "email": person.email,
        "issuer": person.issuer,
        "subject": person.subject,
        "last_seen_at": person.last_seen_at.isoformat(),
        "barred_at": person.barred_at.isoformat() if person.barred_at else None,
        "roles": [
            {"role": held.role.name, "team": held.role.team, "source": held.source}
            for held in person.roles
        ],
    }
