"""Alerts and silences as tables that a terminal of 80 columns holds."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

from rich.table import Column, Table
from rich.text import Text

from app.tables import right
from reports.tables.table_parts import shown_name
from spend.channels.silences import Silence
from store.alerts.alert_states import MUTED, OPEN, SNOOZED
from store.alerts.alert_words import said_of
from store.alerts.alerts import Alert, Message

_LEVELS: Final = {"over": "bold red", "warning": "yellow"}


def alerts_table(found: Iterable[Alert]) -> Table:
    """A line for each: which bound of what was passed when, how it stands, who was told."""
    table = Table(
        right("id"),
        Column("UTC", no_wrap=True),
        Column("level", no_wrap=True),
        Column("what", overflow="fold", ratio=1),
        Column("state", overflow="fold"),
        Column("told", overflow="fold"),
        box=None,
        pad_edge=False,
    )
    for each in found:
        table.add_row(
            str(each.id),
            _minute(each.crossed_at),
            Text(each.level, style=_LEVELS.get(each.level, "")),
            Text(shown_name(said_of(each))),
            Text(_state(each), style="bold" if each.state == OPEN else ""),
            Text(_told(each.messages), style="red" if _is_dead(each) else ""),
        )
    return table


def untold(found: Iterable[Alert]) -> Iterator[str]:
    """A line for each message that was not sent: to whom, and why."""
    for alert in found:
        for message in alert.messages:
            if message.status != "sent" and message.last_error:
                said = "waits" if message.status == "pending" else message.status
                yield f"{alert.id}: {message.kind} to {message.channel}, {said}: " + (
                    message.last_error
                )


def silences_table(found: Iterable[tuple[Silence, str]]) -> Table:
    """A line for each silence, with the name of what is silent."""
    table = Table(right("id"), "what", "kind", "until", "by", "why", box=None, pad_edge=False)
    for silence, name in found:
        table.add_row(
            str(silence.id),
            Text(name),
            silence.kind,
            f"{silence.until:%Y-%m-%d %H:%M} UTC",
            Text(silence.by),
            Text(silence.reason or ""),
        )
    return table


def _state(alert: Alert) -> str:
    if alert.state in {SNOOZED, MUTED} and alert.silent_until is not None:
        return f"{alert.state} to {_minute(alert.silent_until)}"
    if alert.acknowledged_by is not None and alert.state == "acknowledged":
        return f"{alert.acknowledged_by} knows"
    return alert.state


def _is_dead(alert: Alert) -> bool:
    return any(message.status == "dead" for message in alert.messages)


def _told(messages: tuple[Message, ...]) -> str:
    counts = Counter("waits" if each.status == "pending" else each.status for each in messages)
    if len(counts) == 1:
        [(status, number)] = counts.items()
        return status if number == 1 else f"{number} {status}"
    return ", ".join(f"{number} {status}" for status, number in sorted(counts.items()))


def _minute(moment: datetime) -> str:
    """Without the year: who wants that asks the API."""
    moment = moment.astimezone(UTC)
    return f"{moment:%m-%d}" if moment.hour == moment.minute == 0 else f"{moment:%m-%d %H:%M}"
