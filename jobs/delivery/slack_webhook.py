"""Sends to an incoming webhook of Slack, or to what takes the same messages.

Of a webhook nothing can be asked: where nobody knows whether a message arrived it is sent again,
and says so. Source of the answers: api.slack.com/messaging/webhooks, and the changelog of
2016-05-17.
"""

import json
from datetime import datetime
from http import HTTPStatus
from typing import Final, Literal
from urllib.parse import urlsplit

from jobs.delivery.destinations import Answer, Unreachable, post_json
from jobs.delivery.parcels import Parcel, Place, Sending
from jobs.delivery.slack import message
from jobs.delivery.verdicts import Verdict, asked_wait, judged
from spend.channels.channels import SLACK_HOSTS

# What Slack answers in a body, some with 200.
_NEVER: Final = frozenset(
    {
        b"action_prohibited",
        b"channel_is_archived",
        b"channel_not_found",
        b"invalid_blocks",
        b"invalid_payload",
        b"invalid_token",
        b"no_active_hooks",
        b"no_service",
        b"no_service_id",
        b"no_team",
        b"no_text",
        b"posting_to_general_channel_denied",
        b"team_disabled",
        b"too_many_attachments",
        b"user_not_found",
    }
)
_LATER: Final = frozenset({b"rollup_error", b"rate_limited", b"ratelimited"})
_GOOD: Final = b"ok"


def send(place: Place, parcel: Parcel, sending: Sending) -> Verdict:
    """One attempt. Raises DestinationRefused."""
    url = place.secret
    said = message(parcel.notice, repeated=parcel.unsure)
    slack = urlsplit(url).hostname in SLACK_HOSTS
    try:
        answer = post_json(
            url,
            json.dumps(said, ensure_ascii=False).encode(),
            allow_private=sending.settings.allow_private_destinations,
            until=sending.until,
        )
    except Unreachable as unreachable:
        if slack and unreachable.begun is not None and _begins_well(unreachable.begun):
            return Verdict("sent")
        return Verdict("later", str(unreachable), unsure=unreachable.sent)
    return what_it_said(answer, slack=slack, now=sending.now)


def what_it_said(answer: Answer, *, slack: bool, now: datetime) -> Verdict:
    """What an answer means. Of Slack only ``ok`` is good; of others anything that says 2xx."""
    said = answer.body.strip()
    verdict = judged(answer, now)
    reason = f"answered {answer.status}"
    if said in _LATER:
        return Verdict("later", f"{reason} {said.decode()}", asked_wait(answer.retry_after, now))
    if said in _NEVER:
        outcome: Literal["later", "never"] = "later" if verdict.outcome == "later" else "never"
        return Verdict(outcome, f"{reason} {said.decode()}", verdict.wait)
    if slack and verdict.outcome == "sent" and said != _GOOD:
        return Verdict("later", f"{reason}, but not ok")
    return verdict


def _begins_well(begun: Answer) -> bool:
    """Whether what came of an answer is of Slack's ``ok``, which it says after it has shown it."""
    return begun.status == HTTPStatus.OK and _GOOD.startswith(begun.body.strip())
