"""Where alerts go: channels, what became of their latest message, a sample to try each."""

from collections.abc import Mapping
from secrets import token_hex
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from api.auth import Administering
from api.channels.channels import changed, make
from api.dependencies import Reading, Tenant, Writing
from api.pages.asked import PageAsked
from api.pages.forms import Sent, one
from api.pages.links import go_to
from api.pages.settings.channel_form import (
    KINDS,
    TypedChannel,
    problem_of,
    said,
    sentence,
    shown,
    typed,
)
from api.pages.shell import page
from api.pages.tables import Cell, Column, Held, Table
from api.pages.visitor import Visiting, Visitor
from api.pages.zone_choice import regions
from api.problems import Problem
from spend.channels.channel_words import gets, where
from spend.channels.channels import Channel
from spend.channels.sample_notice import sample
from spend.checked_fields import TermsRefused
from spend.fiscal import WEEKDAYS
from store.access.secrets import SealedElsewhere
from store.channels import channels
from store.channels.channel_deliveries import Delivery, latest, put_sample
from store.channels.channel_removal import remove

router = APIRouter(include_in_schema=False)

PLACE: Final = "/settings/channels"
ChannelId = Annotated[int, Path(ge=1, le=2**63 - 1)]

_TONES: Final = {"sent": "good", "dead": "bad", "dropped": "bad", "pending": "quiet"}
_WORDS: Final = {
    "sent": "delivered",
    "dead": "not delivered",
    "dropped": "dropped",
    "pending": "on its way",
}
_FIELDS: Final = (
    *("name", "kind", "secret", "signing_key", "to", "teams", "levels"),
    *("times", "zone"),
)


@router.get("/channels")
def old_place(request: Request) -> Response:
    """Where the page was: messages and documents of before lead there."""
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"{PLACE}{query}", status_code=308)


@router.get(PLACE)
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    _query: Annotated[PageAsked, Query()],
) -> Response:
    """All of them, each with its latest message."""
    visitor.whole_ledger()
    deliveries = latest(session, tenant)
    found = channels.all_channels(session, tenant)
    table = Table(
        columns=(
            Column("channel", "Channel"),
            Column("to", "Goes to", narrow=False),
            Column("gets", "Gets", narrow=False),
            Column("outcome", "Latest message"),
            Column("message", "", hint="What it said", narrow=False),
            Column("at", "When", "when", narrow=False),
        ),
        rows=[_row(each, deliveries.get(each.id)) for each in found],
        caption="Channels",
        file="channels",
    )
    return page(request, visitor, "channels.html", title="Channels", tables={"channels": table})


@router.get(PLACE + "/new")
def ask(request: Request, visitor: Visiting, _query: Annotated[PageAsked, Query()]) -> Response:
    """A form for a new one."""
    visitor.whole_ledger()
    return _new(request, visitor, TypedChannel())


