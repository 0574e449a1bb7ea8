"""Where commands get secrets of channels from: never from their arguments.

An argument stays in a shell's history, and everybody on the machine sees it while the command runs.
"""

import os
import sys
from importlib.util import find_spec

import click

from app.settings import Settings
from jobs.delivery.destinations import addresses_of
from spend.channels.channels import Checks


def checks_of(settings: Settings) -> Checks:
    """How what is saved is looked at, by the settings and what is installed."""
    return Checks(
        addresses_of,
        allow_private=settings.allow_private_destinations,
        has_apprise=find_spec("apprise") is not None,
    )


def secret_said(what: str, *, from_stdin: bool, from_env: str | None) -> str:
    """A secret from standard input, from a variable of the environment, or asked for.

    ``what``: what it is, for people.
    """
    if from_env is not None:
        if not os.environ.get(from_env):
            raise click.UsageError(f"the variable {from_env} is not set")
        return os.environ[from_env].strip()
    if from_stdin:
        return sys.stdin.readline().strip()
    if not sys.stdin.isatty():
        raise click.UsageError(f"{what}: say --secret-from-stdin, or --secret-from-env NAME")
    return str(click.prompt(what, hide_input=True)).strip()
