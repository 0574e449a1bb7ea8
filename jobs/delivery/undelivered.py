"""Tells others that a place does not get its messages: nobody would miss what never came."""

from datetime import datetime

from sqlalchemy.orm import Session

from jobs.context import JobSettings
from jobs.delivery.parcels import Place
from spend.channels.notices import SAMPLE, UNDELIVERED, Notice
from store.channels.message_places import DEFAULT, channel_key
from store.channels.notify import tell_at
from store.channels.routing import Where, channels_for


def tell_others(
    session: Session,
    tenant: int,
    place: Place,
    lost: Notice,
    why: str,
    *,
    settings: JobSettings,
    now: datetime,
) -> None:
    """Puts a notice on its way to the default channels: once a day (UTC), place and cause.

    Never to the place that it tells of, nor about a notice of its own kind or a sample.
    """
    if lost.kind in {UNDELIVERED, SAMPLE}:
        return
    others = _others(session, tenant, place, settings, now)
    if not others:
        return
    title, api_url = f"Messages to {place.name} are not delivered", settings.api_url
    notice = Notice(
        kind=UNDELIVERED,
        level="warning",
        title=title,
        summary=f"{title}: {why}. The first of them: {lost.summary}",
        paragraphs=(f"Why: {why}", f"The first of them: {lost.summary}"),
        small="All that nobody got: /alerts/deliveries",
        link_text="See them, send them again" if api_url else None,
        link=f"{api_url.rstrip('/')}/alerts/deliveries?status=dead" if api_url else None,
    )
    key = f"{UNDELIVERED}:{place.keys[0]}:{why}:{now:%Y-%m-%d}"
    tell_at(session, tenant, notice, others, key=key, now=now)


def _others(
    session: Session, tenant: int, place: Place, settings: JobSettings, now: datetime
) -> list[Where]:
    # Whatever levels they take: this is no alert of theirs, but that one is missing.
    found = channels_for(session, tenant, kind=UNDELIVERED, level="over", now=now)
    if settings.slack_webhook_url is not None and None not in found:
        found.append(None)
    return [
        each
        for each in found
        if (DEFAULT if each is None else channel_key(each.id)) not in place.keys
    ][:1]
