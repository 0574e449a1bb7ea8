"""What people are told, before it is a message of Slack, a mail or a webhook's JSON.

Names in it come from spans and people and are plain text: whoever writes it to a channel escapes
them as that channel needs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

LEVELS: Final = ("info", "ok", "warning", "over")


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell."""

    kind: str
    """What it tells of: actual, forecast, pace, an alert rule's kind, recovered, reminder, digest,
    month-closed, test, …"""
    level: str
    """One of LEVELS; ``ok`` is what has recovered."""
    title: str
    """One line: '82.5 % of budget search is spent'."""
    summary: str
    """All of it in a line, with the alert's number, where there is room for no more."""
    facts: tuple[tuple[str, str], ...] = ()
    """What stands in a table: label and value."""
    paragraphs: tuple[str, ...] = ()
    """What else is to be said, a sentence or some each."""
    small: str = ""
    """As of when, which alert."""
    link_text: str | None = None
    link: str | None = None
    """Where it is looked into; None: no address of the API is known."""
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
        """As it is kept in the outbox. ``text`` is what a webhook of Slack shows of it."""
        return {
            "text": self.summary,
            "kind": self.kind,
            "level": self.level,
            "title": self.title,
            "summary": self.summary,
            "facts": [list(each) for each in self.facts],
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
    said = {name: value for name, value in kept.items() if name != "text"}
    said["facts"] = tuple((label, value) for label, value in kept["facts"])
    said["paragraphs"] = tuple(kept["paragraphs"])
    return Notice(**said)
