"""What people are told, before it is a message of Slack, a mail or a webhook's JSON.

Names in it come from spans and people and are plain text: whoever writes it to a channel escapes
them as that channel needs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any, Final

LEVELS: Final = ("info", "ok", "warning", "over")

# Kinds of notices, beside those of crossings: a budget's (spend/budgets/budget_states.py) and a
# rule's (spend/alerts/rule_kinds.py).
RECOVERED: Final = "recovered"
REMINDER: Final = "reminder"
FAILING: Final = "failing"
"""An alert rule cannot be measured."""
DIGEST: Final = "digest"
MONTH_CLOSED: Final = "month-closed"
DIGESTS: Final = (DIGEST, MONTH_CLOSED)
"""Those that only go where they are wanted."""
UNDELIVERED: Final = "undelivered"
"""A place does not get its messages."""
MANY: Final = "many"
"""It lists others."""
SAMPLE: Final = "test"
"""It tells nothing but that it arrived."""

SEE_AND_ACKNOWLEDGE: Final = "See it, acknowledge it"
WHERE_IT_STANDS: Final = "Where it stands now"
"""What links of notices say: the one leads to a page where a form asks, as no link changes
anything."""

_LONGEST_CELL: Final = 28


@dataclass(frozen=True, slots=True)
class NoticeTable:
    """Rows under a heading: names at the left, numbers at the right."""

    title: str
    rows: tuple[tuple[str, ...], ...]
    """Cells, as many in each: the first is a name, the others are amounts and the like."""

    def lines(self) -> tuple[str, ...]:
        """As text of letters that are all as wide: names to the left, all else to the right.

        Holds nothing but what is printable, and each cell on its line.
        """
        cells = [tuple(map(_cell, row)) for row in self.rows]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        return tuple(
            "  ".join(
                each.rjust(width) if position else each.ljust(width)
                for position, (each, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in cells
        )


def _cell(text: str) -> str:
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return shown if len(shown) <= _LONGEST_CELL else shown[: _LONGEST_CELL - 1] + "…"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell."""

    kind: str
    """What it tells of: a crossing's kind, or one of those above."""
    level: str
    """One of LEVELS; ``ok`` is what has recovered."""
    title: str
    """One line: '82.5 % of budget search is spent'."""
    summary: str
    """All of it in a line, with the alert's number, where there is room for no more."""
    facts: tuple[tuple[str, str], ...] = ()
    """What stands in a table: label and value."""
    tables: tuple[NoticeTable, ...] = ()
    """Longer ones, after the facts."""
    paragraphs: tuple[str, ...] = ()
    """What else is to be said, a sentence or some each."""
    small: str = ""
    """As of when, which alert."""
    link_text: str | None = None
    link: str | None = None
    """The page where it is looked into; None: no address of the API is known."""
    alert_id: int | None = None
    """The crossing's; None: it tells of none."""
    budget_id: int | None = None
    """Whose chart belongs to it."""
    rule_id: int | None = None
    team: str | None = None
    """Whom it is for, where it is of one team alone."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """The same for programs: JSON, amounts as exact strings, times as UTC of RFC 3339."""

    def as_json(self) -> dict[str, Any]:
        """As it is kept in the outbox.

        ``text`` is what a sender of before revision 0022 makes Slack show, so it is escaped.
        """
        return {
            "text": escape(self.summary, quote=False),
            "kind": self.kind,
            "level": self.level,
            "title": self.title,
            "summary": self.summary,
            "facts": [list(each) for each in self.facts],
            "tables": [
                {"title": each.title, "rows": [list(row) for row in each.rows]}
                for each in self.tables
            ],
            "paragraphs": list(self.paragraphs),
            "small": self.small,
            "link_text": self.link_text,
            "link": self.link,
            "alert_id": self.alert_id,
            "budget_id": self.budget_id,
            "rule_id": self.rule_id,
            "team": self.team,
            "data": dict(self.data),
        }


def notice_of(kept: Mapping[str, Any]) -> Notice:
    """A notice from how the outbox keeps it. Raises KeyError where it holds none."""
    said = {name: value for name, value in kept.items() if name not in {"text", "sending"}}
    said["facts"] = tuple((label, value) for label, value in kept["facts"])
    said["tables"] = tuple(
        NoticeTable(each["title"], tuple(map(tuple, each["rows"])))
        for each in kept.get("tables", ())
    )
    said["paragraphs"] = tuple(kept["paragraphs"])
    return Notice(**said)
