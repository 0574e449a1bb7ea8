"""``spanledger content``: whether what is said in calls is kept, and on which terms."""

from datetime import UTC, date, datetime

import click

from app.database import database_for
from app.refusals import refusals_told
from app.settings import read_settings
from app.tables import show_lines, shown
from spend.contents.contents import KINDS, MOST_DAYS, OFF, USUAL_DAYS, ContentTerms, content_terms
from store.contents.content_policies import Policy, policy_of, set_policy
from store.contents.contents import Held, held
from store.contents.linear_patterns import check_patterns
from store.tenants import TENANT

_dry_run = click.option("--dry-run", is_flag=True, help="Only say what would go of what there is.")


@click.group(
    short_help="Show and set whether prompts and completions are kept",
    epilog="\b\nExample:\n  spanledger content on --days 7 --kinds input,output",
)
def command() -> None:
    """Show and set whether what is said in calls is kept: prompts, completions, tools' arguments.

    It is off unless somebody switches it on. Secrets, e-mail addresses, telephone numbers, cards
    and accounts are taken out before anything is written.

    More: docs/content.md
    """


@command.command(epilog="\b\nExample:\n  spanledger content on --days 7 --pattern 'ACME-[0-9]+'")
@click.option(
    "--days",
    type=click.IntRange(1, MOST_DAYS),
    default=USUAL_DAYS,
    show_default=True,
    help="How long it is kept, from the day of the call on.",
)
@click.option(
    "--kinds", default=",".join(KINDS), show_default=True, help="What of it, with commas."
)
@click.option(
    "--pattern", multiple=True, help="A regular expression to take out besides; repeatable."
)
@click.option("--ips", is_flag=True, help="Take out IP addresses, too.")
@click.option("--team", multiple=True, help="Of this team alone; repeatable.")
@click.option("--service", multiple=True, help="Of this service alone; repeatable.")
@_dry_run
def on(
    *,
    days: int,
    kinds: str,
    pattern: tuple[str, ...],
    ips: bool,
    team: tuple[str, ...],
    service: tuple[str, ...],
    dry_run: bool,
) -> None:
    """Keep content of calls that come from now on. What is not said is as it is by default."""
    with refusals_told():
        terms = content_terms(
            on=True,
            days=days,
            kinds=[kind.strip() for kind in kinds.split(",")],
            patterns=pattern,
            ips=ips,
            teams=team,
            services=service,
        )
        check_patterns(terms.patterns)
    _put(terms, dry_run=dry_run)


@command.command(epilog="\b\nExample:\n  spanledger content off --dry-run")
@_dry_run
def off(*, dry_run: bool) -> None:
    """Keep none any more, and forget what there is."""
    _put(OFF, dry_run=dry_run)


@command.command(epilog="\b\nExample:\n  spanledger content show")
def show() -> None:
    """Show whether it is kept, on which terms, and how much there is."""
    with database_for(read_settings()) as database, database.read() as session:
        policy, there = policy_of(session, TENANT), held(session, TENANT)
    show_lines(_heading(policy), *_terms(policy), f"there is: {_amount(there)}")


def _put(terms: ContentTerms, *, dry_run: bool) -> None:
    now = datetime.now(UTC)
    first = terms.first_day(now.date()) or date.max
    with database_for(read_settings()) as database:
        with database.read() as session:
            going = held(session, TENANT, before=first)
        if dry_run:
            click.echo(f"nothing is changed; would go for good: {_amount(going)}")
            return
        with database.write() as session:
            policy = set_policy(session, TENANT, terms, now=now)
    click.echo(_heading(policy))
    if going.parts:
        click.echo(f"goes for good within minutes: {_amount(going)}")


def _heading(policy: Policy) -> str:
    terms = policy.terms
    if not terms.on:
        return "content is not kept"
    return f"content is kept for {terms.days} {'day' if terms.days == 1 else 'days'}"


def _terms(policy: Policy) -> list[str]:
    terms = policy.terms
    said = []
    if terms.on:
        taken = [*terms.patterns, *(["IP addresses"] if terms.ips else [])]
        said = [
            f"kinds: {', '.join(terms.kinds)}",
            f"teams: {', '.join(terms.teams) or 'all'}",
            f"services: {', '.join(terms.services) or 'all'}",
            f"taken out besides: {', '.join(taken) or 'nothing'}",
        ]
    if policy.changed_at:
        said.append(f"since {shown(policy.changed_at)} UTC, by {policy.changed_by}")
    return said


def _amount(there: Held) -> str:
    if not there.parts:
        return "nothing"
    parts = "part" if there.parts == 1 else "parts"
    days = f"{there.first_day} to {there.last_day}"
    return f"{there.parts:,} {parts}, {there.bytes:,} bytes, of {days}"
