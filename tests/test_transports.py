"""Each kind of channel gets a message as its standard says, and says what became of it."""

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from budgeted import NOW
from mail_stand_in import Mailbox, mail_stand_in
from slack_stand_in import OK, StandIn, answer, slack_stand_in

from jobs.context import JobSettings
from jobs.delivery import apprise_channel, destinations, mail, slack_bot, slack_webhook, webhooks
from jobs.delivery.destinations import Answer, Unreachable
from jobs.delivery.parcels import Parcel, Place, Sending
from jobs.delivery.slack import message
from jobs.delivery.storm import many
from spend.channels.notices import LEVELS, Notice, NoticeTable

DOCS = Path(__file__).parent.parent / "docs"
KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PNG = b"\x89PNG\r\n\x1a\n not much of a picture"
NOTICE = Notice(
    kind="actual",
    level="warning",
    title="84.25 % of budget <!channel> is spent",
    summary="84.25 % of budget <!channel> is spent. Alert 17.",
    facts=(("Spent", "84.25 of 100.00 USD"), ("Threshold", "80 %")),
    paragraphs=("Late: a & b",),
    small="as of 12:00 · alert 17",
    link_text="Where it stands now",
    link="http://127.0.0.1:8321/budgets/3",
    alert_id=17,
    budget_id=3,
    data={"spent": "84.25", "threshold": 80},
)


def parcel(**changes: object) -> Parcel:
    usual = Parcel("msg_1_9_1763208000", ("msg_1_9_1763208000",), NOTICE, NOW)
    return replace(usual, **changes)  # type: ignore[arg-type]  # the test's to get right


def sending(picture: bytes | None = None, **settings: object) -> Sending:
    known = JobSettings(allow_private_destinations=True, **settings)  # type: ignore[arg-type]  # as above
    return Sending(known, NOW, time.monotonic() + 5, lambda: picture)


def place(kind: str, secret: str = "", *to: str) -> Place:
    return Place(("channel:1",), "channel finance", kind, secret, to, KEY)


@pytest.fixture
def http() -> Iterator[StandIn]:
    with slack_stand_in() as stand_in:
        yield stand_in


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_stand_in() as box:
        yield box


def documented() -> Callable[..., bool]:
    """What docs/delivery.md shows for receivers."""
    [shown] = re.findall(r"```python\n(.*?)```", (DOCS / "delivery.md").read_text(), re.DOTALL)
    known: dict[str, Any] = {}
    exec(shown, known)  # noqa: S102  # our own page
    is_ours: Callable[..., bool] = known["is_ours"]
    return is_ours


