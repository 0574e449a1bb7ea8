"""Writes a notice as a Slack message (Block Kit) that says only what we mean it to say.

Names come from spans and people, and Slack reads <!channel>, <@U1> and <http://…|…> in text as
commands and links: every name is escaped, and stands in a plain_text block as well.
Source of the escapes and limits: Slack's "Formatting text for app surfaces" and "Block Kit".
"""

from typing import Any, Final

from spend.notices import Notice, NoticeTable

_LONGEST_HEADER: Final = 150
_LONGEST_TEXT: Final = 2_000
_ESCAPES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}

Message = dict[str, Any]


def message(notice: Notice) -> Message:
    """The body of a request to an incoming webhook."""
    blocks: list[Message] = [
        {"type": "header", "text": _plain_text(notice.title, _LONGEST_HEADER)},
    ]
    if notice.facts:
        fields = [_plain_text(f"{label}: {value}", _LONGEST_TEXT) for label, value in notice.facts]
        blocks.append({"type": "section", "fields": fields})
    blocks += [_table(each) for each in notice.tables]
    blocks += [
        {"type": "section", "text": _plain_text(each, _LONGEST_TEXT)} for each in notice.paragraphs
    ]
    small = [_plain_text(notice.small, _LONGEST_TEXT)] if notice.small else []
    if notice.link:
        small.append(
            {"type": "mrkdwn", "text": f"<{notice.link}|{escaped(notice.link_text or '')}>"}
        )
    if small:
        blocks.append({"type": "context", "elements": small})
    return {
        # Shown where blocks are not: notifications, screen readers.
        "text": escaped(notice.summary),
        "blocks": blocks,
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _table(table: NoticeTable) -> Message:
    """A heading over rows in letters that are all as wide. A backtick would end them."""
    kept: list[str] = []
    length = 0
    for line in (escaped(each).replace("`", "'") for each in table.lines()):
        length += len(line) + 1
        if length > _LONGEST_TEXT:
            break
        kept.append(line)
    rows = "\n".join(kept)
    # verbatim: what looks like a link or a channel's name is none.
    text = f"*{escaped(table.title)}*\n```\n{rows}\n```"
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def escaped(text: str) -> str:
    """Text that Slack shows as it is: no command, no link, one line."""
    one_line = "".join(letter if letter.isprintable() else " " for letter in text)
    return "".join(_ESCAPES.get(letter, letter) for letter in one_line)


def _plain_text(text: str, longest: int) -> Message:
    return {"type": "plain_text", "text": _fitted(text, longest), "emoji": False}


def _fitted(text: str, longest: int) -> str:
    """Escaped text, cut between two letters where it would be too long for its block."""
    whole = escaped(text)
    if len(whole) <= longest:
        return whole
    kept = 0
    length = len("…")
    for letter in text:
        length += len(escaped(letter))
        if length > longest:
            break
        kept += 1
    return escaped(text[:kept]) + "…"
