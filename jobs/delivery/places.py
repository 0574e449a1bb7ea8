"""Finds where messages that are due go to, as it is set at this moment."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy.orm import Session

from jobs.context import JobSettings
from jobs.delivery.parcels import Place
from store.access.secrets import Seal, SealedElsewhere
from store.channels import channels
from store.channels.channel_removal import GONE
from store.channels.channels import NoSuchChannel
from store.channels.outbox import NO_DESTINATION, Due

SLACK: Final = "slack-webhook"


@dataclass(frozen=True, slots=True)
class Places:
    """Where messages are due."""

    there: tuple[Place, ...]
    """Those whose messages were tried least come first: what is dead holds up nobody."""
    lacking: dict[str, tuple[str, ...]]
    """Why nothing can be sent → the keys of messages (``store.channels.outbox.Due``) that wait."""


def places(session: Session, tenant: int, due: Iterable[Due], settings: JobSettings) -> Places:
    """Opens the places that messages are due for. What is one place is there once."""
    seal = settings.seal
    found: dict[str, Place] = {}
    lacking: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
    for each in sorted(due, key=lambda each: each.attempts):
        try:
            place = _opened(session, tenant, each, settings, seal)
        except SealedElsewhere as sealed:
            lacking[str(sealed)] += (each.key,)
            continue
        if place is None:
            lacking[NO_DESTINATION] += (each.key,)
            continue
        known = found.get(place.id)
        found[place.id] = replace(known, keys=known.keys + place.keys) if known else place
    return Places(tuple(found.values()), dict(lacking))


def _opened(
    session: Session, tenant: int, due: Due, settings: JobSettings, seal: Seal
) -> Place | None:
    keys = (due.key,)
    if due.channel_id is not None:
        try:
            return _channel(session, tenant, due.channel_id, keys, seal)
        except NoSuchChannel:
            return Place(keys, f"channel {due.channel_id}", GONE, "")
    if due.webhook is not None:
        name = f"the webhook of {due.key.replace(':', ' ')}"
        return Place(keys, name, SLACK, seal.opened(due.webhook))
    if settings.slack_webhook_url is not None:
        return Place(keys, "the webhook of the settings", SLACK, settings.slack_webhook_url)
    # Set after the message was written.
    defaults = [each.id for each in channels.all_channels(session, tenant) if each.default]
    return _channel(session, tenant, defaults[0], keys, seal) if defaults else None


def _channel(
    session: Session, tenant: int, channel_id: int, keys: tuple[str, ...], seal: Seal
) -> Place:
    opened = channels.opened(session, tenant, channel_id, seal)
    secret = opened.secret
    return Place(
        keys=keys,
        name=f"channel {opened.channel.name}",
        kind=opened.channel.kind,
        secret="" if secret is None else secret.text,
        to=opened.channel.to,
        signing_key=None if secret is None else secret.signing_key,
    )
