"""The options of ``spanledger alert-rules`` that say what a rule says."""

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from spend.alerts.rule_kinds import KINDS
from spend.budgets.budgets import DIMENSIONS

_Command = TypeVar("_Command", bound=Callable[..., Any])

_FIELDS: Final = {"wanted": "filter", "window": "window_minutes", "recover": "recover_minutes"}
"""Options that are not called as their fields."""
_CLEARED: Final[dict[str, Any]] = {
    "by": [],
    "channels": [],
    "filter": {},
    "over": None,
    "owner": None,
    "remind-hours": None,
    "warning": None,
}
"""What can be taken away from a rule, and what is left then."""
_WHOLE: Final = {
    name for kind in KINDS.values() for name, each in kind.settings.items() if each.type == "whole"
}


def said_by(command: _Command) -> _Command:
    """The options that say what a rule says, but its name and kind."""
    for option in reversed(
        [
            click.option(
                "--on",
                "wanted",
                multiple=True,
                metavar="DIMENSION=VALUE",
                help="What counts; none is all. Several values of a dimension: any of them."
                " Dimensions: " + ", ".join(DIMENSIONS) + ".",
            ),
            click.option(
                "--by", multiple=True, metavar="DIMENSION", help="Split by it. Repeatable."
            ),
            click.option("--window", type=int, metavar="MINUTES", help="How much time counts."),
            click.option("--warning", help="From this value on it is a warning."),
            click.option("--over", help="From this value on it is over."),
            click.option("--minimum", help="With less nothing is concluded."),
            click.option("--recover", type=int, metavar="MINUTES", help="So long it must be good."),
            click.option(
                "--set",
                "own",
                multiple=True,
                metavar="SETTING=VALUE",
                help="What its kind has of its own, such as percentile=p99. Repeatable.",
            ),
            click.option("--owner", help="Whom to ask about it."),
            click.option(
                "--channel",
                "channels",
                multiple=True,
                help="Where to tell it.  [of a new one: its team's, or all's]",
            ),
            click.option("--remind-hours", type=int, help="Remind who is over after so many."),
            click.option(
                "--clear",
                multiple=True,
                type=click.Choice(tuple(_CLEARED)),
                help="Take this away. Repeatable.",
            ),
        ]
    ):
        command = option(command)
    return command


def said_in(options: dict[str, Any]) -> dict[str, Any]:
    """The fields that options say; those that were left out are not among them."""
    said = {
        _FIELDS.get(name, name): list(value) if isinstance(value, tuple) else value
        for name, value in options.items()
        if value is not None and value != ()
    }
    if "filter" in said:
        said["filter"] = _pairs("--on", said["filter"])
    own = _pairs("--set", said.pop("own", []))
    for name, values in own.items():
        text = values[-1]
        whole = name in _WHOLE and re.fullmatch("[0-9]{1,9}", text)
        said[name] = int(text) if whole else text
    for name in said.pop("clear", []):
        said[name.replace("-", "_")] = _CLEARED[name]
    return said


def _pairs(option: str, said: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in said:
        name, equals, value = each.partition("=")
        if not equals:
            raise click.UsageError(f"{option} {each}: write NAME=VALUE, such as team=search")
        found.setdefault(name, []).append(value)
    return found
