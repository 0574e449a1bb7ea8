"""Tells what was found: to people as a table, to programs as JSON."""

from collections.abc import Sequence
from typing import Any, Final

from rich.table import Column, Table
from rich.text import Text

from app.canary.promises import Found, State

_COLOURS: Final = {State.KEPT: "green", State.BROKEN: "bold red", State.NOT_REACHED: "yellow"}


def as_table(found: Sequence[Found]) -> Table:
    """A line for each promise, and what to do under those that are broken."""
    table = Table(
        Column(no_wrap=True),
        Column(no_wrap=True),
        Column(justify="right", no_wrap=True),
        Column(overflow="fold"),
        box=None,
        pad_edge=False,
        show_header=False,
    )
    for each in found:
        said = Text(f"{each.promise.says}: {each.seen}")
        if each.state is State.BROKEN:
            said.append(f"\n→ {each.promise.do}", style="bold")
        took = "" if each.seconds is None else f"{each.seconds:,.2f} s"
        state = Text(each.state.value, style=_COLOURS[each.state])
        table.add_row(Text(each.promise.name), state, took, said)
    return table


def in_short(found: Sequence[Found], seconds: float) -> str:
    """The last line, for whoever reads no more than that."""
    if all(each.state is State.KEPT for each in found):
        return f"every promise is kept ({seconds:,.0f} s)"
    told = []
    for state in (State.BROKEN, State.NOT_REACHED):
        names = [each.promise.name for each in found if each.state is state]
        if names:
            told.append(f"{state.value}: {', '.join(names)}")
    return f"{'; '.join(told)} ({seconds:,.0f} s)"


def as_object(found: Sequence[Found], seconds: float) -> dict[str, Any]:
    """What ``--json`` prints: how many are how, and each of them."""
    states = [each.state for each in found]
    return {
        **{state.name.lower(): states.count(state) for state in State},
        "seconds": round(seconds, 3),
        "promises": [
            {
                "name": each.promise.name,
                "state": each.state.value,
                "expected": each.promise.says,
                "seen": each.seen,
                "seconds": None if each.seconds is None else round(each.seconds, 3),
                "do": each.promise.do if each.state is State.BROKEN else None,
            }
            for each in found
        ],
    }
