"""What alert rules would have told, as a table for a terminal and as JSON."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from reports.tables.budget_preview import by_month, counted
from spend.alerts.rule_preview import Previewed, RuleMessage, apart
from spend.alerts.rule_words import duration, shown, value_of
from spend.checked_fields import shortest
from spend.moments import moment_text
from spend.periods import month_of, months_in
from spend.slots import SLOT


def rules_table(found: Sequence[Previewed], months: int, zone: ZoneInfo) -> RenderableType:
    """How many messages each rule would have sent by month, each of them, and all in a line.

    What was not looked at stands there with the reason.
    """
    walked = [each for each in found if each.span.start < each.span.end]
    messages = _messages(found)
    parts: list[RenderableType] = []
    if walked:
        its = sorted({month for each in walked for month in months_in(each.span, zone)})
        names = [each.terms.name for each in walked]
        # Of what is told at midnight, the quarter hour before it.
        counts = Counter((each.rule, month_of(each.at - SLOT, zone)) for each in messages)
        parts += [by_month("alert rule", names, its, counts), Text("")]
    if messages:
        parts += [_list(messages, zone), Text("")]
    parts += [Text(line) for line in _notes(found)]
    line = f"\nAlert rules: {in_a_line(messages, months)}"
    return Group(*parts, Text(line, style="bold"))


def in_a_line(messages: Sequence[RuleMessage], months: int) -> str:
    """Such as '5 messages in 6 months: 2 over, 1 warning, 2 recovered; noisiest: errors with 4'."""
    line = counted(len(messages), months)
    if not messages:
        return line
    whats = Counter(each.level if each.what == "crossed" else each.what for each in messages)
    told = [
        f"{whats[each]} {each}{'s' if each == 'reminder' and whats[each] > 1 else ''}"
        for each in ("over", "warning", "recovered", "reminder")
        if whats[each]
    ]
    name, most = min(
        Counter(each.rule for each in messages).items(), key=lambda each: (-each[1], each[0])
    )
    return f"{line}: {', '.join(told)}; noisiest: {name} with {most}"


def rules_json(found: Sequence[Previewed]) -> dict[str, Any]:
    """The same for programs: values as exact strings, times as UTC."""
    return {
        "alert_rules": [
            {
                "name": each.terms.name,
                "kind": each.terms.kind,
                "from": moment_text(each.span.start),
                "to": moment_text(each.span.end),
                "every_minutes": int(apart(each.terms).total_seconds() // 60),
                "messages": len(each.messages),
                "left_out": each.left_out,
            }
            for each in found
        ],
        "rule_messages": [
            {
                "at": moment_text(each.at),
                "rule": each.rule,
                "subject": each.measured.subject,
                "what": each.what,
                "level": each.level,
                "value": None if each.measured.value is None else f"{each.measured.value:f}",
                "bound": None if each.bound is None else shortest(each.bound),
                "unit": each.measured.unit,
            }
            for each in _messages(found)
        ],
    }


def _messages(found: Sequence[Previewed]) -> list[RuleMessage]:
    every = [message for each in found for message in each.messages]
    return sorted(every, key=lambda each: (each.at, each.rule, each.measured.subject))


def _notes(found: Sequence[Previewed]) -> Iterator[str]:
    steps: dict[str, list[str]] = {}
    for each in found:
        name = each.terms.name
        if each.span.start < each.span.end:
            minutes = apart(each.terms).total_seconds() / 60
            steps.setdefault(duration(minutes), []).append(name)
        if each.left_out is not None:
            far = f", looked at until {each.span.end:%Y-%m-%d %H:%M} UTC" * bool(
                each.span.start < each.span.end
            )
            yield f"Not previewed: {name}{far}: {each.left_out}"
    for step, names in steps.items():
        yield f"Measured every {step}: {', '.join(names)}"


def _list(messages: Sequence[RuleMessage], zone: ZoneInfo) -> Table:
    right = [Column(each, justify="right") for each in ("value", "bound")]
    table = Table("when", "alert rule", "subject", "", *right, box=None, pad_edge=False)
    for each in messages:
        what = each.level if each.what == "crossed" else f"{each.level}, {each.what}"
        unit = each.measured.unit
        table.add_row(
            f"{each.at.astimezone(zone):%Y-%m-%d %H:%M}",
            Text(each.rule),
            Text(each.measured.subject),
            what,
            value_of(each.measured),
            "" if each.bound is None else shown(each.bound, unit),
        )
    return table