def test_a_webhook_is_signed_as_the_standard_says() -> None:
    # The example of the Standard Webhooks specification's own libraries.
    signed = webhooks.signature(
        KEY, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_receiver_knows_ours_by_what_the_page_says(http: StandIn) -> None:
    assert webhooks.send(place("webhook", http.url), parcel(), sending()).outcome == "sent"
    [headers], [body] = http.headers, http.messages
    raw = json.dumps(body, ensure_ascii=False).encode()
    is_ours, then = documented(), NOW.timestamp()
    assert is_ours(KEY, headers, raw, now=then)
    assert not is_ours(KEY, headers, raw + b" ", now=then)
    assert not is_ours("whsec_c2VjcmV0", headers, raw, now=then)
    assert not is_ours(KEY, headers, raw, now=then + 3600)
    assert body["type"] == "alert.actual"
    assert body["data"]["details"] == {"spent": "84.25", "threshold": 80}
    assert headers["webhook-id"] == body["data"]["id"] == parcel().id


def test_what_is_sent_again_is_letter_for_letter_the_same(http: StandIn) -> None:
    http.script = [answer(503)]
    for _ in range(2):
        webhooks.send(place("webhook", http.url), parcel(), sending())
    first, second = http.messages
    assert first == second
    assert http.headers[0]["webhook-id"] == http.headers[1]["webhook-id"]


def test_a_key_that_is_no_base64_signs_as_it_stands() -> None:
    digest = hmac.new(b"plain text key", b"m.1.{}", hashlib.sha256).digest()
    signed = webhooks.signature("plain text key", "m", 1, b"{}")
    assert signed == f"v1,{base64.b64encode(digest).decode()}"


def said(**changes: object) -> Any:
    return answer(200, json.dumps({"ok": True} | changes).encode())


def bot(http: StandIn, picture: bytes | None = None, **changes: object) -> Any:
    settings = {"slack_api_url": http.url.rpartition("/services")[0] + "/api"}
    where = place("slack-bot", "xoxb-1", "C0000001")
    return slack_bot.send(where, parcel(**changes), sending(picture, **settings))


def test_a_bot_shows_the_message_in_its_channel(http: StandIn) -> None:
    http.script = [said(ts="1.0")]
    assert bot(http).outcome == "sent"
    [asked] = http.messages
    assert http.headers[0]["authorization"] == "Bearer xoxb-1"
    assert asked["channel"] == "C0000001"
    assert asked["metadata"]["event_payload"]["ids"] == [parcel().id]
    assert "&lt;!channel&gt;" in asked["blocks"][0]["text"]["text"]


def test_a_bot_shows_the_chart_in_its_message(http: StandIn) -> None:
    upload = http.url.replace("/services", "/upload")
    http.script = [said(upload_url=upload, file_id="F1"), OK, said(), said(ts="1.0")]
    assert bot(http, PNG).outcome == "sent"
    asked, picture, complete, shown = http.bodies
    assert asked == f"filename=budget.png&length={len(PNG)}".encode()
    assert picture == PNG
    assert b"F1" in complete
    [image] = [each for each in json.loads(shown)["blocks"] if each["type"] == "image"]
    assert image["slack_file"] == {"id": "F1"}
    assert image["alt_text"].endswith("Alert 17.")


def test_a_chart_that_slack_does_not_take_is_left_out(http: StandIn) -> None:
    upload = http.url.replace("/services", "/upload")
    http.script = [
        said(upload_url=upload, file_id="F1"),
        OK,
        said(),
        said(ok=False, error="invalid_blocks"),
        said(ts="1.0"),
        said(ok=False, error="missing_scope", needed="files:write"),
        said(ts="1.0"),
    ]
    assert bot(http, PNG).outcome == bot(http, PNG).outcome == "sent"
    assert b"slack_file" not in http.bodies[4] + http.bodies[6]


@pytest.mark.parametrize(
    ("behaviour", "outcome", "error"),
    [
        (said(ok=False, error="channel_not_found"), "never", "channel_not_found"),
        (said(ok=False, error="invalid_auth"), "never", "invalid_auth"),
        (said(ok=False, error="not_in_channel"), "never", "not_in_channel"),
        (said(ok=False, error="missing_scope", needed="chat:write"), "never", "chat:write"),
        (said(ok=False, error="internal_error"), "later", "internal_error"),
        (answer(429, b'{"ok": false, "error": "ratelimited"}'), "later", "answered ratelimited"),
        (answer(200, b"<html>proxy</html>"), "later", "not as Slack does"),
        (answer(500), "later", "answered 500"),
    ],
)
def test_what_slack_says_to_a_bot_is_understood(
    http: StandIn, behaviour: Any, outcome: str, error: str
) -> None:
    http.script = [behaviour]
    verdict = bot(http)
    assert verdict.outcome == outcome
    assert error in verdict.error
    assert "xoxb" not in verdict.error


def test_a_bot_asks_the_channel_what_it_shows_already(http: StandIn) -> None:
    told = {"event_type": slack_bot.EVENT, "event_payload": {"ids": [parcel().id, "msg_1_8_1"]}}
    pages = [
        said(messages=[{"text": "somebody"}], response_metadata={"next_cursor": "x="}),
        said(messages=[{"text": "ours", "metadata": told}]),
        said(ok=False, error="missing_scope"),
    ]
    http.script = pages
    settings = {"slack_api_url": http.url}
    where = place("slack-bot", "xoxb-1", "C0000001")
    found = slack_bot.shown(where, parcel(), sending(**settings))
    assert found == {parcel().id}
    assert slack_bot.shown(where, parcel(), sending(**settings)) is None


def by_mail(box: Mailbox, picture: bytes | None = None, **changes: object) -> Any:
    settings = {"smtp_url": box.url, "mail_from": "Spend <alerts@example.com>"}
    where = place("email", "", "ann@example.com", "bob@example.com")
    return mail.send(where, parcel(**changes), sending(picture, **settings))


def test_a_mail_has_text_and_html_and_its_chart(mailbox: Mailbox) -> None:
    assert by_mail(mailbox, PNG).outcome == "sent"
    [got] = mailbox.mails
    assert got["subject"] == "Warning: 84.25 % of budget <!channel> is spent"
    assert got["to"] == "ann@example.com, bob@example.com"
    assert got["message-id"] == f"<{parcel().id}@example.com>"
    text, html = got.get_body(("plain",)), got.get_body(("html",))
    assert text
    assert html
    assert "Spent:     84.25 of 100.00 USD" in text.get_content()
    assert "&lt;!channel&gt;" in html.get_content()
    assert "cid:chart" in html.get_content()
    [picture] = [part for part in got.walk() if part.get_content_type() == "image/png"]
    assert picture.get_content() == PNG
    assert picture["content-id"] == "<chart>"


def test_a_name_cannot_add_a_header(mailbox: Mailbox) -> None:
    evil = replace(NOTICE, title="spent\r\nBcc: eve@example.com\n\nbody", alert_id=17)
    assert by_mail(mailbox, notice=evil).outcome == "sent"
    [got] = mailbox.mails
    assert got["bcc"] is None
    assert mailbox.recipients == [["ann@example.com", "bob@example.com"]]
    assert got["subject"].startswith("Warning: spent  Bcc: eve@example.com")


def test_a_name_that_is_an_encoded_word_cannot_add_a_header(mailbox: Mailbox) -> None:
    # Python decodes it where it is set, and would write out what it holds.
    for word in ("=?utf-8?q?=0D=0ABcc:_eve@example.com?=", "=?utf-8?b?DQpCY2M6IHg=?="):
        evil = Notice(kind="actual", level="over", title=f"budget {word}", summary="s")
        assert by_mail(mailbox, notice=evil).outcome == "sent"
        got = mailbox.mails[-1]
        assert got["Bcc"] is None
        assert got["Subject"] == f"Over: budget {word.replace('=?', '= ?')}"


def test_who_has_a_mail_does_not_get_it_again(mailbox: Mailbox) -> None:
    mailbox.refusals = {"bob@example.com": "451 later"}
    verdict = by_mail(mailbox)
    assert (verdict.outcome, verdict.left) == ("later", ("bob@example.com",))
    mailbox.refusals = {}
    assert by_mail(mailbox, left=verdict.left).outcome == "sent"
    assert mailbox.recipients == [["ann@example.com"], ["bob@example.com"]]


def test_who_is_no_recipient_any_more_does_not_get_what_waited(mailbox: Mailbox) -> None:
    assert by_mail(mailbox, left=("eve@example.com", "bob@example.com")).outcome == "sent"
    assert by_mail(mailbox, left=("eve@example.com",)).outcome == "sent"
    assert mailbox.recipients == [["bob@example.com"]]


def test_who_is_refused_for_good_is_named(mailbox: Mailbox) -> None:
    mailbox.refusals = {"bob@example.com": "550 no such user"}
    verdict = by_mail(mailbox)
    assert (verdict.outcome, verdict.error) == ("sent", "not to bob@example.com: 550 no such user")
    mailbox.refusals["ann@example.com"] = "550 nor she"
    assert by_mail(mailbox).outcome == "never"


@pytest.mark.parametrize(("reply", "outcome"), [("451 greylisted", "later"), ("554 spam", "never")])
def test_4xx_passes_and_5xx_stays(mailbox: Mailbox, reply: str, outcome: str) -> None:
    mailbox.reply_to_data = reply
    verdict = by_mail(mailbox)
    assert (verdict.outcome, verdict.error) == (outcome, reply)


def test_of_a_server_that_dies_nobody_knows_whether_it_took_the_mail(mailbox: Mailbox) -> None:
    mailbox.dies = True
    verdict = by_mail(mailbox)
    assert (verdict.outcome, verdict.unsure) == ("later", True)


def test_mail_leaves_this_machine_only_over_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    with mail_stand_in() as box:
        box.url = box.url.replace("127.0.0.1", "mail.example.com")
        real = mail.smtplib.SMTP._get_socket  # type: ignore[attr-defined]  # smtplib's own hook
        monkeypatch.setattr(
            mail.smtplib.SMTP,
            "_get_socket",
            lambda self, _host, port, timeout: real(self, "127.0.0.1", port, timeout),
        )
        verdict = by_mail(box)
        assert verdict.outcome == "later"
        assert "offers no STARTTLS" in verdict.error
        box.url = box.url.replace("smtp:", "smtps:")
        assert by_mail(box).error == "TLS failed"
        assert box.mails == []


def test_without_a_mail_server_a_mail_waits() -> None:
    verdict = mail.send(place("email", "", "ann@example.com"), parcel(), sending())
    assert verdict.outcome == "later"
    assert "SPANLEDGER_SMTP_URL" in verdict.error


# A module that Apprise's mail needs, and we do not.
@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
def test_apprise_sends_what_we_have_no_transport_for(http: StandIn) -> None:
    url = http.url.replace("http:", "json:")
    assert apprise_channel.send(place("apprise", url), parcel(), sending()).outcome == "sent"
    [got] = http.messages
    assert got["title"] == "Warning: 84.25 % of budget <!channel> is spent"
    assert "alert 17" in got["message"]


def test_without_apprise_a_message_is_dead_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_name: str) -> None:
        raise ImportError

    monkeypatch.setattr(apprise_channel, "import_module", missing)
    verdict = apprise_channel.send(place("apprise", "discord://1/2"), parcel(), sending())
    assert (verdict.outcome, verdict.error) == ("never", apprise_channel.MISSING)


