"""``spanledger budgets create``, ``change`` and ``close``."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import click
from sqlalchemy.orm import Session

from app.channel_secrets import checks_of
from app.database import database_for
from app.pepper import pepper_for
from app.refusals import refusals_told
from app.settings import Settings, read_settings
from app.tables import shown
from spend.budgets.budget_fields import effective_from
from spend.budgets.budget_periods import KINDS
from spend.budgets.budgets import DEFAULT_THRESHOLDS, DIMENSIONS, Budget
from spend.called import called
from store.access.secrets import Seal
from store.budgets import budgets
from store.budgets.budget_names import Usual, names, terms_said
from store.tenants import TENANT

_Command = TypeVar("_Command", bound=Callable[..., Any])

CLEARED: Final[dict[str, list[Any] | None]] = {
    "channel": [],
    "forecast": [],
    "owner": None,
    "pace": [],
    "parent": None,
    "remind-hours": None,
    "rollover-cap": None,
    "threshold": [],
    "webhook-url": None,
}
"""What can be taken away from a budget, and what is left then."""
_CONFLICTS: Final = (budgets.NameTaken, budgets.ChangeScheduled, budgets.HasChildren)
_FIELDS: Final = {
    "channel": "channels",
    "forecast": "forecast_thresholds",
    "pace": "pace_thresholds",
    "threshold": "thresholds",
    "wanted": "filter",
}
"""Options that are not called as their fields."""


def _said_by(command: _Command) -> _Command:
    """The options that say what a budget says."""
    for option in reversed(
        [
            click.option(
                "--on",
                "wanted",
                multiple=True,
                metavar="DIMENSION=VALUE",
                help="Which spend counts; none is all. Several values of a dimension: any of them."
                " Dimensions: " + ", ".join(DIMENSIONS) + ".",
            ),
            click.option("--currency", help="ISO 4217.  [of a new one: the settings']"),
            click.option(
                "--period",
                type=click.Choice(KINDS),
                help="How long it lasts.  [of a new one: month]",
            ),
            click.option("--starts-on", help="Of the period custom: its first day, 2026-11-02."),
            click.option("--days", type=int, help="Of the period custom: each has so many."),
            click.option("--ends-on", help="Or its last day, where there is one period alone."),
            click.option(
                "--timezone", help="That periods are cut in.  [of a new one: the settings']"
            ),
            _many("threshold", "Percent of the limit to warn of.", DEFAULT_THRESHOLDS),
            _many("forecast", "Percent of the limit that a period is expected to reach.", ()),
            _many("pace", "Percent of the even rate: of 200 it lasts half the period.", ()),
            click.option("--rollover-cap", help="At most so much goes into the next period."),
            click.option("--parent", help="The budget that it is a part of: name or id."),
            click.option("--owner", help="Whom to ask about it."),
            click.option(
                "--channel",
                multiple=True,
                help="Where to warn.  [of a new one: its team's, or all's]",
            ),
            click.option("--remind-hours", type=int, help="Remind who is over after so many."),
            click.option(
                "--webhook-url", help="A Slack webhook of its own; channels keep secrets better."
            ),
        ]
    ):
        command = option(command)
    return command


def _many(name: str, told: str, default: Sequence[int]) -> Callable[[_Command], _Command]:
    usual = f"  [of a new one: {', '.join(map(str, default))}]" if default else ""
    return click.option(f"--{name}", type=int, multiple=True, help=f"{told} Repeatable.{usual}")


@click.command(
    epilog="\b\nExample:\n  spanledger budgets create --name search --on team=search"
    " --amount 1000.00 --threshold 50 --threshold 100"
)
@click.option("--name", required=True, help="What people call it; no two the same.")
@click.option("--amount", required=True, help="In its currency, such as 1000.00.")
@_said_by
def create(**options: Any) -> None:
    """Set a budget, in force at once."""
    said = {"filter": {}} | _fields(options)
    settings, now = read_settings(), datetime.now(UTC)
    with (
        refusals_told(*_CONFLICTS),
        database_for(settings) as database,
        database.write() as session,
    ):
        wanted = terms_said(said, names(session, TENANT, now), usual(settings))
        budget = budgets.create(session, TENANT, wanted, now)
    click.echo(f"budget {budget.id} is in force")


@click.command(
    epilog="\b\nExample:\n  spanledger budgets change search --amount 2000.00"
    " --effective-from 2026-12-01"
)
@click.argument("budget", metavar="NAME|ID")
@click.option("--name", help="What people call it; no two the same.")
@click.option("--amount", help="In its currency, such as 1000.00.")
@_said_by
@click.option(
    "--clear", multiple=True, type=click.Choice(tuple(CLEARED)), help="Take this away. Repeatable."
)
@click.option(
    "--effective-from",
    "starts",
    help="A day of its zone, or an instant with its offset.  [default: at once]",
)
@click.option("--withdraw", is_flag=True, help="Take back the change that is to come.")
def change(
    budget: str, clear: tuple[str, ...], starts: str | None, *, withdraw: bool, **options: Any
) -> None:
    """Change a budget, at once or from a day on. What was spent stays spent."""
    said = _fields(options) | {
        _FIELDS.get(each, each.replace("-", "_")): CLEARED[each] for each in clear
    }
    settings, now = read_settings(), datetime.now(UTC)
    if withdraw and (said or starts):
        raise click.UsageError("--withdraw takes back a change, and makes none")
    with (
        refusals_told(*_CONFLICTS),
        database_for(settings) as database,
        database.write() as session,
    ):
        current = named(session, budget, now, lock=True)
        there = names(session, TENANT, now)
        if withdraw:
            to_come = there.to_come(current.id)
            if to_come is None:
                raise click.ClickException(f"no change of {current.terms.name!r} is to come")
            budgets.withdraw(session, TENANT, current.id, to_come.version, now)
            click.echo(f"version {to_come.version} of budget {current.id} is withdrawn")
            return
        wanted = terms_said(said, there, usual(settings), changes=current.terms)
        at = effective_from(starts, wanted.timezone, now)
        made = budgets.change(session, TENANT, current.id, wanted, now, at)
    if made.version == current.version:
        click.echo(f"budget {made.id} says that already")
    else:
        when = "is in force" if at is None else f"holds from {shown(at)} UTC on"
        click.echo(f"version {made.version} of budget {made.id} {when}")


@click.command(epilog="\b\nExample:\n  spanledger budgets close search")
@click.argument("budget", metavar="NAME|ID")
def close(budget: str) -> None:
    """End a budget: it is no longer compared with anything."""
    now = datetime.now(UTC)
    with (
        refusals_told(*_CONFLICTS),
        database_for(read_settings()) as database,
        database.write() as session,
    ):
        current = named(session, budget, now, lock=True)
        budgets.close(session, TENANT, current.id, now)
    click.echo(f"budget {current.id} is closed")


def named(session: Session, asked: str, now: datetime, *, lock: bool = False) -> Budget:
    """The budget in force of a name, or else of an id. Raises ClickException."""
    if lock:
        budgets.lock_all(session, TENANT)
    held = budgets.all_in_force(session, TENANT, now)
    one = called(asked, held, lambda each: (each.terms.name, each.id))
    if one is not None:
        return one
    raise click.ClickException(f"no budget {asked[:100]} is in force")


def usual(settings: Settings) -> Usual:
    """What budgets have that do not say it."""
    return Usual(
        currency=settings.currency,
        timezone=settings.timezone,
        fiscal=settings.fiscal_year,
        checks=checks_of(settings),
        seal=Seal(pepper_for(settings)),
    )


def _fields(options: dict[str, Any]) -> dict[str, Any]:
    """The fields that options say; those that were left out are not among them."""
    said = {name: value for name, value in options.items() if value not in {None, ()}}
    own = {name: said.pop(name) for name in ("starts_on", "days", "ends_on") if name in said}
    if own:
        said["own_period"] = own
    if "wanted" in said:
        said["wanted"] = _filter(said["wanted"])
    return {_FIELDS.get(name, name): value for name, value in said.items()}


def _filter(wanted: tuple[str, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in wanted:
        dimension, equals, value = each.partition("=")
        if not equals:
            raise click.UsageError(f"--on {each}: write DIMENSION=VALUE, such as team=search")
        found.setdefault(dimension, []).append(value)
    return found
