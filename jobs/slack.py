"""Writes a crossing as a Slack message (Block Kit) that says only what we mean it to say.

Names come from spans and people, and Slack reads <!channel>, <@U1> and <http://…|…> in text as
commands and links: every name is escaped, and stands in a plain_text block as well.
Source of the escapes and limits: Slack's "Formatting text for app surfaces" and "Block Kit".
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from spend.budget_periods import period_name
from spend.budgets import Terms, percent
from spend.money import ROUNDING, minor_digits, plain
from spend.periods import Period, local_day

_LONGEST_HEADER: Final = 150
_ESCAPES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Warned:
    """A threshold of a budget that was reached."""

    alert_id: int
    budget_id: int
    terms: Terms
    period: Period
    threshold: int
    """Percent."""
    spent: Decimal
    as_of: datetime | None
    """Everything heard before (UTC) is in ``spent``; None: not known."""
    noticed_at: datetime
    """UTC."""


def message(warned: Warned, api_url: str | None = None) -> Message:
    """The body of a request to an incoming webhook."""
    terms = warned.terms
    share = _share(warned)
    reads = f"{share} of budget {terms.name} is spent"
    if terms.amount == 0:
        reads = f"Budget {terms.name} is 0, and something was spent"
    money = f"{shown(warned.spent, terms.currency)} of {shown(terms.amount, terms.currency)}"
    span = _span(warned)
    lines = [
        ("Spent", f"{money} {terms.currency} ({share})"),
        ("Threshold", f"{warned.threshold} %"),
        ("Period", span),
        ("Zone", terms.timezone),
    ]
    blocks: list[Message] = [
        {"type": "header", "text": _plain_text(reads, _LONGEST_HEADER)},
        {
            "type": "section",
            "fields": [_plain_text(f"{label}: {value}", 2_000) for label, value in lines],
        },
    ]
    ended = warned.noticed_at >= warned.period.end
    late = "This period has ended: spend that was reported late, or priced later, reached it."
    if ended:
        blocks.append({"type": "section", "text": _plain_text(late, 2_000)})
    where = _as_of(warned)
    small = [_plain_text(f"{where} · alert {warned.alert_id}", 2_000)]
    if api_url:
        link = f"{api_url.rstrip('/')}/v1/budgets/{warned.budget_id}/status"
        small.append({"type": "mrkdwn", "text": f"<{link}|Where it stands now>"})
    blocks.append({"type": "context", "elements": small})
    return {
        # Shown where blocks are not: notifications, screen readers. Two thresholds that were
        # reached at once are two messages, and here too each says which it is.
        "text": escaped(
            f"{reads}: {money} {terms.currency} in {span} ({terms.timezone}), "
            f"{where}. Threshold {warned.threshold} %. Alert {warned.alert_id}."
            + (f" {late}" if ended else "")
        ),
        "blocks": blocks,
        "unfurl_links": False,
        "unfurl_media": False,
    }


def escaped(text: str) -> str:
    """Text that Slack shows as it is: no command, no link, one line."""
    one_line = "".join(letter if letter.isprintable() else " " for letter in text)
    return "".join(_ESCAPES.get(letter, letter) for letter in one_line)


def shown(amount: Decimal, currency: str) -> str:
    """An amount for people: whole coins with thousands set off; all digits of less than 1."""
    if 0 < abs(amount) < 1:
        return plain(amount)
    coin = Decimal(1).scaleb(-minor_digits(currency))
    return str(f"{amount.quantize(coin, ROUND_HALF_EVEN, ROUNDING):,f}")


def _share(warned: Warned) -> str:
    share = percent(warned.spent, warned.terms.amount)
    return "over" if share is None else f"{share.normalize():f} %"


def _span(warned: Warned) -> str:
    zone = ZoneInfo(warned.terms.timezone)
    first = local_day(warned.period.start, zone)
    last = local_day(warned.period.end - timedelta(microseconds=1), zone)
    name = period_name(warned.period, warned.terms.period, zone, warned.terms.fiscal)
    days = "" if first == last else f", {first} to {last}"
    return f"{warned.terms.period} {name}{days}"


def _as_of(warned: Warned) -> str:
    if warned.as_of is None:
        return f"noticed {warned.noticed_at:%Y-%m-%d %H:%M} UTC"
    return f"as of {warned.as_of:%Y-%m-%d %H:%M} UTC"


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
