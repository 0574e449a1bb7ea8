"""The command line: ``spanledger <command>``, each command in a module of its own."""

import gc
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import version
from types import ModuleType
from typing import Any, Final

import click

from app.errors import DatabaseUnavailable, PostgresUnavailable, WrongSetting
from app.logs import configure_logs

SECTIONS: Final = {
    "Begin": {
        "serve": "Run everything on this machine",
        "demo": "Run everything, and a simulated company that uses it",
    },
    "A month's books": {
        "report": "Show a month's statement",
        "focus": "Write a month as FOCUS, for FinOps tools",
        "months": "Close the books of months, and prove them",
    },
    "What things cost, and who pays": {
        "prices": "Show and import prices",
        "rates": "Show and import exchange rates",
        "pools": "Show and declare capacity paid by the hour",
        "commitments": "Show and declare credits and minimums of spend",
        "bills": "Show and import what providers invoiced",
        "owners": "Show and apply who pays for whose calls",
        "what-if": "Show what calls would have cost elsewhere",
    },
    "Budgets and alerts": {
        "budgets": "Show and set budgets",
        "alert-rules": "Show and set what is watched besides budgets",
        "alerts": "Show alerts, acknowledge, snooze and mute them",
        "channels": "Show and set where alerts go",
    },
    "Run its parts, and look after them": {
        "jobs": "Run the jobs: by the clock, or one by hand",
        "archive": "Archive and drop old days, and see where they are",
        "collector": "Run the collector alone",
        "api": "Run the API alone",
        "migrate": "Bring the database to the newest shape",
    },
    "Who may do what, and what is kept": {
        "keys": "Make, list and revoke keys",
        "people": "Show people, and give them roles",
        "audit": "Show who changed what",
        "content": "Show and set whether prompts and completions are kept",
    },
    "From outside": {
        "mcp": "Answer models: a read-only MCP server over the API",
        "doctor": "Check what one would forget to check",
        "canary": "Send known calls, and prove what became of them",
    },
}
"""In the order in which one meets them."""

COMMANDS: Final = {name: said for each in SECTIONS.values() for name, said in each.items()}

_WIDEST: Final = max(map(len, COMMANDS))


class Commands(click.Group):
    """Loads a command when it is asked for: ``report`` should not wait for pandas or gRPC.

    The ends that a person can do something about are told in one line, without a traceback:
    exit 2 where a setting is wrong, 1 where the database is away.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which one meets them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name; None is a usage error."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        command = _loaded(f"app.commands.{cmd_name.replace('-', '_')}").command
        if not isinstance(command, click.Command):
            raise TypeError(f"app/commands/{cmd_name}.py has no click command called 'command'")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of ``--help``, without loading every command."""
        del ctx
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(f"{name:{_WIDEST}}", said) for name, said in commands.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does; of a name that is none, one that is much like it is told."""
        near = get_close_matches(args[0], COMMANDS, 1) if args[0] not in COMMANDS else []
        if near and not ctx.resilient_parsing:
            ctx.fail(f"No such command '{args[0]}': did you mean {near[0]}?")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command, and ends as the class says."""
        try:
            return super().invoke(ctx)
        except WrongSetting as error:
            _end(ctx, str(error), 2)
        except (DatabaseUnavailable, PostgresUnavailable) as error:
            _end(ctx, str(error), 1)


def _loaded(module: str) -> ModuleType:
    """What it loads lives as long as we do: looking for garbage in that is a fifth of a start."""
    gc.disable()
    try:
        return import_module(module)
    finally:
        gc.enable()


def _end(ctx: click.Context, said: str, code: int) -> None:
    click.echo(said, err=True)
    ctx.exit(code)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nExample:\n  spanledger serve",
)
@click.version_option(version("spanledger"), message="spanledger %(version)s")
def cli() -> None:
    """The open spend ledger for a hybrid model stack.

    Who spent what, on which models, and how each number came about. Settings are environment
    variables, SPANLEDGER_…: see docs/settings.md.
    """
    # Before anything else logs: unconfigured, structlog writes to stdout, into a report's CSV.
    configure_logs("spanledger")


def main() -> None:
    """The console script."""
    cli(prog_name="spanledger")
