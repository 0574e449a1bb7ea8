"""Sends as a bot of Slack: a message, with its chart as a picture in it.

Where nobody knows whether a message arrived, the channel's history is asked for it first: each
message carries the ids of what it tells as metadata. That needs the scope channels:history
(groups:history of a private channel); without it the message is sent again, and says so.
Source: docs.slack.dev, chat.postMessage, conversations.history, files.getUploadURLExternal,
files.completeUploadExternal, and "Message metadata".
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import structlog

from jobs.delivery.destinations import Answer, Unreachable, post, post_form, post_json
from jobs.delivery.parcels import Parcel, Place, Sending
from jobs.delivery.slack import Message, message
from jobs.delivery.verdicts import AskLater, Verdict, asked_wait, judged
from spend.channels.destinations import DestinationRefused

log = structlog.get_logger(__name__)

EVENT: Final = "spanledger_alert"
"""What the metadata of our messages is called."""
MOST_PAGES: Final = 5
"""Of a channel's history, 100 messages each."""
MOST_READ: Final = 2 * 1024 * 1024
"""Bytes of an answer: a page of history holds messages whole."""
CLOCKS: Final = timedelta(minutes=5)
"""By so much Slack's clock may be behind ours."""

# Errors of Slack's that pass by themselves; all others are mended by a person.
_LATER: Final = frozenset(
    {
        "fatal_error",
        "internal_error",
        "message_limit_exceeded",
        "rate_limited",
        "ratelimited",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
    }
)
_PICTURE_REFUSED: Final = "invalid_blocks"


class _Refused(Exception):  # noqa: N818  # an answer
    """Slack said no, or did not say yes."""

    def __init__(self, verdict: Verdict, error: str = "") -> None:
        super().__init__(verdict.error)
        self.verdict = verdict
        self.error = error
        """As Slack names it."""


def send(place: Place, parcel: Parcel, sending: Sending) -> Verdict:
    """One attempt. Raises DestinationRefused."""
    picture = _picture(place, sending)
    try:
        try:
            _show(place, parcel, sending, picture)
        except _Refused as refused:
            if picture is None or refused.error != _PICTURE_REFUSED:
                raise
            # Slack has the file, but is not ready to show it yet.
            _show(place, parcel, sending, None)
    except _Refused as refused:
        return refused.verdict
    return Verdict("sent")


def shown(place: Place, parcel: Parcel, sending: Sending) -> frozenset[str] | None:
    """Which of a parcel's messages the channel shows already; None: Slack does not tell.

    Raises AskLater.
    """
    asked = {
        "channel": place.to[0],
        "oldest": f"{(parcel.written_at - CLOCKS).timestamp():.0f}",
        "limit": "100",
        "include_all_metadata": "true",
    }
    found: set[str] = set()
    for _ in range(MOST_PAGES):
        try:
            page = _said(place, sending, "conversations.history", asked)
        except _Refused as refused:
            if refused.verdict.outcome == "later":
                raise AskLater(refused.verdict) from None
            return None
        found |= _ids_in(page)
        cursor = (page.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            break
        asked["cursor"] = str(cursor)
    return frozenset(found & set(parcel.ids))


def _ids_in(page: Mapping[str, Any]) -> set[str]:
    told = [each.get("metadata") or {} for each in page.get("messages") or ()]
    return {
        str(each)
        for metadata in told
        if metadata.get("event_type") == EVENT
        for each in (metadata.get("event_payload") or {}).get("ids") or ()
    }


def _show(place: Place, parcel: Parcel, sending: Sending, picture: Message | None) -> None:
    said = message(parcel.notice, picture=picture, repeated=parcel.unsure)
    metadata = {"event_type": EVENT, "event_payload": {"ids": list(parcel.ids)}}
    body = json.dumps({"channel": place.to[0], "metadata": metadata, **said}, ensure_ascii=False)
    _said(place, sending, "chat.postMessage", body.encode())


def _picture(place: Place, sending: Sending) -> Message | None:
    """An uploaded chart; whatever stands in its way, the message goes without."""
    drawn = sending.picture()
    if drawn is None:
        return None
    try:
        return {"slack_file": {"id": _uploaded(place, sending, drawn)}}
    except (_Refused, DestinationRefused, Unreachable) as refused:
        log.warning("a chart could not be uploaded", why=str(refused))
        return None


def _uploaded(place: Place, sending: Sending, png: bytes) -> str:
    """The id of a picture that Slack has now."""
    asked = {"filename": "budget.png", "length": str(len(png))}
    given = _said(place, sending, "files.getUploadURLExternal", asked)
    answer = post(
        str(given.get("upload_url")),
        png,
        headers={"Content-Type": "image/png"},
        allow_private=sending.settings.allow_private_destinations,
        until=sending.until,
    )
    verdict = judged(answer, sending.now)
    if verdict.outcome != "sent":
        raise _Refused(verdict)
    file_id = str(given.get("file_id"))
    files = json.dumps([{"id": file_id, "title": "Budget"}])
    _said(place, sending, "files.completeUploadExternal", {"files": files})
    return file_id


def _said(
    place: Place, sending: Sending, method: str, asked: bytes | Mapping[str, str]
) -> Mapping[str, Any]:
    """What a method of Slack's answers, JSON or a form asked; _Refused unless it says ok."""
    url = f"{sending.settings.slack_api_url.rstrip('/')}/{method}"
    headers = {"Authorization": f"Bearer {place.secret}"}
    private = sending.settings.allow_private_destinations
    try:
        if isinstance(asked, bytes):
            answer = post_json(
                url, asked, headers=headers, allow_private=private, until=sending.until
            )
        else:
            answer = post_form(
                url,
                asked,
                headers=headers,
                allow_private=private,
                until=sending.until,
                most_read=MOST_READ,
            )
    except Unreachable as unreachable:
        raise _Refused(Verdict("later", str(unreachable), unsure=unreachable.sent)) from None
    return _read(answer, method, sending)


def _read(answer: Answer, method: str, sending: Sending) -> Mapping[str, Any]:
    try:
        said = json.loads(answer.body)
    except ValueError:
        said = None
    if not isinstance(said, dict) or not isinstance(said.get("ok"), bool):
        verdict = judged(answer, sending.now)
        if verdict.outcome == "sent":
            verdict = Verdict("later", f"answered {answer.status}, but not as Slack does")
        raise _Refused(verdict)
    if said["ok"]:
        return said
    error = str(said.get("error", ""))[:100]
    needs = f", needs {str(said['needed'])[:100]}" if said.get("needed") else ""
    passing = error in _LATER or judged(answer, sending.now).outcome == "later"
    raise _Refused(
        Verdict(
            "later" if passing else "never",
            f"{method} answered {error}{needs}",
            asked_wait(answer.retry_after, sending.now),
        ),
        error,
    )
