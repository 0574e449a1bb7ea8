"""``spanledger doctor``: what one would forget to check."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import click
from rich.table import Column, Table
from rich.text import Text

from app.examination.examine import examine
from app.examination.findings import Finding, State
from app.logs import configure_logs
from app.settings import read_settings
from app.tables import show

_COLOURS: Final = {State.WELL: "green", State.LOOK: "yellow", State.WRONG: "bold red"}


@click.command(
    short_help="Check what one would forget to check", epilog="\b\nExample:\n  spanledger doctor"
)
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Check what one would forget to check: database, clock, disks, jobs, prices, keys, pools.

    Changes nothing. Says what to do where something is wrong, and exits with 1 then; what somebody
    should look at is no such thing.

    More: docs/doctor.md
    """
    settings = read_settings()
    configure_logs("doctor")
    findings = list(examine(settings, datetime.now(UTC)))
    if as_json:
        click.echo(json.dumps(_told(findings), indent=2))
    else:
        show(_table(findings))
        click.echo(f"\n{_summed(findings)}")
    context.exit(any(finding.state is State.WRONG for finding in findings))


def _told(findings: Sequence[Finding]) -> dict[str, object]:
    states = [finding.state for finding in findings]
    return {
        **{state.value: states.count(state) for state in State},
        "findings": [
            {"what": it.what, "state": it.state.value, "said": it.said, "do": it.do or None}
            for it in findings
        ],
    }


def _summed(findings: Sequence[Finding]) -> str:
    """All of it in a line; a state that nothing is in is not told, so that it can be searched."""
    states = [finding.state for finding in findings]
    told = ((State.WRONG, "wrong"), (State.LOOK, "to look at"), (State.WELL, "ok"))
    counted = [f"{count} {word}" for state, word in told if (count := states.count(state))]
    return ", ".join(counted)


def _table(findings: Sequence[Finding]) -> Table:
    table = Table(
        Column(no_wrap=True),
        Column(no_wrap=True),
        Column(overflow="fold"),
        box=None,
        pad_edge=False,
        show_header=False,
    )
    for finding in findings:
        said = Text(finding.said)
        if finding.do:
            said.append(f"\n→ {finding.do}", style="bold")
        state = Text(finding.state.value, style=_COLOURS[finding.state])
        table.add_row(Text(finding.what), state, said)
    return table