@router.post(PLACE)
def create(
    request: Request,
    session: Writing,
    tenant: Tenant,
    visitor: Visiting,
    _who: Administering,
    fields: Sent,
) -> Response:
    """A new channel; where a signing key was made for it, this answer alone shows it."""
    asked = typed(fields, one(fields, "kind"))
    try:
        channel, key = make(session, tenant, said(asked, fields), visitor.settings, visitor.now)
    except _REFUSALS as refused:
        return _new(request, visitor, asked, _problems(refused))
    if key is None:
        return go_to(request, f"{PLACE}/{channel.id}", done="created")
    answer = page(
        request, visitor, "channel_made.html", title="A new channel", channel=channel, key=key
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


@router.get(PLACE + "/{channel_id}")
def show_one(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    channel_id: ChannelId,
    _query: Annotated[PageAsked, Query()],
) -> Response:
    """A channel, its latest message, and a form that changes it."""
    visitor.whole_ledger()
    channel = _found(session, tenant, channel_id)
    return _one(request, session, tenant, visitor, channel, shown(channel))


@router.post(PLACE + "/{channel_id}")
def change(
    request: Request,
    session: Writing,
    tenant: Tenant,
    visitor: Visiting,
    _who: Administering,
    fields: Sent,
    channel_id: ChannelId,
) -> Response:
    """What waits for it goes by what it says now. A secret that is not typed stays."""
    channel = _found(session, tenant, channel_id)
    asked = typed(fields, channel.kind)
    try:
        changed(session, tenant, channel_id, said(asked, fields), visitor.settings)
    except _REFUSALS as refused:
        problems = _problems(refused)
        return _one(request, session, tenant, visitor, channel, asked, problems)
    return go_to(request, f"{PLACE}/{channel_id}", done="saved")


@router.post(PLACE + "/{channel_id}/test")
def test(
    request: Request,
    session: Writing,
    tenant: Tenant,
    visitor: Visiting,
    who: Administering,
    _fields: Sent,
    channel_id: ChannelId,
) -> Response:
    """A sample goes out with the next round of the job ``alerts``."""
    channel = _found(session, tenant, channel_id)
    notice = sample(f"channel {channel.name}", who.name)
    put_sample(session, tenant, channel.id, notice, token_hex(8), visitor.now)
    return go_to(request, f"{PLACE}/{channel_id}", done="sent")


@router.get(PLACE + "/{channel_id}/remove")
def ask_remove(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    channel_id: ChannelId,
    _query: Annotated[PageAsked, Query()],
) -> Response:
    """Asks whether to remove it."""
    visitor.whole_ledger()
    channel = _found(session, tenant, channel_id)
    told = {"channel": channel, "leads_to": where(channel), "gets": gets(channel)}
    return page(request, visitor, "channel_remove.html", title="Remove a channel", told=told)


@router.post(PLACE + "/{channel_id}/remove")
def end(
    request: Request,
    session: Writing,
    tenant: Tenant,
    visitor: Visiting,
    _who: Administering,
    _fields: Sent,
    channel_id: ChannelId,
) -> Response:
    """What waits for it goes where it would go without it."""
    try:
        remove(session, tenant, channel_id, visitor.now)
    except channels.NoSuchChannel as missing:
        raise Problem(404, "No such channel", str(missing)) from None
    return go_to(request, PLACE, done="removed")


_REFUSALS: Final = (TermsRefused, channels.NameTaken, SealedElsewhere)


def _problems(refused: Exception) -> Mapping[str, str]:
    if isinstance(refused, TermsRefused):
        return problem_of(refused)
    field = "name" if isinstance(refused, channels.NameTaken) else "secret"
    return {field: sentence(str(refused))}


def _found(session: Session, tenant: int, channel_id: int) -> Channel:
    try:
        return channels.one(session, tenant, channel_id)
    except channels.NoSuchChannel as missing:
        raise Problem(404, "No such channel", str(missing)) from None


def _new(
    request: Request,
    visitor: Visitor,
    asked: TypedChannel,
    problems: Mapping[str, str] | None = None,
) -> Response:
    return page(
        request,
        visitor,
        "channel_new.html",
        title="A new channel",
        status=422 if problems else 200,
        channel=None,
        typed=asked,
        **_choices(visitor, problems),
    )


def _one(
    request: Request,
    session: Session,
    tenant: int,
    visitor: Visitor,
    channel: Channel,
    asked: TypedChannel,
    problems: Mapping[str, str] | None = None,
) -> Response:
    delivery = latest(session, tenant, [channel.id]).get(channel.id)
    return page(
        request,
        visitor,
        "channel.html",
        title=channel.name,
        status=422 if problems else 200,
        channel=channel,
        leads_to=where(channel),
        gets=gets(channel),
        delivery=delivery,
        outcome=delivery and _outcome(delivery),
        typed=asked,
        **_choices(visitor, problems),
    )


def _choices(visitor: Visitor, problems: Mapping[str, str] | None) -> dict[str, Any]:
    return {
        "problems": {name: (problems or {}).get(name) for name in _FIELDS},
        "kinds": KINDS,
        "weekdays": WEEKDAYS,
        "zones": regions(),
        "server_zone": visitor.settings.timezone.key,
    }


def _outcome(delivery: Delivery) -> tuple[str, str]:
    """What became of a message, in words, and its tone."""
    if delivery.status == "pending" and delivery.last_error:
        return "waits, and is tried again", "warn"
    return _WORDS[delivery.status], _TONES[delivery.status]


def _row(channel: Channel, delivery: Delivery | None) -> dict[str, Held | Cell]:
    row: dict[str, Held | Cell] = {
        "channel": Cell(channel.name, href=f"{PLACE}/{channel.id}", note=KINDS[channel.kind]),
        "to": where(channel),
        "gets": gets(channel),
        "outcome": Cell(None, show="none yet", tone="quiet"),
    }
    if delivery is not None:
        word, tone = _outcome(delivery)
        row["outcome"] = Cell(delivery.status, show=word, tone=tone)
        row["message"] = Cell(delivery.title, note=delivery.last_error)
        row["at"] = delivery.sent_at or delivery.written_at
    return row
