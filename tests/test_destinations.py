"""Whoever sets a webhook cannot make this machine talk to its own network."""

import pytest
from slack_stand_in import answer, slack_stand_in

from jobs.delivery import destinations
from jobs.delivery.destinations import Unreachable, post_json
from spend.channels.destinations import DestinationRefused, check_address, destination

INSIDE = [
    "http://hooks.slack.com/x",
    "ftp://hooks.slack.com/x",
    "file:///etc/passwd",
    "hooks.slack.com/x",
    "//hooks.slack.com/x",
    "https://",
    "https:///x",
    "https://localhost/x",
    "https://LOCALHOST/x",
    "https://intranet/x",
    "https://db.internal/x",
    "https://printer.local/x",
    "https://a.localhost/x",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://127.0.0.01/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://0.0.0.0/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://198.18.0.1/",
    "https://192.0.0.170/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[0:0:0:0:0:ffff:169.254.169.254]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b:1::1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001::1]/",
    "https://[2001:db8::1]/",
    "https://[fc00::1]/",
    "https://[fd00:ec2::254]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[fec0::1]/",
    "https://[ff02::1]/",
    "https://hooks.slack.com./x",
    "https://127.0.0.1./x",
    "https://user@hooks.slack.com/x",
    "https://user:password@hooks.slack.com/x",
    "https://hooks.slack.com@127.0.0.1/x",
    "https://hooks.slack.com\\@127.0.0.1/x",
    "https://hooks.slack.com#@127.0.0.1/x",
    "https://hooks.slack.com:22/x",
    "https://hooks.slack.com:99999/x",
    "https://hooks.slack.com:0x50/x",
    "https://hooks.slack.com /x",
    "https://hooks.slack.com/x\r\nHost: inside",
    "https://hooks.slack.com/\0",
    "https://hooks.slаck.com/x",  # noqa: RUF001  # a Cyrillic letter, which is the point
    "https://①②⑦.0.0.1/",
    "https://127。0。0。1/",
    "https://127%2e0%2e0%2e1/",
    "https://[127.0.0.1]/",
    "https://[::1/",
    "https://-a.com/",
    "https://a..com/",
    "https://" + "a" * 64 + ".com/",
    "https://example.com/" + "a" * 2000,
]


@pytest.mark.parametrize("url", INSIDE)
def test_what_is_not_a_plain_public_https_url_is_refused(url: str) -> None:
    with pytest.raises(DestinationRefused):
        destination(url, allow_private=False)


@pytest.mark.parametrize(
    ("url", "host", "target"),
    [
        ("https://hooks.slack.com/services/T/B/x", "hooks.slack.com", "/services/T/B/x"),
        ("https://HOOKS.slack.com:443", "hooks.slack.com", "/"),
        ("https://example.com/a?b=c&d", "example.com", "/a?b=c&d"),
        ("https://xn--bcher-kva.example/a", "xn--bcher-kva.example", "/a"),
        ("https://93.184.216.34/", "93.184.216.34", "/"),
        (
            "https://[2606:2800:220:1:248:1893:25c8:1946]/",
            "2606:2800:220:1:248:1893:25c8:1946",
            "/",
        ),
    ],
)
def test_a_plain_public_https_url_passes(url: str, host: str, target: str) -> None:
    found = destination(url, allow_private=False)
    assert (found.host, found.port, found.target) == (host, 443, target)


def test_for_tests_and_demos_this_machine_may_be_allowed_but_no_metadata_service() -> None:
    assert destination("http://127.0.0.1:8080/x", allow_private=True).port == 8080
    assert destination("http://localhost/x", allow_private=True).port == 80
    for address in ("127.0.0.1", "10.0.0.1", "::1", "fc00::1"):
        check_address(address, allow_private=True)
    for address in ("169.254.169.254", "::ffff:169.254.169.254", "0.0.0.0", "fe80::1", "::"):  # noqa: S104  # to be refused
        with pytest.raises(DestinationRefused):
            check_address(address, allow_private=True)
    for url in ("http://2130706433/", "http://user@127.0.0.1/", "http://127.0.0.1./"):
        with pytest.raises(DestinationRefused):
            destination(url, allow_private=True)


@pytest.mark.parametrize(
    "resolved",
    [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["169.254.169.254"], ["::1"], ["fd00::1"]],
)
def test_a_public_name_that_points_inside_is_not_connected_to(
    resolved: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The tests' audit hook fails any connection that leaves loopback.
    monkeypatch.setattr(destinations, "addresses_of", lambda *_: resolved)
    with pytest.raises(DestinationRefused):
        post_json("https://hooks.slack.com/services/x", b"{}", allow_private=False)


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with slack_stand_in() as stand_in:
        port = stand_in.url.split(":")[2].split("/")[0]
        answers = iter([["127.0.0.1"], ["10.0.0.1"]])
        monkeypatch.setattr(destinations, "addresses_of", lambda *_: next(answers))
        answered = post_json(f"http://rebinding.example:{port}/x", b"{}", allow_private=True)
        assert answered.status == 200
        assert stand_in.headers[0]["host"] == f"rebinding.example:{port}"
    assert next(answers) == ["10.0.0.1"], "the name was resolved once"


def test_a_redirect_is_not_followed() -> None:
    with slack_stand_in() as stand_in:
        stand_in.script = [answer(307, headers={"Location": stand_in.url})]
        assert post_json(stand_in.url, b"{}", allow_private=True).status == 307
        assert len(stand_in.messages) == 1


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with slack_stand_in() as stand_in:
        assert post_json(stand_in.url, b"{}", allow_private=True).status == 200


def test_nobody_listening_is_told_without_the_secret() -> None:
    with slack_stand_in() as stand_in:
        url = stand_in.url
    with pytest.raises(Unreachable) as unreachable:
        post_json(url, b"{}", allow_private=True)
    assert "Connection refused" in str(unreachable.value)
    assert "secret" not in str(unreachable.value)


def test_a_certificate_that_nobody_vouches_for_is_not_talked_to() -> None:
    with slack_stand_in() as stand_in:
        # It speaks no TLS at all, which fails in the same place.
        with pytest.raises(Unreachable):
            post_json(stand_in.url.replace("http:", "https:"), b"{}", allow_private=True)
        assert stand_in.messages == []
