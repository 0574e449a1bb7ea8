"""Writes a notice as the two parts of a mail: plain text, and HTML.

Mail programs know little: one column, tables, styles beside what they style, no picture from
elsewhere. Names are escaped; the only link is ours.
"""

from html import escape
from typing import Final

from jobs.delivery.slack import LEVEL_WORDS, REPEATED, titled
from spend.channels.notices import Notice, NoticeTable

_INK, _QUIET, _LINE = "#1d2330", "#5b6472", "#d9dde3"
# Dark enough on white to be read (WCAG AA); what they say stands in words beside them.
_LEVEL_INK: Final = {"over": "#a4262c", "warning": "#8a5a00", "ok": "#1f6b3a", "info": _QUIET}
_FONT: Final = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
_MONO: Final = "font-family:Consolas,Menlo,monospace"


def text_of(notice: Notice, *, repeated: bool = False) -> str:
    """The plain part."""
    width = max((len(label) for label, _ in notice.facts), default=0) + 2
    parts = [
        [_plain(titled(notice))],
        [f"{_plain(label) + ':':<{width}}{_plain(value)}" for label, value in notice.facts],
        *([_plain(table.title), *table.lines()] for table in notice.tables),
        *([_plain(each)] for each in notice.paragraphs),
        [f"{notice.link_text or 'Look into it'}: {notice.link}"] if notice.link else [],
        [_plain(notice.small)] if notice.small else [],
        [REPEATED] if repeated else [],
    ]
    return "\n\n".join("\n".join(each) for each in parts if each) + "\n"


def html_of(notice: Notice, *, picture: str | None = None, repeated: bool = False) -> str:
    """The HTML part; ``picture`` is the content id of the chart that comes with the mail."""
    ink = _LEVEL_INK.get(notice.level, _QUIET)
    word = LEVEL_WORDS.get(notice.level, "")
    rows = "".join(
        f'<tr><td style="padding:3px 16px 3px 0;color:{_QUIET};vertical-align:top">'
        f'{_html(label)}</td><td style="padding:3px 0">{_html(value)}</td></tr>'
        for label, value in notice.facts
    )
    parts = [
        f'<p style="margin:0 0 4px;color:{ink};font-weight:600">{word}</p>' if word else "",
        f'<h1 style="margin:0 0 16px;font-size:20px;line-height:1.3">{_html(notice.title)}</h1>',
        f'<table role="presentation" style="border-collapse:collapse">{rows}</table>'
        if rows
        else "",
        *(_table(each) for each in notice.tables),
        *(f'<p style="margin:16px 0 0">{_html(each)}</p>' for each in notice.paragraphs),
        f'<img src="cid:{picture}" alt="{_html(notice.summary)}" width="560" '
        'style="display:block;width:100%;max-width:560px;height:auto;margin:20px 0 0">'
        if picture
        else "",
        f'<p style="margin:20px 0 0"><a href="{_html(notice.link)}" style="color:#1a56b0">'
        f"{_html(notice.link_text or 'Look into it')}</a></p>"
        if notice.link
        else "",
        *(
            f'<p style="margin:20px 0 0;color:{_QUIET};font-size:13px">{_html(each)}</p>'
            for each in (notice.small, REPEATED if repeated else "")
            if each
        ),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{_html(titled(notice))}</title></head>"
        f'<body style="margin:0;padding:24px;background:#ffffff;color:{_INK};{_FONT};'
        'font-size:15px;line-height:1.5"><div style="max-width:600px;margin:0 auto;'
        f'border-top:4px solid {ink};padding-top:16px">{"".join(parts)}</div></body></html>\n'
    )


def _table(table: NoticeTable) -> str:
    cells = "\n".join(map(_html, table.lines()))
    return (
        f'<h2 style="margin:20px 0 6px;font-size:15px">{_html(table.title)}</h2>'
        f'<pre style="margin:0;padding:10px 12px;border:1px solid {_LINE};{_MONO};'
        f'font-size:13px;line-height:1.5;overflow:auto">{cells}</pre>'
    )


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _html(text: str) -> str:
    return escape(_plain(text)) if "\n" not in text else escape(text)
