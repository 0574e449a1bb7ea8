"""Writes a notice as a Slack message (Block Kit) that says only what we mean it to say.

Names come from spans and people, and Slack reads <!channel>, <@U1> and <http://…|…> in text as
commands and links: every name is escaped, and stands in a plain_text block as well.
Source of the escapes and limits: Slack's "Formatting text for app surfaces" and "Block Kit".
"""

from typing import Any, Final

from spend.channels.notices import Notice, NoticeTable

LEVEL_WORDS: Final = {"over": "Over", "warning": "Warning", "ok": "Recovered", "info": ""}
"""What a title begins with: a colour alone tells nothing to whoever does not see it."""

REPEATED: Final = "Sent again: nobody knows whether it was shown before."

_LONGEST_HEADER: Final = 150
_LONGEST_FIELD: Final = 2_000
_LONGEST_TEXT: Final = 3_000
_LONGEST_ALT: Final = 2_000
_MOST_FIELDS: Final = 10
_MOST_BLOCKS: Final = 50
_ESCAPES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}

Message = dict[str, Any]


def message(notice: Notice, *, picture: Message | None = None, repeated: bool = False) -> Message:
    """What Slack shows of a notice.

    ``picture``: what an image block points to (``slack_file`` or ``image_url``). ``repeated``: it
    may have been shown before.
    """
    head: list[Message] = [
        {"type": "header", "text": _plain_text(titled(notice), _LONGEST_HEADER)},
    ]
    fields = [_plain_text(f"{label}: {value}", _LONGEST_FIELD) for label, value in notice.facts]
    body: list[Message] = [
        {"type": "section", "fields": fields[start : start + _MOST_FIELDS]}
        for start in range(0, len(fields), _MOST_FIELDS)
    ]
    body += [_table(each) for each in notice.tables]
    body += [
        {"type": "section", "text": _plain_text(each, _LONGEST_TEXT)} for each in notice.paragraphs
    ]
    tail: list[Message] = []
    if picture is not None:
        said = _fitted(notice.summary, _LONGEST_ALT)
        tail.append({"type": "image", "alt_text": said, **picture})
    small = [_plain_text(notice.small, _LONGEST_FIELD)] if notice.small else []
    if repeated:
        small.append(_plain_text(REPEATED, _LONGEST_FIELD))
    if notice.link:
        text = f"<{escaped(notice.link)}|{escaped(notice.link_text or '')}>"
        small.append({"type": "mrkdwn", "text": text})
    if small:
        tail.append({"type": "context", "elements": small})
    room = _MOST_BLOCKS - len(head) - len(tail)
    if len(body) > room:
        left_out = len(body) - room + 1
        more = _plain_text(f"… and {left_out} paragraphs more", _LONGEST_TEXT)
        body[room - 1 :] = [{"type": "section", "text": more}]
    return {
        # Shown where blocks are not: notifications, screen readers.
        "text": escaped(notice.summary),
        "blocks": head + body + tail,
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _table(table: NoticeTable) -> Message:
    """A heading over rows in letters that are all as wide. A backtick would end them."""
    kept: list[str] = []
    length = 0
    for line in (escaped(each).replace("`", "'") for each in table.lines()):
        length += len(line) + 1
        if length > _LONGEST_FIELD:
            break
        kept.append(line)
    rows = "\n".join(kept)
    # verbatim: what looks like a link or a channel's name is none.
    text = f"*{escaped(table.title)}*\n```\n{rows}\n```"
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def titled(notice: Notice) -> str:
    """A notice's title, with its level in words."""
    word = LEVEL_WORDS.get(notice.level, "")
    return f"{word}: {notice.title}" if word else notice.title


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
