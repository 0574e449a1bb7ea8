"""Sends to a webhook of anybody's: JSON, signed as the Standard Webhooks specification says.

Whoever receives it knows a message that is sent again by its ``webhook-id``, which stays the same.
Source: github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from jobs.delivery.destinations import Unreachable, post_json
from jobs.delivery.parcels import Parcel, Place, Sending
from jobs.delivery.verdicts import Verdict, judged
from spend.moments import moment_text

PREFIX: Final = "whsec_"
"""Of a signing key; base64 follows."""
TOLERANCE: Final = 300
"""Seconds that a message may be old, or its sender's clock be off."""
_LONGEST_STAMP: Final = 12


def send(place: Place, parcel: Parcel, sending: Sending) -> Verdict:
    """One attempt. Raises DestinationRefused."""
    body = json.dumps(written(parcel), ensure_ascii=False).encode()
    stamp = int(sending.now.timestamp())
    headers = {"webhook-id": parcel.id, "webhook-timestamp": str(stamp)}
    if place.signing_key:
        headers["webhook-signature"] = signature(place.signing_key, parcel.id, stamp, body)
    try:
        answer = post_json(
            place.secret,
            body,
            headers=headers,
            allow_private=sending.settings.allow_private_destinations,
            until=sending.until,
        )
    except Unreachable as unreachable:
        # Sent again, it is known by its id.
        return Verdict("later", str(unreachable), unsure=unreachable.sent)
    return judged(answer, sending.now)


def written(parcel: Parcel) -> dict[str, Any]:
    """The body: the same, letter for letter, each time it is sent."""
    notice = parcel.notice
    return {
        "type": f"alert.{notice.kind}",
        "timestamp": moment_text(parcel.written_at),
        "data": {
            "id": parcel.id,
            "kind": notice.kind,
            "level": notice.level,
            "title": notice.title,
            "summary": notice.summary,
            "facts": [{"label": label, "value": value} for label, value in notice.facts],
            "tables": [
                {"title": each.title, "rows": [list(row) for row in each.rows]}
                for each in notice.tables
            ],
            "paragraphs": list(notice.paragraphs),
            "alert_id": notice.alert_id,
            "budget_id": notice.budget_id,
            "rule_id": notice.rule_id,
            "team": notice.team,
            "link": notice.link,
            "details": dict(notice.data),
        },
    }


def signature(key: str, message_id: str, stamp: int, body: bytes) -> str:
    """The header ``webhook-signature``; ``stamp`` is in seconds since 1970 (UTC)."""
    signed = b".".join((message_id.encode(), str(stamp).encode(), body))
    digest = hmac.new(_bytes_of(key), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def is_signed(key: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Whether who sent a message just now has the key. ``headers``: their names in lower case."""
    stamp = headers.get("webhook-timestamp", "")
    if not (stamp.isascii() and stamp.isdigit()) or len(stamp) > _LONGEST_STAMP:
        return False
    if abs(now.timestamp() - int(stamp)) > TOLERANCE:
        return False
    good = signature(key, headers.get("webhook-id", ""), int(stamp), body)
    given = headers.get("webhook-signature", "").split()
    return any(hmac.compare_digest(good.encode(), each.encode()) for each in given)


def _bytes_of(key: str) -> bytes:
    if key.startswith(PREFIX):
        try:
            return base64.b64decode(key.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            pass  # somebody's own, that only looks like it
    return key.encode()