def test_slack_that_began_to_say_ok_has_shown_it(monkeypatch: pytest.MonkeyPatch) -> None:
    hook = place("slack-webhook", "https://hooks.slack.com/services/T/B/x")
    for status, begun, outcome in ((200, b"o", "sent"), (200, b"", "sent"), (500, b"", "later")):
        cut = Unreachable("closed", sent=True, begun=Answer(status, None, begun))
        monkeypatch.setattr(slack_webhook, "post_json", Mock(side_effect=cut))
        assert slack_webhook.send(hook, parcel(), sending()).outcome == outcome


@pytest.mark.parametrize("level", LEVELS)
def test_the_level_stands_in_words(level: str) -> None:
    title = message(replace(NOTICE, level=level))["blocks"][0]["text"]["text"]
    word = {"over": "Over: ", "warning": "Warning: ", "ok": "Recovered: ", "info": ""}[level]
    assert title == f"{word}84.25 % of budget &lt;!channel&gt; is spent"


def test_a_message_keeps_to_the_limits_of_block_kit() -> None:
    large = replace(
        NOTICE,
        facts=tuple((str(number), "x" * 3_000) for number in range(25)),
        tables=(NoticeTable("table", tuple((f"{row}" * 30, "1") for row in range(200))),),
        paragraphs=tuple("&" * 3_000 for _ in range(80)),
    )
    blocks = message(large, picture={"slack_file": {"id": "F1"}})["blocks"]
    assert len(blocks) == 50
    assert blocks[-1]["type"] == "context"
    for block in blocks:
        assert len(block.get("fields", ())) <= 10
        assert all(len(each["text"]) <= 2_000 for each in block.get("fields", ()))
        if block["type"] == "section" and "text" in block:
            assert len(block["text"]["text"]) <= 3_000


def test_many_messages_are_one_that_names_each() -> None:
    told = many([replace(NOTICE, alert_id=number, level="over") for number in range(1, 41)])
    blocks = message(told)["blocks"]
    lines = [block["text"]["text"] for block in blocks if block["type"] == "section"]
    assert len(lines) == 40
    assert lines[0] == "84.25 % of budget &lt;!channel&gt; is spent · threshold 80 % · alert 1"
    assert told.level == "over"
    assert [each["alert_id"] for each in told.data["messages"]] == list(range(1, 41))


def test_nothing_was_sent_where_nobody_listens() -> None:
    with slack_stand_in() as stand_in:
        url = stand_in.url
    with pytest.raises(Unreachable) as unreachable:
        destinations.post_json(url, b"{}", allow_private=True)
    assert not unreachable.value.sent
    late = sending()
    late = replace(late, until=time.monotonic() - timedelta(seconds=1).total_seconds())
    assert not slack_webhook.send(place("slack-webhook", url), parcel(), late).unsure
