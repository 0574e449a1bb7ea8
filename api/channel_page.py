"""The page of channels: where alerts go, what became of the latest message, a button to try each.

The button works where no keys are in force, which is on loopback only; with keys, which a browser
does not send, the page says how else to do it.
"""

from html import escape
from secrets import token_hex
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from api.auth import Who, asker_of, whole_ledger
from api.dependencies import Clock, Config, Reading, Tenant, Writing
from api.origins import from_our_page
from api.page import page
from api.problems import Problem
from spend.channel_words import gets, where
from spend.channels import Channel
from spend.sample_notice import sample
from store import channels
from store.channel_deliveries import Delivery, latest, put_sample

router = APIRouter(include_in_schema=False)

_LOCKED: Final = """<h1>Channels</h1>
<p>Keys are in force, and a browser sends none. By the command line, and over the API:</p>
<pre>spanledger channels list
spanledger alerts test NAME

curl -H 'Authorization: Bearer KEY' HERE/v1/channels
curl -X POST -H 'Authorization: Bearer KEY' HERE/v1/channels/ID/test</pre>
<p><a href="/">Where to begin</a></p>"""
_UNAUTHORISED: Final = 401
_STYLES: Final = {"sent": "good", "dead": "bad", "dropped": "bad"}


@router.get("/channels")
def show(request: Request, session: Reading, tenant: Tenant, config: Config) -> HTMLResponse:
    """The channels, each with its latest message."""
    try:
        whole_ledger(asker_of(request, config))
    except Problem as problem:
        if problem.status != _UNAUTHORISED:
            raise
        here = escape(str(request.base_url).rstrip("/"))
        return page("spanledger channels", _LOCKED.replace("HERE", here), status=_UNAUTHORISED)
    deliveries = latest(session, tenant)
    rows = "".join(
        _row(each, deliveries.get(each.id), config.timezone)
        for each in channels.all_channels(session, tenant)
    )
    return page("spanledger channels", _body(rows), forms=True)


def _sent_from_here(request: Request) -> None:
    if not from_our_page(request):
        detail = "The button of /channels sends this; otherwise: POST /v1/channels/{id}/test"
        raise Problem(403, "Not from this page", detail)


@router.post("/channels/{channel_id}/test", dependencies=[Depends(_sent_from_here)])
def test(
    session: Writing,
    tenant: Tenant,
    clock: Clock,
    who: Who,
    channel_id: Annotated[int, Path(ge=1, le=2**63 - 1)],
) -> RedirectResponse:
    """What the button does: a sample goes out with the next round of the job ``alerts``."""
    try:
        channel = channels.one(session, tenant, channel_id)
    except channels.NoSuchChannel as missing:
        raise Problem(404, "No such channel", str(missing)) from None
    notice = sample(f"channel {channel.name}", who.name)
    put_sample(session, tenant, channel.id, notice, token_hex(8), clock())
    return RedirectResponse(f"/channels#channel-{channel_id}", status_code=303)


def _body(rows: str) -> str:
    table = f"""<div class="wide"><table>
<thead><tr><th>Channel</th><th>Goes to</th><th>Gets</th><th>Latest message</th><th></th></tr>
</thead>
<tbody>{rows}</tbody></table></div>
<p class="small">A sample is sent within 10 seconds, quiet hours or not. Load the page again to see
what became of it.</p>"""
    none = """<p>None: alerts go to <code>SPANLEDGER_SLACK_WEBHOOK_URL</code>, or wait.</p>
<pre>spanledger channels add --name search --kind slack-webhook --team search</pre>"""
    return f"""<h1>Channels</h1>
<p class="lead">Where alerts go: to the channels that a budget names, else to those of its team,
else to the default ones.</p>{table if rows else none}
<p><a href="/">Where to begin</a> · <a href="/v1/channels">the same as JSON</a></p>"""


def _row(channel: Channel, delivery: Delivery | None, zone: ZoneInfo) -> str:
    name = escape(channel.name)
    return f"""<tr id="channel-{channel.id}"><td>{name}<br><span class="small">{channel.kind}
</span></td><td>{escape(where(channel))}</td><td>{escape(gets(channel))}</td>
<td>{_latest(delivery, zone)}</td><td><form method="post" action="/channels/{channel.id}/test">
<button aria-label="Send a sample to {name}">Send a sample</button></form></td></tr>"""


def _latest(delivery: Delivery | None, zone: ZoneInfo) -> str:
    if delivery is None:
        return '<span class="small">none yet</span>'
    at = (delivery.sent_at or delivery.written_at).astimezone(zone)
    said = escape(delivery.last_error or "")
    return f"""<span class="{_STYLES.get(delivery.status, "")}">{delivery.status}</span>
<span class="small">{at:%Y-%m-%d %H:%M} {escape(zone.key)}</span><br>{escape(delivery.title)}
{f'<br><span class="small">{said}</span>' if said else ""}"""
