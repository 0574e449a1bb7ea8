"""Writes many notices as one, where a place would be flooded: each is in it, with its alert."""

from collections.abc import Sequence

from spend.channels.notices import LEVELS, MANY, Notice


def many(notices: Sequence[Notice]) -> Notice:
    """One notice that lists others, in their order."""
    lines = tuple(map(_line, notices))
    title = f"{len(notices)} messages at once"
    return Notice(
        kind=MANY,
        level=max((each.level for each in notices), key=LEVELS.index),
        title=title,
        summary=f"{title}: {'; '.join(lines)}",
        paragraphs=lines,
        small="More were due than a place gets singly.",
        data={
            "messages": [
                {
                    "kind": each.kind,
                    "level": each.level,
                    "title": each.title,
                    "summary": each.summary,
                    "alert_id": each.alert_id,
                    "budget_id": each.budget_id,
                    "rule_id": each.rule_id,
                    "team": each.team,
                    "link": each.link,
                    "details": dict(each.data),
                }
                for each in notices
            ]
        },
    )


def _line(notice: Notice) -> str:
    threshold = next((value for label, value in notice.facts if label == "Threshold"), None)
    parts = [notice.title]
    if threshold is not None:
        parts.append(f"threshold {threshold}")
    if notice.alert_id is not None:
        parts.append(f"alert {notice.alert_id}")
    return " · ".join(parts)
