"""/v1/channels: where alerts go."""

from collections.abc import Mapping
from datetime import datetime
from secrets import token_hex
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from sqlalchemy.orm import Session

from api.auth import Who, whole_ledger
from api.channels.channel_shapes import (
    ChannelAnswer,
    ChannelChange,
    ChannelsAnswer,
    MadeChannelAnswer,
    NewChannel,
    SampleAnswer,
    channel_fields,
)
from api.dependencies import Clock, Config, Reading, Tenant, Writing
from api.problems import Problem, answers
from api.settings import ApiSettings
from spend.channels.channels import SECRETS, Channel, channel_as_said, channel_secret, channel_terms
from spend.channels.sample_notice import sample
from spend.checked_fields import TermsRefused
from store.access.secrets import SealedElsewhere, new_signing_key
from store.channels import channels
from store.channels.channel_deliveries import latest, put_sample
from store.channels.channel_removal import remove

router = APIRouter(prefix="/v1/channels", tags=["channels"], dependencies=[Depends(whole_ledger)])

ChannelId = Annotated[int, Path(ge=1, le=2**63 - 1)]

_NULLABLE = frozenset({"quiet"})
_REFUSALS = (TermsRefused, channels.NoSuchChannel, channels.NameTaken, SealedElsewhere)


@router.post(
    "", status_code=201, summary="Make a channel", responses=answers(401, 403, 409, 422, 503)
)
def create(
    session: Writing, tenant: Tenant, config: Config, clock: Clock, body: NewChannel
) -> MadeChannelAnswer:
    """Alerts go there from now on, if it is a team's or a default, or where a budget names it."""
    try:
        channel, key = make(session, tenant, body.model_dump(), config, clock())
    except _REFUSALS as refused:
        raise _problem(refused) from None
    return MadeChannelAnswer(**channel_fields(channel, None), signing_key=key)


def make(
    session: Session, tenant: int, said: Mapping[str, Any], config: ApiSettings, now: datetime
) -> tuple[Channel, str | None]:
    """A new channel by the fields of NewChannel, and the signing key where one was made for it.

    Raises TermsRefused, NameTaken, SealedElsewhere.
    """
    terms = channel_terms(
        **{name: value for name, value in said.items() if name not in SECRETS},
        zone=config.timezone.key,
    )
    key = said.get("signing_key")
    made = new_signing_key() if terms.kind == "webhook" and key is None else None
    secret = channel_secret(terms.kind, said.get("secret"), made or key, config.checks)
    channel = channels.create(session, tenant, terms, secret, seal=config.seal, now=now)
    return channel, made


@router.get("", summary="All channels", responses=answers(401, 403, 503))
def list_all(session: Reading, tenant: Tenant) -> ChannelsAnswer:
    """Each with the message to it that was written last, and what became of it."""
    deliveries = latest(session, tenant)
    return ChannelsAnswer(
        channels=[
            ChannelAnswer(**channel_fields(each, deliveries.get(each.id)))
            for each in channels.all_channels(session, tenant)
        ]
    )


@router.get("/{channel_id}", summary="A channel", responses=answers(401, 403, 404, 422, 503))
def show(session: Reading, tenant: Tenant, channel_id: ChannelId) -> ChannelAnswer:
    """A channel, and what became of the message to it that was written last."""
    return _answer(session, tenant, _found(session, tenant, channel_id))


@router.patch(
    "/{channel_id}", summary="Change a channel", responses=answers(401, 403, 404, 409, 422, 503)
)
def change(
    session: Writing, tenant: Tenant, config: Config, channel_id: ChannelId, body: ChannelChange
) -> ChannelAnswer:
    """What waits for it goes by what it says now. Its kind does not change."""
    changes = body.model_dump(exclude_unset=True)
    for field, value in changes.items():
        if value is None and field not in _NULLABLE:
            reason = "null is no value for it: leave it out to keep it as it is"
            raise _problem(TermsRefused(field, reason))
    try:
        channel = changed(session, tenant, channel_id, changes, config)
    except _REFUSALS as refused:
        raise _problem(refused) from None
    return _answer(session, tenant, channel)


def changed(
    session: Session, tenant: int, channel_id: int, changes: Mapping[str, Any], config: ApiSettings
) -> Channel:
    """A channel after some fields of ChannelChange were changed.

    Raises TermsRefused, NoSuchChannel, NameTaken, SealedElsewhere.
    """
    current = channels.one(session, tenant, channel_id)
    secret = channels.changed_secret(
        session, tenant, current, changes, seal=config.seal, checks=config.checks
    )
    said = {name: value for name, value in changes.items() if name not in SECRETS}
    terms = channel_terms(**(channel_as_said(current) | said), zone=config.timezone.key)
    return channels.change(session, tenant, channel_id, terms, secret, seal=config.seal)


@router.delete(
    "/{channel_id}",
    status_code=204,
    summary="Remove a channel",
    responses=answers(401, 403, 404, 422, 503),
)
def end(session: Writing, tenant: Tenant, clock: Clock, channel_id: ChannelId) -> None:
    """What waits for it goes where it would go without it. What it was reached with is gone."""
    try:
        remove(session, tenant, channel_id, clock())
    except channels.NoSuchChannel as missing:
        raise _problem(missing) from None


@router.post(
    "/{channel_id}/test",
    status_code=202,
    summary="Send a sample to a channel",
    responses=answers(401, 403, 404, 422, 503),
)
def test(
    session: Writing, tenant: Tenant, clock: Clock, who: Who, channel_id: ChannelId
) -> SampleAnswer:
    """Goes out with the next round of the job `alerts`, quiet hours or not."""
    channel = _found(session, tenant, channel_id)
    notice = sample(channel.name, who.name)
    return SampleAnswer(
        message=put_sample(session, tenant, channel.id, notice, token_hex(8), clock())
    )


def _answer(session: Session, tenant: int, channel: Channel) -> ChannelAnswer:
    delivery = latest(session, tenant, [channel.id]).get(channel.id)
    return ChannelAnswer(**channel_fields(channel, delivery))


def _found(session: Session, tenant: int, channel_id: int) -> Channel:
    try:
        return channels.one(session, tenant, channel_id)
    except channels.NoSuchChannel as missing:
        raise _problem(missing) from None


def _problem(refused: Exception) -> Problem:
    """What the writer of a request is told of one of _REFUSALS."""
    match refused:
        case TermsRefused(field=field):
            detail = f"{field}: {refused}"
            return Problem(422, "The channel makes no sense", detail, field=field)
        case channels.NoSuchChannel():
            return Problem(404, "No such channel", str(refused), field="channel_id")
        case channels.NameTaken():
            return Problem(409, "The name is taken", str(refused), field="name")
        case _:
            return Problem(409, "Sealed with another pepper", str(refused))
