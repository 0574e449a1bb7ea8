"""Where the SDK sends spans, and with which key: the nearest word wins, a bad one goes nowhere."""

import pytest
from spanledger import harmless
from spanledger.destination import destination


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harmless, "_said", set())


A, B, C, D = (f"http://{letter}.test:4318" for letter in "abcd")


@pytest.mark.parametrize(
    ("argument", "environ", "url"),
    [
        (None, {}, "http://127.0.0.1:4318/v1/traces"),
        ("", {"OTEL_EXPORTER_OTLP_ENDPOINT": D}, D + "/v1/traces"),
        (None, {"OTEL_EXPORTER_OTLP_ENDPOINT": D + "/otlp/"}, D + "/otlp/v1/traces"),
        (
            None,
            {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": C + "/x", "OTEL_EXPORTER_OTLP_ENDPOINT": D},
            C + "/x",
        ),
        (
            None,
            {"SPANLEDGER_ENDPOINT": B + "/", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": C},
            B + "/v1/traces",
        ),
        (A, {"SPANLEDGER_ENDPOINT": B}, A + "/v1/traces"),
        (A + "/v1/traces/", {}, A + "/v1/traces"),
        ("https://[::1]:4318", {}, "https://[::1]:4318/v1/traces"),
    ],
)
def test_the_nearest_word_on_the_address_wins(
    argument: str | None, environ: dict[str, str], url: str
) -> None:
    target = destination(argument, None, environ)
    assert target is not None
    assert target.url == url


@pytest.mark.parametrize(
    "bad",
    ["localhost:4318", "grpc://a.test:4317", "http://", "http://a.test:port", "http://[::1", 7],
)
def test_a_bad_address_is_said_and_never_replaced_by_another(
    caplog: pytest.LogCaptureFixture, bad: object
) -> None:
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": D}
    assert destination(bad, "secret-key", environ) is None
    assert "the argument endpoint is no http:// or https:// address" in caplog.text
    assert "secret-key" not in caplog.text


def test_an_address_for_grpc_is_pointed_out(caplog: pytest.LogCaptureFixture) -> None:
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": D, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    assert destination(None, None, environ) is not None
    assert "name its address in SPANLEDGER_ENDPOINT" in caplog.text


def test_the_key_does_not_show_where_the_destination_is_printed() -> None:
    assert "secret" not in repr(destination(A, "secret", {}))


def test_the_key_joins_the_headers_of_the_environment_whatever_the_exporters_version() -> None:
    environ = {"OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=one,Authorization=theirs"}
    target = destination(A, "ours", environ)
    assert target is not None
    assert target.headers == {"x-tenant": "one", "authorization": "Bearer ours"}
